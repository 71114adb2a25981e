"""REST of what the time axis, the comparison and the exports of machines show."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from devices import exports, moments, spans
from devices.models import Device
from devices.selectors import compare as compare_selectors
from devices.selectors import fleet as fleet_selectors
from devices.selectors import lanes as lane_selectors
from devices.selectors import twin as twin_selectors
from devices.selectors.baseline import baseline
from devices.selectors.readings import RESOLUTIONS, choose_resolution
from devices.spans import Span
from twinhealth.errors import NotFoundError

from . import serializers_axis as shapes

_SPAN = [
    OpenApiParameter("from", OpenApiTypes.DATETIME),
    OpenApiParameter("to", OpenApiTypes.DATETIME),
    OpenApiParameter("range", str, enum=list(spans.RANGES), description="up to `at` or now"),
]
_AT = OpenApiParameter("at", OpenApiTypes.DATETIME, description="as of this past moment")
_CSV = {(200, "text/csv"): OpenApiTypes.STR}


def _span(request: Request, default: str = spans.DEFAULT) -> Span:
    now = timezone.now()
    at = moments.past(request.query_params.get("at", ""), now=now)
    return spans.asked(request.query_params.dict(), now=now, at=at, default=default)


class DeviceTimelineView(APIView):
    """What happened to a machine."""

    required = {"get": Can.DEVICE_READ}

    @extend_schema(
        summary="What happened to a machine: configuration, alerts, work, journal; images counted",
        operation_id="devices_timeline",
        parameters=[*_SPAN, _AT],
        responses=shapes.DeviceTimelineSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """The lanes of the twin page, as they were at the span's end."""
        found = lane_selectors.lanes(twin_selectors.get(pk), _span(request))
        return Response(shapes.DeviceTimelineSerializer(found).data)


class DeviceBaselineView(APIView):
    """What was usual for a machine."""

    required = {"get": Can.DEVICE_READ}

    @extend_schema(
        summary="What was usual for a machine in the four weeks before a span",
        operation_id="devices_baseline",
        parameters=_SPAN,
        responses=shapes.DeviceBaselineSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """5 %, median, 95 % and n by metric and hour of the day in the hospital's zone."""
        span = _span(request)
        device = twin_selectors.get(pk)
        resolution = choose_resolution(device, span.start, span.end)
        found = baseline(device, span, resolution=resolution)
        return Response(shapes.DeviceBaselineSerializer(found.as_dict()).data)


class DeviceReadingsCsvView(APIView):
    """Readings as CSV."""

    required = {"get": Can.DEVICE_READ}

    @extend_schema(
        summary="Readings over a span as CSV: a line per time, columns with UCUM units",
        operation_id="devices_readings_csv",
        parameters=[
            *_SPAN,
            OpenApiParameter("metric", str, many=True, description="all unless told"),
            OpenApiParameter("resolution", str, enum=list(RESOLUTIONS)),
        ],
        responses=_CSV,
    )
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Raw readings are streamed without a limit."""
        return exports.readings(
            device=twin_selectors.get(pk),
            span=_span(request, "24h"),
            resolution=request.query_params.get("resolution", ""),
            keys=request.query_params.getlist("metric"),
        )


class FleetCsvView(APIView):
    """The fleet as CSV."""

    required = {"get": Can.DEVICE_READ}

    @extend_schema(
        summary="The fleet as CSV, worst first",
        operation_id="devices_export_csv",
        parameters=[
            OpenApiParameter("state", str, enum=list(fleet_selectors.STATES)),
            OpenApiParameter("location", str),
            OpenApiParameter("q", str),
            OpenApiParameter("ordering", str, enum=list(fleet_selectors.ORDERINGS)),
            _AT,
        ],
        responses=_CSV,
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """All rows under the filters."""
        asked, now = request.query_params, timezone.now()
        at = moments.past(asked.get("at", ""), now=now) or now
        found = fleet_selectors.fleet(
            at=at,
            state=asked.get("state", ""),
            room=asked.get("location", ""),
            q=asked.get("q", "")[:64],
            ordering=asked.get("ordering", "state"),
        )
        return exports.fleet(found.rows, now=at)


class DeviceCompareView(APIView):
    """Two machines, or one and its earlier self."""

    required = {"get": Can.DEVICE_READ}

    @extend_schema(
        summary="Two machines over one span, or one against the span before",
        operation_id="devices_compare",
        parameters=[
            OpenApiParameter("a", str, required=True, description="id or serial"),
            OpenApiParameter("b", str, description="id or serial; a itself, earlier, unless told"),
            *_SPAN,
        ],
        responses=shapes.DeviceComparedSerializer,
    )
    def get(self, request: Request) -> Response:
        """Medians, latest values, checks and configuration of both."""
        span = _span(request)
        a = _machine(request.query_params.get("a", ""))
        other = request.query_params.get("b", "")
        b, span_b = (_machine(other), span) if other else (a, span.earlier())
        made = compare_selectors.compare(a, b, span_a=span, span_b=span_b, now=timezone.now())
        return Response(shapes.DeviceComparedSerializer(_body(made)).data)


def _machine(text: str) -> Device:
    """The one machine that is meant.

    Raises:
        NotFoundError: `device_not_found`.
    """
    found = compare_selectors.find(text)
    if len(found) != 1:
        raise NotFoundError("device_not_found", "Say which machine by its id or serial.")
    return found[0]


def _body(made: compare_selectors.Compared) -> dict[str, Any]:
    sides = {
        name: {
            "id": side.device.pk,
            "serial": side.device.serial,
            "name": side.device.name,
            "model": str(side.device.model),
            "health": side.twin.health,
            "from": side.span.start,
            "to": side.span.end,
        }
        for name, side in (("a", made.a), ("b", made.b))
    }
    return {
        **sides,
        "resolution": made.resolution,
        "metrics": made.rows,
        "checks": made.checks,
        "configuration": made.config,
    }
