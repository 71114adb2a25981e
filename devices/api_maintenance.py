"""REST of maintenance: plans and work orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.filters import OrderingFilter
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from accounts.permissions import Can

from . import selectors_maintenance as selectors
from . import serializers_maintenance as shapes
from .models import MaintenancePlan, WorkOrder
from .models.maintenance import OrderState
from .selectors_due import SHOWN_Q, Shown
from .services import orders, plans

_TOP = 2**63 - 1


def _actor(request: Request) -> User:
    """The signed-in person; the permission came first."""
    return cast("User", request.user)


def _given(shape: type[serializers.Serializer[Any]], request: Request, **kwargs: Any) -> Any:
    form = shape(data=request.data, **kwargs)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _pk_filter(name: str) -> django_filters.NumberFilter:
    return django_filters.NumberFilter(
        field_name=f"{name}_id", min_value=0, max_value=_TOP, decimal_places=0
    )


class PlanFilters(django_filters.FilterSet):
    """Plans by machine and whether they run."""

    device = _pk_filter("device")
    active = django_filters.BooleanFilter()

    class Meta:
        model = MaintenancePlan
        fields: list[str] = []


class OrderFilters(django_filters.FilterSet):
    """Orders by machine, plan, alert, person, state and due date."""

    device = _pk_filter("device")
    plan = _pk_filter("plan")
    alert = _pk_filter("alert")
    assigned_to = django_filters.CharFilter(field_name="assigned_to__username")
    state = django_filters.MultipleChoiceFilter(choices=OrderState.choices)
    shown = django_filters.ChoiceFilter(choices=Shown.choices, method="filter_shown")
    due_from = django_filters.DateFilter(field_name="due_on", lookup_expr="gte")
    due_to = django_filters.DateFilter(field_name="due_on", lookup_expr="lte")

    class Meta:
        model = WorkOrder
        fields: list[str] = []

    def filter_shown(
        self, found: QuerySet[WorkOrder], name: str, value: str
    ) -> QuerySet[WorkOrder]:
        """By the derived state."""
        return found.filter(SHOWN_Q[Shown(value)](timezone.localdate()))


class _Base(ListModelMixin, GenericViewSet[Any]):
    lookup_value_regex = r"\d{1,18}"
    filter_backends = [django_filters.rest_framework.DjangoFilterBackend, OrderingFilter]


class PlanViewSet(_Base):
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
        given = _given(shapes.NewPlanSerializer, request)
        plan = plans.create(actor=_actor(request), request=request, **given)
        return self._shown(plan, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a plan",
        request=shapes.ChangePlanSerializer(partial=True),
        responses=shapes.PlanDetailSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Work that has begun stays as it is."""
        plan = selectors.plan(int(pk))
        given = _given(shapes.ChangePlanSerializer, request, partial=True, context={"plan": plan})
        plan = plans.update(plan=plan, actor=_actor(request), request=request, **given)
        return self._shown(plan)

    @extend_schema(summary="Pause a plan", request=None, responses=shapes.PlanDetailSerializer)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: str) -> Response:
        """No more orders; those ahead that nobody touched are withdrawn."""
        plan = selectors.plan(int(pk))
        return self._shown(plans.deactivate(plan=plan, actor=_actor(request), request=request))

    @extend_schema(summary="Undo a pause", request=None, responses=shapes.PlanDetailSerializer)
    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, pk: str) -> Response:
        """Due dates from today on get their orders again."""
        plan = selectors.plan(int(pk))
        return self._shown(plans.reactivate(plan=plan, actor=_actor(request), request=request))

    def _shown(self, plan: MaintenancePlan, code: int = status.HTTP_200_OK) -> Response:
        found = selectors.plan_statuses([selectors.plan(plan.pk)], timezone.localdate())
        return Response(shapes.PlanDetailSerializer(found[0]).data, status=code)


