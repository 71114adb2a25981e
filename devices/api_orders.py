"""REST of work orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Can

from . import selectors_maintenance as selectors
from . import serializers_orders as shapes
from .api import actor
from .api_alerts import given_by
from .api_maintenance import Base, pk_filter
from .api_order_answers import (
    asked_revision,
    by_if_match,
    check_person,
    etag,
    photo_sent,
    send,
)
from .models import WorkOrder
from .models.maintenance import OrderState
from .selectors_due import SHOWN_Q, Shown
from .services import order_costs, order_files, orders
from .views_order_files import as_response


class OrderFilters(django_filters.FilterSet):
    """Orders by machine, plan, alert, person, state and due date."""

    device = pk_filter("device")
    plan = pk_filter("plan")
    alert = pk_filter("alert")
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


class OrderViewSet(Base):
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
        "answers": Can.ORDER_WORK,
        "files": Can.ORDER_WORK,
        "file": Can.MAINTENANCE_READ,
        "labour": Can.ORDER_WORK,
        "costs": Can.ORDER_WORK,
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
        given = given_by(shapes.NewOrderSerializer, request)
        alert = given.get("alert")
        if alert is not None:
            given.setdefault("device", alert.device)
            given.setdefault("title", orders.title_for(alert))
        order = orders.create(actor=actor(request), request=request, **given)
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

    @extend_schema(
        summary="Start",
        request=shapes.OverrideSerializer,
        responses=shapes.OrderDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str) -> Response:
        """Planned or scheduled -> in progress; 409 `skills_missing` unless an admin overrides."""
        return self._step(orders.start, request, pk, shapes.OverrideSerializer)

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
        """In progress -> done: every step answered, and signed; `If-Match` or `revision`."""
        given = given_by(shapes.CompletionSerializer, request)
        given["revision"] = asked_revision(request, given)
        order = selectors.order(int(pk))
        with by_if_match(request):
            orders.complete(order=order, actor=actor(request), request=request, **given)
        return self._shown(order.pk)

    @extend_schema(summary="Verify", request=None, responses=shapes.OrderDetailSerializer)
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, pk: str) -> Response:
        """Done -> verified, by a person who neither completed it nor worked on it."""
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
        """To somebody, or to nobody; 409 `skills_missing` unless an admin overrides."""
        given = given_by(shapes.AssignmentSerializer, request)
        order = selectors.order(int(pk))
        who = given.pop("assigned_to")
        orders.assign(order=order, actor=actor(request), assignee=who, request=request, **given)
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
        """Nothing is signed by it; `If-Match` or `revision` refuse a changed order."""
        given = given_by(shapes.AnswersSerializer, request)
        order = selectors.order(int(pk))
        with by_if_match(request):
            orders.save_checklist(
                order=order,
                actor=actor(request),
                revision=asked_revision(request, given),
                checklist=given.get("checklist", []),
            )
        return self._shown(order.pk)

    @extend_schema(
        summary="Send answers that were kept until there was network",
        request=shapes.SentAnswersSerializer,
        responses=shapes.KeptAnswersSerializer,
    )
    @action(detail=True, methods=["post"])
    def answers(self, request: Request, pk: str) -> Response:
        """Once per key; 409 `order_changed` with both sides where somebody else changed them."""
        given = given_by(shapes.SentAnswersSerializer, request)
        return send(request, selectors.order(int(pk)), given)

    @extend_schema(
        summary="Send a document, or the photo that a step asks for",
        request={"multipart/form-data": shapes.NewOrderFileSerializer},
        responses={201: shapes.KeptFileSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def files(self, request: Request, pk: str) -> Response:
        """PDF, JPEG or PNG; `step` is the place of a photo's step, from 0."""
        given = given_by(shapes.NewOrderFileSerializer, request)
        check_person(request, given)
        made = order_files.attach(
            order=selectors.order(int(pk)),
            actor=actor(request),
            source=given["file"],
            filename=given["file"].name or "",
            step=given.get("step"),
            sent=photo_sent(given),
            request=request,
        )
        return Response(shapes.KeptFileSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="One file of an order", responses={(200, "application/octet-stream"): bytes}
    )
    @action(detail=True, methods=["get"], url_path=r"files/(?P<file>\d{1,18})")
    def file(self, request: Request, pk: str, file: str) -> HttpResponseBase:
        """Its bytes."""
        return as_response(order_files.get(selectors.order(int(pk)), int(file)))

    @extend_schema(
        summary="Book minutes of a person",
        request=shapes.LabourSerializer,
        responses={201: shapes.OrderDetailSerializer},
    )
    @action(detail=True, methods=["post"])
    def labour(self, request: Request, pk: str) -> Response:
        """Of who asks, unless `person` says otherwise."""
        return self._booked(order_costs.add_labour, request, pk, shapes.LabourSerializer)

    @extend_schema(
        summary="Book a cost",
        request=shapes.CostSerializer,
        responses={201: shapes.OrderDetailSerializer},
    )
    @action(detail=True, methods=["post"])
    def costs(self, request: Request, pk: str) -> Response:
        """A credit is negative; nothing is deleted."""
        return self._booked(order_costs.add_cost, request, pk, shapes.CostSerializer)

    def _booked(
        self,
        service: Callable[..., object],
        request: Request,
        pk: str,
        shape: type[serializers.Serializer[Any]],
    ) -> Response:
        order = selectors.order(int(pk))
        given = given_by(shape, request)
        service(order=order, actor=actor(request), request=request, **given)
        return self._shown(order.pk, status.HTTP_201_CREATED)

    def _step(
        self,
        service: Callable[..., WorkOrder],
        request: Request,
        pk: str,
        shape: type[serializers.Serializer[Any]] = serializers.Serializer,
    ) -> Response:
        order = selectors.order(int(pk))
        given = given_by(shape, request)
        service(order=order, actor=actor(request), request=request, **given)
        return self._shown(order.pk)

    def _shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        found = selectors.order(pk)
        body = shapes.OrderDetailSerializer(found).data
        return Response(body, status=code, headers={"ETag": etag(found)})
