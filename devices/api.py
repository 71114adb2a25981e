"""REST of machines: the fleet, the twin, readings and journal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.http import parse_http_date_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from accounts.permissions import Can, may
from devices import moments, selectors_plans
from devices.models import Device, DeviceModel, TwinEvent
from devices.models.reading import ReadingSource
from devices.selectors import fleet as fleet_selectors
from devices.selectors import readings as readings_selectors
from devices.selectors import risk as risk_selectors
from devices.selectors import twin as twin_selectors
from devices.services import details, registry
from devices.services.details import checked_ae_titles
from devices.services.readings import ReadingIn, record_readings
from twinhealth.errors import InvalidInputError, TooLargeError
from twinhealth.web.parsers import BoundedJSONParser

from . import serializers as shapes
from .api_device_keys import DeviceKeyAuthentication, RoleOrOwnKey

# named here because `list` means a method inside the classes
_STATES = list(fleet_selectors.STATES)
_ORDERINGS = list(fleet_selectors.ORDERINGS)
_RESOLUTIONS = list(readings_selectors.RESOLUTIONS)
_Authenticators = list[BaseAuthentication]
AT = OpenApiParameter("at", OpenApiTypes.DATETIME, description="as of this past moment")


def actor(request: Request) -> User:
    """The signed-in person; the permission came first."""
    return cast("User", request.user)


def model_given(given: Any, request: Request) -> DeviceModel:
    """A known model, or a new one from manufacturer, name and modality."""
    if isinstance(given, dict):
        return registry.ensure_model(**given, actor=actor(request), request=request)
    return registry.find_model(given)


def past(request: Request) -> datetime | None:
    """`?at=`; `None` for now."""
    return moments.past(request.query_params.get("at", ""), now=timezone.now())


def _span(request: Request) -> tuple[datetime, datetime]:
    """`?from=&to=`; the last 24 hours unless told."""
    asked_end, asked_start = (request.query_params.get(k, "") for k in ("to", "from"))
    end = moments.moment(asked_end) if asked_end else timezone.now()
    start = moments.moment(asked_start) if asked_start else end - timedelta(hours=24)
    return start, end


def _said_at(request: Request) -> datetime | None:
    """The sender's clock by its Date header, where it has one."""
    seconds = parse_http_date_safe(request.headers.get("Date", ""))
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


class ReadingsParser(BoundedJSONParser):
    """Many senders write NaN, which is no JSON; the item is refused then, not the whole call."""

    strict = False