class OrderViewSet(_Base):
    """Work orders; each step is refused with 409 `bad_transition` where the table lacks it."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "create": Can.ORDER_WORK,
        "plan": Can.MAINTENANCE_PLAN,
        "schedule": Can.ORDER_WORK,
        "start": Can.ORDER_WORK,
        "hold": Can.ORDER_WORK,
        "resume": Can.ORDER_WORK,
        "complete": Can.ORDER_WORK,
        "verify": Can.ORDER_WORK,
        "cancel": Can.ORDER_WORK,
        "assign": Can.ORDER_WORK,
        "comment": Can.ORDER_WORK,
        "checklist": Can.ORDER_WORK,
    }
    queryset = selectors.orders().order_by("-pk")
    serializer_class = shapes.OrderSerializer
    filterset_class = OrderFilters
    ordering_fields = ["id", "due_on", "state", "title", "scheduled_for", "completed_at"]

    @extend_schema(summary="One order", responses=shapes.OrderDetailSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """An order with its time line."""
        return self._shown(int(pk))

    @extend_schema(
        summary="Make an order by hand or from an alert",
        request=shapes.NewOrderSerializer,
        responses={201: shapes.OrderDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        """Planned where a planner makes it or an alert asks for it, else requested."""
        given = _given(shapes.NewOrderSerializer, request)
        alert = given.get("alert")
        if alert is not None:
            given.setdefault("device", alert.device)
            given.setdefault("title", orders.title_for(alert))
        order = orders.create(actor=_actor(request), request=request, **given)
        return self._shown(order.pk, status.HTTP_201_CREATED)

    @extend_schema(summary="Accept a request", request=None, responses=shapes.OrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def plan(self, request: Request, pk: str) -> Response:
        """Requested -> planned."""
        return self._step(orders.plan, request, pk)

    @extend_schema(
        summary="Schedule",
        request=shapes.ScheduleSerializer,
        responses=shapes.OrderDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def schedule(self, request: Request, pk: str) -> Response:
        """Planned or scheduled -> scheduled."""
        return self._step(orders.schedule, request, pk, shapes.ScheduleSerializer)

    @extend_schema(summary="Start", request=None, responses=shapes.OrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str) -> Response:
        """Planned or scheduled -> in progress."""
        return self._step(orders.start, request, pk)

    @extend_schema(
        summary="Put on hold",
        request=shapes.ReasonSerializer,
        responses=shapes.OrderDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str) -> Response:
        """In progress -> on hold, with the reason."""
        return self._step(orders.hold, request, pk, shapes.ReasonSerializer)

    @extend_schema(summary="Resume", request=None, responses=shapes.OrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """On hold -> in progress."""
        return self._step(orders.resume, request, pk)

    @extend_schema(
        summary="Complete and sign",
        request=shapes.CompletionSerializer,
        responses=shapes.OrderDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """In progress -> done: every step answered, and signed."""
        return self._step(orders.complete, request, pk, shapes.CompletionSerializer)

    @extend_schema(summary="Verify", request=None, responses=shapes.OrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, pk: str) -> Response:
        """Done -> verified, by another person than the one who completed it."""
        return self._step(orders.verify, request, pk)

    @extend_schema(
        summary="Cancel", request=shapes.ReasonSerializer, responses=shapes.OrderDetailSerializer
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Anything not done -> cancelled, with the reason."""
        return self._step(orders.cancel, request, pk, shapes.ReasonSerializer)

    @extend_schema(
        summary="Assign",
        request=shapes.AssignmentSerializer,
        responses=shapes.OrderDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """To somebody, or to nobody."""
        given = _given(shapes.AssignmentSerializer, request)
        order = selectors.order(int(pk))
        orders.assign(
            order=order, actor=_actor(request), assignee=given["assigned_to"], request=request
        )
        return self._shown(order.pk)

    @extend_schema(
        summary="Comment",
        request=shapes.OrderCommentSerializer,
        responses=shapes.OrderDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def comment(self, request: Request, pk: str) -> Response:
        """A remark on the time line."""
        return self._step(orders.comment, request, pk, shapes.OrderCommentSerializer)

    @extend_schema(
        summary="Keep answers while the work goes on",
        request=shapes.AnswersSerializer,
        responses=shapes.OrderDetailSerializer,
    )
    @action(detail=True, methods=["put"])
    def checklist(self, request: Request, pk: str) -> Response:
        """Nothing is signed by it."""
        given = _given(shapes.AnswersSerializer, request)
        order = selectors.order(int(pk))
        orders.save_checklist(
            order=order, actor=_actor(request), checklist=given.get("checklist", [])
        )
        return self._shown(order.pk)

    def _step(
        self,
        service: Callable[..., WorkOrder],
        request: Request,
        pk: str,
        shape: type[serializers.Serializer[Any]] = serializers.Serializer,
    ) -> Response:
        order = selectors.order(int(pk))
        given = _given(shape, request)
        service(order=order, actor=_actor(request), request=request, **given)
        return self._shown(order.pk)

    def _shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        found = selectors.order(pk)
        return Response(shapes.OrderDetailSerializer(found).data, status=code)
