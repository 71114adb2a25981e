"""REST of the figures and of covered hours."""

from __future__ import annotations

from typing import Any, cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from devices.selectors import twin

from . import cover
from . import selectors_figures as selectors
from .models import CoveredHours
from .services import covered_hours
from .views_figures import asked


class FigureSumsSerializer(serializers.Serializer[Any]):
    """Figures with what they are made of; null: not enough data."""

    devices = serializers.IntegerField()
    covered_hours = serializers.FloatField()
    uptime_percent = serializers.FloatField(allow_null=True)
    unplanned_hours = serializers.FloatField(allow_null=True)
    partial_hours = serializers.FloatField(allow_null=True)
    failures = serializers.IntegerField()
    mtbf_hours = serializers.FloatField(allow_null=True)
    restored = serializers.IntegerField()
    mttr_hours = serializers.FloatField(allow_null=True)
    due = serializers.IntegerField()
    on_time = serializers.IntegerField()
    on_time_percent = serializers.FloatField(allow_null=True)


class FigureGroupSerializer(serializers.Serializer[Any]):
    """One machine, room or model."""

    key = serializers.CharField()
    name = serializers.CharField()
    figures = FigureSumsSerializer(source="sums")


class MaintenanceFiguresSerializer(serializers.Serializer[Any]):
    """The figures of all machines chosen, and of each group."""

    start = serializers.DateField(source="span.start")
    last = serializers.DateField(source="span.last")
    total = FigureSumsSerializer()
    groups = FigureGroupSerializer(many=True)


class MaintenanceFiguresView(APIView):
    """Uptime, MTBF, MTTR, planned work in time."""

    required = {"get": Can.MAINTENANCE_READ}

    @extend_schema(
        summary="Uptime, MTBF, MTTR and planned work in time, of a period",
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATE, description="first day; 90 days unless"),
            OpenApiParameter("to", OpenApiTypes.DATE, description="last day; today unless given"),
            OpenApiParameter("by", str, enum=list(selectors.GROUPS)),
            OpenApiParameter("machine", int),
            OpenApiParameter("room", str),
            OpenApiParameter("model", int),
        ],
        responses=MaintenanceFiguresSerializer,
    )
    def get(self, request: Request) -> Response:
        """Definitions stand on the page and in docs/maintenance.md."""
        span, chosen, by = asked(request.query_params)
        found = selectors.page(span, chosen, by=by, now=timezone.now())
        return Response(MaintenanceFiguresSerializer(found).data)


class CoveredHoursSerializer(serializers.Serializer[Any]):
    """A week: seven texts, Monday first, such as `07:00-12:00, 13:00-18:00`."""

    week = serializers.ListField(
        child=serializers.CharField(allow_blank=True, max_length=200), min_length=7, max_length=7
    )
    own = serializers.BooleanField(read_only=True)


def _week(pk: int | None) -> Response:
    rows = {each.device_id: each.week for each in CoveredHours.objects.filter(device=pk)}
    if pk is not None and pk not in rows:
        default = CoveredHours.objects.filter(device=None).first()
        return Response(
            {"week": cover.lines(default.week if default else cover.ALWAYS), "own": False}
        )
    week = rows.get(pk, cover.ALWAYS)
    return Response({"week": cover.lines(week), "own": pk in rows})


def _given(request: Request) -> list[str]:
    form = CoveredHoursSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    return list(form.validated_data["week"])


class HospitalHoursView(APIView):
    """When machines are needed, unless one has hours of its own."""

    required = {"get": Can.MAINTENANCE_READ, "put": Can.MAINTENANCE_PLAN}

    @extend_schema(summary="The hospital's covered hours", responses=CoveredHoursSerializer)
    def get(self, request: Request) -> Response:
        """Every hour unless somebody said otherwise."""
        return _week(None)

    @extend_schema(
        summary="Set the hospital's covered hours",
        request=CoveredHoursSerializer,
        responses=CoveredHoursSerializer,
    )
    def put(self, request: Request) -> Response:
        """They hold for past periods as well."""
        actor = cast("User", request.user)
        covered_hours.put(actor=actor, device=None, lines=_given(request), request=request)
        return _week(None)


class MachineHoursView(APIView):
    """When one machine is needed."""

    required = {
        "get": Can.MAINTENANCE_READ,
        "put": Can.MAINTENANCE_PLAN,
        "delete": Can.MAINTENANCE_PLAN,
    }

    @extend_schema(summary="A machine's covered hours", responses=CoveredHoursSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Its own, or the hospital's."""
        return _week(twin.get(pk).pk)

    @extend_schema(
        summary="Give a machine hours of its own",
        request=CoveredHoursSerializer,
        responses=CoveredHoursSerializer,
    )
    def put(self, request: Request, pk: int) -> Response:
        """They hold for past periods as well."""
        actor, device = cast("User", request.user), twin.get(pk)
        covered_hours.put(actor=actor, device=device, lines=_given(request), request=request)
        return _week(pk)

    @extend_schema(summary="Follow the hospital's hours again", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Answers 204 also where it followed them already."""
        actor, device = cast("User", request.user), twin.get(pk)
        covered_hours.clear(actor=actor, device=device, request=request)
        return Response(status=204)
