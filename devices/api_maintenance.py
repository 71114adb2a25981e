"""REST of maintenance: plans; work orders stand in `api_orders`, downtime in `api_downtimes`."""

from __future__ import annotations

from typing import Any

import django_filters
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.filters import OrderingFilter
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.permissions import Can

from . import selectors_plans as selectors
from . import serializers_plans as shapes
from .api import actor
from .api_alerts import given_by
from .fields import LARGEST_ID
from .models import MaintenancePlan
from .services import plans


def pk_filter(name: str) -> django_filters.NumberFilter:
    """By the number of a row that it points to, or of one of them."""
    return django_filters.NumberFilter(
        field_name=name, min_value=0, max_value=LARGEST_ID, decimal_places=0
    )


class PlanFilters(django_filters.FilterSet):
    """Plans by machine and whether they run."""

    device = pk_filter("device")
    active = django_filters.BooleanFilter()

    class Meta:
        model = MaintenancePlan
        fields: list[str] = []


class Base(ListModelMixin, GenericViewSet[Any]):
    """Lists with filters and orderings."""

    lookup_value_regex = r"\d{1,18}"
    filter_backends = [django_filters.rest_framework.DjangoFilterBackend, OrderingFilter]


class PlanViewSet(Base):
    """Maintenance plans with what is due of each next."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "create": Can.MAINTENANCE_PLAN,
        "partial_update": Can.MAINTENANCE_PLAN,
        "deactivate": Can.MAINTENANCE_PLAN,
        "reactivate": Can.MAINTENANCE_PLAN,
    }
    queryset = selectors.plans()
    serializer_class = shapes.PlanSerializer
    filterset_class = PlanFilters
    ordering_fields = ["title", "starts_on", "next_due_on", "created_at"]

    @extend_schema(summary="Plans", responses=shapes.PlanSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Those that run first, soonest due first."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        found = selectors.plan_statuses(page, timezone.localdate())
        return self.get_paginated_response(shapes.PlanSerializer(found, many=True).data)

    @extend_schema(summary="One plan", responses=shapes.PlanDetailSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """A plan with its next days."""
        return self._shown(selectors.plan(int(pk)))

    @extend_schema(
        summary="Make a plan",
        request=shapes.NewPlanSerializer,
        responses={201: shapes.PlanDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        """A plan; orders due within its lead are made at once."""
        given = given_by(shapes.NewPlanSerializer, request)
        plan = plans.create(actor=actor(request), request=request, **given)
        return self._shown(plan, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a plan",
        request=shapes.ChangePlanSerializer(partial=True),
        responses=shapes.PlanDetailSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Work that has begun stays as it is."""
        plan = selectors.plan(int(pk))
        given = given_by(shapes.ChangePlanSerializer, request, partial=True, context={"plan": plan})
        plan = plans.update(plan=plan, actor=actor(request), request=request, **given)
        return self._shown(plan)

    @extend_schema(summary="Pause a plan", request=None, responses=shapes.PlanDetailSerializer)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: str) -> Response:
        """No more orders; those ahead that nobody touched are withdrawn."""
        plan = selectors.plan(int(pk))
        return self._shown(plans.deactivate(plan=plan, actor=actor(request), request=request))

    @extend_schema(summary="Undo a pause", request=None, responses=shapes.PlanDetailSerializer)
    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, pk: str) -> Response:
        """Due dates from today on get their orders again."""
        plan = selectors.plan(int(pk))
        return self._shown(plans.reactivate(plan=plan, actor=actor(request), request=request))

    def _shown(self, plan: MaintenancePlan, code: int = status.HTTP_200_OK) -> Response:
        found = selectors.plan_statuses([selectors.plan(plan.pk)], timezone.localdate())
        return Response(shapes.PlanDetailSerializer(found[0]).data, status=code)
