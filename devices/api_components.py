"""REST of a machine's parts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from devices import moments
from devices.models import Component, Device
from devices.selectors import components as selectors
from devices.selectors import twin as twin_selectors
from devices.services import components as services

from . import serializers_components as shapes


def _rows(device: Device, at: datetime | None) -> list[dict[str, Any]]:
    found = selectors.parts(device, at=at, now=timezone.now())
    return [selectors.as_json(row) for row in found]


def _shown(device: Device, component: Component) -> Any:
    rows = [row for row in _rows(device, None) if row["id"] == component.pk]
    return shapes.PartSerializer(rows, many=True).data[0] if rows else None


def _part(given: dict[str, Any]) -> services.Part:
    return services.Part(
        serial=given.get("serial", ""),
        manufacturer=given.get("manufacturer", ""),
        model_name=given.get("model", ""),
        udi=given.get("udi", ""),
        counters=given.get("counters", {}),
    )


class _PartView(APIView):
    """What these addresses share."""

    shape: type[Any]

    def given(self, request: Request) -> dict[str, Any]:
        """The body, checked for its shape."""
        shape = self.shape(data=request.data)
        shape.is_valid(raise_exception=True)
        return dict(shape.validated_data)

    def who(self, request: Request) -> dict[str, Any]:
        """For the service: who asks."""
        return {"actor": cast("User", request.user), "request": request}


class DevicePartsView(_PartView):
    """The parts of one machine."""

    required = {"get": Can.DEVICE_READ, "post": Can.DEVICE_WRITE}
    shape = shapes.NewPartSerializer

    @extend_schema(
        summary="Parts of a machine, those in it first, with their use since installation",
        operation_id="devices_components_list",
        parameters=[OpenApiParameter("at", OpenApiTypes.DATETIME, description="as of then")],
        responses=shapes.PartSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Now or as of a past moment; at most 50."""
        at = moments.past(request.query_params.get("at", ""), now=timezone.now())
        rows = _rows(twin_selectors.get(pk), at)
        return Response(shapes.PartSerializer(rows, many=True).data)

    @extend_schema(
        summary="Put a part in",
        request=shapes.NewPartSerializer,
        responses={201: shapes.PartSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """409 `place_taken` where there is one in its place."""
        device, given = twin_selectors.get(pk), self.given(request)
        made = services.install(
            device=device,
            kind=given["kind"],
            position=given["position"],
            part=_part(given),
            at=given.get("at"),
            reason=given["reason"],
            **self.who(request),
        )
        return Response(_shown(device, made), status=status.HTTP_201_CREATED)


class DevicePartReplaceView(_PartView):
    """Another part into the place."""

    required = {"post": Can.DEVICE_WRITE}
    shape = shapes.ReplacementSerializer

    @extend_schema(
        summary="Replace a part",
        request=shapes.ReplacementSerializer,
        responses={201: shapes.PartSerializer},
    )
    def post(self, request: Request, pk: int, component_id: int) -> Response:
        """Out and in at one moment; answers with the new part."""
        device, given = twin_selectors.get(pk), self.given(request)
        made = services.replace(
            component=services.get(device=device, component_id=component_id),
            part=_part(given),
            at=given.get("at"),
            reason=given["reason"],
            **self.who(request),
        )
        return Response(_shown(device, made), status=status.HTTP_201_CREATED)


class DevicePartRemoveView(_PartView):
    """A part goes."""

    required = {"post": Can.DEVICE_WRITE}
    shape = shapes.PartRemovalSerializer

    @extend_schema(
        summary="Take a part out",
        request=shapes.PartRemovalSerializer,
        responses=shapes.PartSerializer,
    )
    def post(self, request: Request, pk: int, component_id: int) -> Response:
        """Its row stays, with its use until then."""
        device, given = twin_selectors.get(pk), self.given(request)
        part = services.get(device=device, component_id=component_id)
        services.remove(
            component=part, at=given.get("at"), reason=given["reason"], **self.who(request)
        )
        return Response(_shown(device, part))


class DevicePartCorrectView(_PartView):
    """The last entry was a mistake."""

    required = {"post": Can.DEVICE_WRITE}
    shape = shapes.PartCorrectionSerializer

    @extend_schema(
        summary="Withdraw the last entry about a part: its removal, else its installation",
        request=shapes.PartCorrectionSerializer,
        responses=shapes.PartSerializer(many=True),
    )
    def post(self, request: Request, pk: int, component_id: int) -> Response:
        """Answers with the machine's parts as they are now."""
        device, given = twin_selectors.get(pk), self.given(request)
        part = services.get(device=device, component_id=component_id)
        services.correct(component=part, reason=given["reason"], **self.who(request))
        return Response(shapes.PartSerializer(_rows(device, None), many=True).data)
