"""REST of downtime."""

from __future__ import annotations

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Can

from . import selectors_maintenance as selectors
from . import serializers_downtimes as shapes
from .api import actor
from .api_alerts import given_by
from .api_maintenance import Base, pk_filter
from .models import Downtime
from .models.maintenance import Extent
from .serializers_downtimes import CorrectionSerializer, RemovalSerializer
from .services import downtimes


class DowntimeFilters(django_filters.FilterSet):
    """Downtime by machine and order; `open=true` is what lasts."""

    device = pk_filter("device")
    order = pk_filter("order")
    planned = django_filters.BooleanFilter()
    extent = django_filters.ChoiceFilter(choices=Extent.choices)
    open = django_filters.BooleanFilter(field_name="ends_at", lookup_expr="isnull")

    class Meta:
        model = Downtime
        fields: list[str] = []


class DowntimeViewSet(Base):
    """When machines could not be used."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "create": Can.ORDER_WORK,
        "partial_update": Can.ORDER_WORK,
        "remove": Can.ORDER_WORK,
        "end": Can.ORDER_WORK,
    }
    queryset = selectors.downtimes()
    serializer_class = shapes.DowntimeSerializer
    filterset_class = DowntimeFilters
    ordering_fields = ["starts_at", "ends_at"]

    @extend_schema(summary="One downtime", responses=shapes.DowntimeSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """The interval."""
        return Response(shapes.DowntimeSerializer(selectors.downtime(int(pk))).data)

    @extend_schema(
        summary="Record a downtime",
        request=shapes.NewDowntimeSerializer,
        responses={201: shapes.DowntimeSerializer},
    )
    def create(self, request: Request) -> Response:
        """An interval, or one that lasts; 409 `downtime_overlap` where there is one already."""
        given = given_by(shapes.NewDowntimeSerializer, request)
        made = downtimes.create(actor=actor(request), request=request, **given)
        return Response(shapes.DowntimeSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Correct a downtime",
        request=CorrectionSerializer,
        responses=shapes.DowntimeSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """What isn't named stays; `why` and what it said before go to the audit trail."""
        given = given_by(CorrectionSerializer, request)
        found = selectors.downtime(int(pk))
        names = ("starts_at", "ends_at", "reason", "planned", "extent", "order")
        said = {name: getattr(found, name) for name in names}
        corrected = downtimes.correct(
            downtime=found, actor=actor(request), request=request, **{**said, **given}
        )
        return Response(shapes.DowntimeSerializer(corrected).data)

    @extend_schema(
        summary="Take away a downtime that never was",
        request=RemovalSerializer,
        responses={204: None},
    )
    @action(detail=True, methods=["post"])
    def remove(self, request: Request, pk: str) -> Response:
        """The audit trail keeps what it said, and why it went."""
        given = given_by(RemovalSerializer, request)
        found = selectors.downtime(int(pk))
        downtimes.remove(downtime=found, actor=actor(request), request=request, **given)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="The machine is usable again",
        request=shapes.EndSerializer,
        responses=shapes.DowntimeSerializer,
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """Now, or at a time given."""
        given = given_by(shapes.EndSerializer, request)
        found = selectors.downtime(int(pk))
        ended = downtimes.end(downtime=found, actor=actor(request), request=request, **given)
        return Response(shapes.DowntimeSerializer(ended).data)
