"""REST of recalls and their candidates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Can
from devices.api import actor
from devices.api_alerts import given_by
from devices.api_maintenance import Base, pk_filter
from devices.serializers_orders import OrderSerializer

from . import selectors
from . import serializers as shapes
from .models import CandidateState, Recall, RecallCandidate, Severity, Sureness
from .services import recalls


class RecallFilters(django_filters.FilterSet):
    """By severity."""

    severity = django_filters.ChoiceFilter(choices=Severity.choices)

    class Meta:
        model = Recall
        fields: list[str] = []


class RecallViewSet(Base):
    """Notices; they come as a list, by `inventory-imports/`."""

    required = {"list": Can.MAINTENANCE_READ, "retrieve": Can.MAINTENANCE_READ}
    queryset = selectors.recalls()
    serializer_class = shapes.RecallSerializer
    filterset_class = RecallFilters
    ordering_fields = ["reference", "issued_on"]

    @extend_schema(summary="One recall", responses=shapes.RecallSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """With what waits at it."""
        found = selectors.one(selectors.recalls(), int(pk), "recall_not_found")
        return Response(shapes.RecallSerializer(found).data)


class CandidateFilters(django_filters.FilterSet):
    """By recall, machine, state and how sure it is."""

    recall = pk_filter("recall")
    device = pk_filter("device")
    state = django_filters.ChoiceFilter(choices=CandidateState.choices)
    sureness = django_filters.ChoiceFilter(choices=Sureness.choices)

    class Meta:
        model = RecallCandidate
        fields: list[str] = []


class RecallCandidateViewSet(Base):
    """Machines that a notice may concern; those to decide first."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "confirm": Can.ORDER_WORK,
        "reject": Can.ORDER_WORK,
        "reopen": Can.ORDER_WORK,
        "order": Can.ORDER_WORK,
    }
    queryset = selectors.candidates()
    serializer_class = shapes.RecallCandidateSerializer
    filterset_class = CandidateFilters
    ordering_fields = ["found_at", "decided_at"]

    @extend_schema(summary="One candidate", responses=shapes.RecallCandidateDetailSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """With its history."""
        return self._shown(int(pk))

    @extend_schema(
        summary="It concerns this machine",
        request=shapes.InventoryReasonSerializer,
        responses=shapes.RecallCandidateDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Open -> confirmed."""
        return self._step(recalls.confirm, request, pk)

    @extend_schema(
        summary="It doesn't concern this machine",
        request=shapes.InventoryReasonSerializer,
        responses=shapes.RecallCandidateDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Open -> rejected, with the reason."""
        return self._step(recalls.reject, request, pk)

    @extend_schema(
        summary="Decide again",
        request=shapes.InventoryReasonSerializer,
        responses=shapes.RecallCandidateDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Confirmed without an order, or rejected -> open."""
        return self._step(recalls.reopen, request, pk)

    @extend_schema(
        summary="Make the work order of a confirmed one",
        request=None,
        responses={201: OrderSerializer},
    )
    @action(detail=True, methods=["post"])
    def order(self, request: Request, pk: str) -> Response:
        """It stays to do until that order is done."""
        found = self._one(int(pk))
        made = recalls.make_order(candidate=found, actor=actor(request), request=request)
        return Response(OrderSerializer(made).data, status=status.HTTP_201_CREATED)

    def _one(self, pk: int) -> RecallCandidate:
        found = selectors.candidates().prefetch_related("steps__by")
        return selectors.one(found, pk, "candidate_not_found")

    def _step(self, service: Callable[..., Any], request: Request, pk: str) -> Response:
        found = self._one(int(pk))
        given = given_by(shapes.InventoryReasonSerializer, request)
        service(candidate=found, actor=actor(request), request=request, **given)
        return self._shown(found.pk)

    def _shown(self, pk: int) -> Response:
        return Response(shapes.RecallCandidateDetailSerializer(self._one(pk)).data)
