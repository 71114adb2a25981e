"""REST of supplies, and of what one machine shares."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.permissions import Can
from devices.models import Supply
from devices.selectors import relations as selectors
from devices.selectors import twin as twin_selectors
from devices.services import relations as services

from . import serializers_notifications as shapes
from .api import actor
from .api_alerts import given_by


def _shown(supply: Supply) -> dict[str, Any]:
    body = {name: getattr(supply, name) for name in ("id", "name", "kind", "note")}
    return {**body, "devices": [device.pk for device in selectors.members(supply)]}


class SupplyViewSet(GenericViewSet[Supply]):
    """What several machines hang on: alerts that come together on one are one incident."""

    required = {
        "list": Can.DEVICE_READ,
        "retrieve": Can.DEVICE_READ,
        "create": Can.DEVICE_WRITE,
        "update": Can.DEVICE_WRITE,
        "destroy": Can.DEVICE_WRITE,
    }
    queryset = Supply.objects.none()
    serializer_class = shapes.SupplySerializer
    lookup_value_regex = r"\d{1,18}"
    filter_backends = []

    @extend_schema(summary="Supplies by name")
    def list(self, request: Request) -> Response:
        """All of them."""
        page = self.paginate_queryset(selectors.supplies())
        return self.get_paginated_response([_shown(supply) for supply in page or ()])

    @extend_schema(summary="One supply")
    def retrieve(self, request: Request, pk: str) -> Response:
        """With its machines."""
        return Response(_shown(services.get(int(pk))))

    @extend_schema(summary="Name a supply", responses={201: shapes.SupplySerializer})
    def create(self, request: Request) -> Response:
        """With the machines on it."""
        given = given_by(shapes.SupplySerializer, request)
        made = services.save_supply(actor=actor(request), request=request, **given)
        return Response(_shown(made), status=status.HTTP_201_CREATED)

    @extend_schema(summary="Change a supply")
    def update(self, request: Request, pk: str) -> Response:
        """All of it: machines that are left out don't hang on it any more."""
        found = services.get(int(pk))
        given = given_by(shapes.SupplySerializer, request)
        saved = services.save_supply(actor=actor(request), supply=found, request=request, **given)
        return Response(_shown(saved))

    @extend_schema(summary="Forget a supply", responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Incidents of it keep its name."""
        services.delete_supply(supply=services.get(int(pk)), actor=actor(request), request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeviceRelationsView(APIView):
    """What one machine shares, and which others stand in for it."""

    required = {"get": Can.DEVICE_READ, "put": Can.DEVICE_WRITE}

    def _answer(self, pk: int) -> Response:
        found = selectors.of(twin_selectors.get(pk))
        return Response(
            {
                "supplies": [supply.pk for supply, _ in found.supplies],
                "spares": [device.pk for device in found.spares],
                "room": [device.pk for device in found.room],
                "stands_in_for": [device.pk for device in found.stands_in_for],
            }
        )

    @extend_schema(summary="What a machine shares", responses=shapes.DeviceRelationsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """By number; `room` and `stands_in_for` follow from the other machines."""
        return self._answer(pk)

    @extend_schema(
        summary="Say what a machine shares",
        request=shapes.DeviceRelationsSerializer,
        responses=shapes.DeviceRelationsSerializer,
    )
    def put(self, request: Request, pk: int) -> Response:
        """All supplies and spares; what is left out is no more."""
        device = twin_selectors.get(pk)
        given = given_by(shapes.DeviceRelationsSerializer, request)
        services.set_relations(device=device, actor=actor(request), request=request, **given)
        return self._answer(pk)