class DeviceViewSet(GenericViewSet[Any]):
    """Machines and their twins."""

    required = {
        "list": Can.DEVICE_HEALTH,
        "retrieve": Can.DEVICE_HEALTH,
        "create": Can.DEVICE_WRITE,
        "partial_update": Can.DEVICE_WRITE,
        "readings": Can.DEVICE_READ,
        "add_readings": Can.READING_WRITE,
        "events": Can.DEVICE_READ,
    }
    queryset = Device.objects.none()
    serializer_class = shapes.DeviceRowSerializer
    lookup_value_regex = r"\d{1,18}"
    filter_backends = []
    permission_classes = [RoleOrOwnKey]

    def get_authenticators(self) -> _Authenticators:
        """A machine's own key opens the door of readings and nothing else."""
        people = super().get_authenticators()
        method = (self.request.method or "").lower() if self.request else ""
        if self.action_map.get(method) == "add_readings":
            return [*people, DeviceKeyAuthentication()]
        return people

    def _reduced(self) -> bool:
        return not may(self.request.user, Can.DEVICE_READ)

    @extend_schema(
        summary="The fleet, worst first",
        parameters=[
            OpenApiParameter("state", str, enum=_STATES),
            OpenApiParameter("location", str),
            OpenApiParameter("q", str, description="part of a name, serial, alias, room or model"),
            OpenApiParameter("ordering", str, enum=_ORDERINGS),
            AT,
        ],
        responses=shapes.DeviceRowSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """The fleet; clinicians get name, room and health only."""
        asked = request.query_params
        found = fleet_selectors.fleet(
            at=past(request) or timezone.now(),
            state=asked.get("state", ""),
            room=asked.get("location", ""),
            q=asked.get("q", ""),
            ordering=asked.get("ordering", "state"),
        )
        shape = shapes.ReducedDeviceSerializer if self._reduced() else shapes.DeviceRowSerializer
        page: Any = self.paginate_queryset(found.rows)
        return self.get_paginated_response(shape(page, many=True).data)

    @extend_schema(
        summary="Register a machine",
        request=shapes.NewDeviceSerializer,
        responses={201: shapes.DeviceSerializer},
    )
    @transaction.atomic
    def create(self, request: Request) -> Response:
        """Register a machine that a person vouches for."""
        given = shapes.NewDeviceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        model = model_given(values.pop("model"), request)
        one = values.pop("ae_title", "")
        titles = checked_ae_titles([*([one] if one else []), *values.pop("ae_titles", [])])
        device = registry.register_device(
            model=model, actor=actor(request), request=request, ae_titles=titles, **values
        )
        return Response(self._twin(device, None), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="The twin, now or as of a past moment",
        parameters=[AT],
        responses=PolymorphicProxySerializer(
            component_name="DeviceOrReduced",
            serializers=[shapes.DeviceSerializer, shapes.ReducedDeviceSerializer],
            resource_type_field_name=None,
        ),
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """The twin; clinicians get name, room and health only."""
        device, at = twin_selectors.get(int(pk)), past(request)
        if self._reduced():
            found = twin_selectors.twin(device, at=at, now=timezone.now())
            return Response(shapes.ReducedDeviceSerializer(cast("Any", found)).data)
        return Response(self._twin(device, at))

    @extend_schema(
        summary="Say how a machine should be set, what it is called and where it stands",
        request=shapes.DesiredConfigSerializer,
        responses=shapes.DeviceSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Replace the desired configuration, change details; what isn't named stays."""
        given = shapes.DesiredConfigSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        who: dict[str, Any] = {"actor": actor(request), "request": request}
        with transaction.atomic():
            device = twin_selectors.get(int(pk))
            if "desired_config" in changes:
                config = changes.pop("desired_config")
                device = registry.set_desired_config(device=device, config=config, **who)
            if changes:
                device = details.change_details(device=device, changes=changes, **who)
        return Response(self._twin(device, None))

    def _twin(self, device: Device, at: datetime | None) -> Any:
        found = twin_selectors.twin(device, at=at, now=timezone.now())
        day = timezone.localdate(at) if at else None
        maintenance = selectors_plans.for_device(device, today=day)
        context = {
            "maintenance": maintenance.as_list(),
            "risk": risk_selectors.risk_of(device, at=at or timezone.now()),
        }
        return shapes.DeviceSerializer(found, context=context).data

    @extend_schema(
        summary="Readings over a span",
        parameters=[
            OpenApiParameter("metric", str),
            OpenApiParameter("from", OpenApiTypes.DATETIME),
            OpenApiParameter("to", OpenApiTypes.DATETIME),
            OpenApiParameter("resolution", str, enum=_RESOLUTIONS),
        ],
        responses=shapes.SeriesSerializer,
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None, parser_classes=[ReadingsParser])
    def readings(self, request: Request, pk: str) -> Response:
        """Raw or in steps of 5 minutes, hours or days, by the span unless asked; the last 24 h."""
        device = twin_selectors.get(int(pk))
        start, end = _span(request)
        key = request.query_params.get("metric", "")
        metric = readings_selectors.metric_of(device, key) if key else None
        resolution, found = readings_selectors.series(
            device=device,
            start=start,
            end=end,
            resolution=request.query_params.get("resolution", ""),
            metric=metric,
        )
        points = [
            {
                "metric": m.key,
                "unit": m.unit,
                "measured_at": p.at,
                "value": p.value,
                "min": p.low,
                "max": p.high,
                "n": p.n,
            }
            for m in device.model.metrics.order_by("key")
            for p in found.get(m.pk, [])
        ]
        body = {
            "resolution": resolution,
            "count": len(points),
            "next": None,
            "previous": None,
            "results": points,
        }
        return Response(shapes.SeriesSerializer(body).data)

    @extend_schema(
        summary="Send readings",
        request=shapes.ReadingInSerializer(many=True),
        responses={200: shapes.ReadingsResultSerializer},
    )
    @readings.mapping.post
    def add_readings(self, request: Request, pk: str) -> Response:
        """Store at most 10,000; each is accepted, a duplicate, or refused with a reason."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLargeError("too_large", "The request is too long; send it in parts.")
        device = twin_selectors.get(int(pk))
        if not isinstance(request.data, list):
            raise InvalidInputError("list_expected", "Send a list of readings.")
        result = record_readings(
            device=device,
            items=[ReadingIn.from_json(item) for item in request.data],
            source=ReadingSource.REST,
            said_at=_said_at(request),
        )
        return Response(shapes.ReadingsResultSerializer(result).data)

    @extend_schema(summary="The journal, newest first", responses=shapes.EventSerializer(many=True))
    @action(detail=True, methods=["get"])
    def events(self, request: Request, pk: str) -> Response:
        """What happened to the machine."""
        device = twin_selectors.get(int(pk))
        rows = TwinEvent.objects.select_related("actor").filter(device=device)
        page: Any = self.paginate_queryset(rows.order_by("-at", "-revision"))
        return self.get_paginated_response(shapes.EventSerializer(page, many=True).data)
