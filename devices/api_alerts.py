"""REST of alerts and of the inbox of unknown machines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from accounts.permissions import Can
from devices.models import Alert, AlertState, InboxEntry
from devices.models.alert import ResolveReason, Withheld
from devices.models.device_model import Severity
from devices.models.inbox import InboxState
from devices.selectors import alert_figures as figures
from devices.selectors import alerts as selectors
from devices.selectors import twin as twin_selectors
from devices.services import alerts, inbox
from twinhealth.errors import InvalidInputError

from . import serializers_alerts as shapes
from .api import actor, model_given
from .serializers import RegisterSerializer

# named here because `list` means a method inside the classes
_REASONS = ["action", *ResolveReason.values]
_WITHHELD = [value for value in Withheld.values if value]
_ORDERINGS = [sign + name for sign in ("", "-") for name in selectors.ORDERINGS]


def given_by(
    shape: type[serializers.Serializer[Any]], request: Request, **options: Any
) -> dict[str, Any]:
    """The body by its shape; the shape's own options (`partial`, `context`) go on to it."""
    found = shape(data=request.data, **options)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def number(request: Request, name: str) -> int | None:
    """A filter's number; `None` where it isn't given."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not text.isdecimal():
        raise InvalidInputError("invalid", f"{name} must be a number.")
    return int(text[:18])


def one_of(request: Request, name: str, known: Sequence[str]) -> str:
    """A filter's value; a mistyped one must not give the whole list."""
    text = request.query_params.get(name, "")
    if text and text not in known:
        raise InvalidInputError(
            "invalid", f"{name} must be one of {', '.join(known)}.", known=list(known)
        )
    return text


def days(request: Request) -> tuple[datetime | None, datetime | None]:
    """`?from=&to=` as moments, both days included; `None` where neither is given."""
    asked = request.query_params
    start, last = (figures.day(asked.get(name, ""), name) for name in ("from", "to"))
    if start is None and last is None:
        return None, None
    return figures.span_of(start, last, now=timezone.now()).moments


def _further(request: Request) -> dict[str, Any]:
    """Filters beside state, severity and device."""
    who = one_of(request, "assigned_to", ["me", "nobody"])
    start, end = days(request)
    return {
        "mine": actor(request).pk if who == "me" else None,
        "unassigned": who == "nobody",
        "muted": one_of(request, "muted", ["yes"]) == "yes",
        "grouped": one_of(request, "grouped", ["yes"]) == "yes",
        "group": number(request, "incident"),
        "room": request.query_params.get("room", "")[:64],
        "rule": number(request, "rule"),
        "reason": one_of(request, "reason", _REASONS),
        "withheld": one_of(request, "withheld", _WITHHELD),
        "acknowledged": one_of(request, "acknowledged", ["yes"]) == "yes",
        "stale": one_of(request, "stale", ["yes"]) == "yes",
        "start": start,
        "end": end,
    }


class AlertViewSet(GenericViewSet[Alert]):
    """Device-failure alerts, most urgent first."""

    required = {
        "list": Can.ALERT_READ,
        "retrieve": Can.ALERT_READ,
        "acknowledge": Can.ALERT_WORK,
        "acknowledge_many": Can.ALERT_WORK,
        "resolve": Can.ALERT_WORK,
        "snooze": Can.ALERT_WORK,
        "assign": Can.ALERT_WORK,
        "comment": Can.ALERT_WORK,
    }
    queryset = Alert.objects.none()
    serializer_class = shapes.AlertSerializer
    lookup_value_regex = r"\d{1,18}"
    filter_backends = []

    @extend_schema(
        summary="Alerts",
        parameters=[
            OpenApiParameter("state", str, enum=[*AlertState.values, "unresolved"]),
            OpenApiParameter("severity", str, enum=Severity.values),
            OpenApiParameter("device", int),
            OpenApiParameter("assigned_to", str, enum=["me", "nobody"]),
            OpenApiParameter("muted", str, enum=["yes"], description="in maintenance, not told"),
            OpenApiParameter("grouped", str, enum=["yes"], description="of incidents that go on"),
            OpenApiParameter("incident", int, description="of this one, its head included"),
            OpenApiParameter("room", str),
            OpenApiParameter("rule", int),
            OpenApiParameter("reason", str, enum=_REASONS, description="action: needed hands"),
            OpenApiParameter("withheld", str, enum=_WITHHELD, description="how it opened"),
            OpenApiParameter("acknowledged", str, enum=["yes"], description="by anybody, ever"),
            OpenApiParameter("stale", str, enum=["yes"], description="lasted over 24 h"),
            OpenApiParameter("from", OpenApiTypes.DATE, description="opened on this day or later"),
            OpenApiParameter("to", OpenApiTypes.DATE, description="opened on this day or before"),
            OpenApiParameter("ordering", str, enum=_ORDERINGS),
        ],
    )
    def list(self, request: Request) -> Response:
        """Alerts, most urgent first unless told otherwise."""
        chosen = selectors.AlertFilter(
            state=one_of(request, "state", [*AlertState.values, "unresolved"]),
            severity=one_of(request, "severity", Severity.values),
            device=number(request, "device"),
            **_further(request),
        )
        ordering = one_of(request, "ordering", _ORDERINGS)
        rows = selectors.alerts(chosen, now=timezone.now(), ordering=ordering)
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(shapes.AlertSerializer(page, many=True).data)

    @extend_schema(summary="One alert with its story", responses=shapes.AlertDetailSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One alert."""
        return self._answer(alerts.get(int(pk)))

    def _answer(self, alert: Alert) -> Response:
        return Response(shapes.AlertDetailSerializer(alert).data)

    @extend_schema(
        summary="Somebody looks after it", request=None, responses=shapes.AlertDetailSerializer
    )
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Open -> acknowledged."""
        found = alerts.get(int(pk))
        return self._answer(alerts.acknowledge(alert=found, actor=actor(request), request=request))

    @extend_schema(
        summary="Somebody looks after these",
        operation_id="alerts_acknowledge_many",
        request=shapes.AcknowledgeManySerializer,
        responses=shapes.AcknowledgedSerializer,
    )
    @action(detail=False, methods=["post"], url_path="acknowledge", pagination_class=None)
    def acknowledge_many(self, request: Request) -> Response:
        """At most 500; those that aren't open stay as they are."""
        given = given_by(shapes.AcknowledgeManySerializer, request)
        done = alerts.acknowledge_many(
            alert_ids=given["ids"], actor=actor(request), request=request
        )
        return Response({"acknowledged": [alert.pk for alert in done]})

    @extend_schema(
        summary="It is over, and why",
        request=shapes.ResolveSerializer,
        responses=shapes.AlertDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """Open or acknowledged -> resolved."""
        found, given = alerts.get(int(pk)), given_by(shapes.ResolveSerializer, request)
        return self._answer(
            alerts.resolve(alert=found, actor=actor(request), request=request, **given)
        )

    @extend_schema(
        summary="Out of the way for a while",
        request=shapes.SnoozeSerializer,
        responses=shapes.AlertDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """At most 30 days."""
        found, given = alerts.get(int(pk)), given_by(shapes.SnoozeSerializer, request)
        return self._answer(
            alerts.snooze(alert=found, actor=actor(request), request=request, **given)
        )

    @extend_schema(
        summary="Give it to somebody",
        request=shapes.AssignSerializer,
        responses=shapes.AlertDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """By username; `null` takes it away."""
        found, given = alerts.get(int(pk)), given_by(shapes.AssignSerializer, request)
        name, assignee = given["assignee"], None
        if name is not None:
            assignee = User.objects.filter(username=name, is_active=True).first()
            if assignee is None:
                raise InvalidInputError("unknown_user", "There is no such user.")
        return self._answer(
            alerts.assign(alert=found, actor=actor(request), assignee=assignee, request=request)
        )

    @extend_schema(
        summary="Add a remark",
        request=shapes.CommentSerializer,
        responses=shapes.AlertDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def comment(self, request: Request, pk: str) -> Response:
        """In any state."""
        found, given = alerts.get(int(pk)), given_by(shapes.CommentSerializer, request)
        return self._answer(
            alerts.comment(alert=found, actor=actor(request), request=request, **given)
        )


class InboxViewSet(GenericViewSet[InboxEntry]):
    """Machines that images name and nobody registered; a person decides."""

    required = Can.DEVICE_WRITE
    queryset = InboxEntry.objects.none()
    serializer_class = shapes.InboxSerializer
    lookup_value_regex = r"\d{1,18}"
    filter_backends = []

    @extend_schema(
        summary="Machines that wait",
        parameters=[OpenApiParameter("state", str, enum=[*InboxState.values, "all"])],
    )
    def list(self, request: Request) -> Response:
        """Open ones unless a state is asked for."""
        rows = selectors.inbox(request.query_params.get("state", InboxState.OPEN))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(shapes.InboxSerializer(page, many=True).data)

    @extend_schema(summary="One entry")
    def retrieve(self, request: Request, pk: str) -> Response:
        """One entry."""
        return Response(shapes.InboxSerializer(inbox.get(int(pk))).data)

    @extend_schema(
        summary="It is a new machine",
        request=RegisterSerializer,
        responses={201: shapes.InboxSerializer},
    )
    @action(detail=True, methods=["post"])
    @transaction.atomic
    def register(self, request: Request, pk: str) -> Response:
        """Register it; its waiting images are linked soon after."""
        entry, given = inbox.get(int(pk)), given_by(RegisterSerializer, request)
        model = model_given(given.pop("model"), request)
        inbox.register(entry=entry, actor=actor(request), model=model, request=request, **given)
        body = shapes.InboxSerializer(inbox.get(entry.pk)).data
        return Response(body, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="It is a known machine",
        request=shapes.AliasSerializer,
        responses=shapes.InboxSerializer,
    )
    @action(detail=True, methods=["post"])
    def alias(self, request: Request, pk: str) -> Response:
        """Confirm the name as an alias."""
        entry, given = inbox.get(int(pk)), given_by(shapes.AliasSerializer, request)
        device = twin_selectors.get(given["device"])
        inbox.alias(entry=entry, actor=actor(request), device=device, request=request)
        return Response(shapes.InboxSerializer(inbox.get(entry.pk)).data)

    @extend_schema(summary="It isn't ours", request=None, responses=shapes.InboxSerializer)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str) -> Response:
        """Dismiss it; its images stay."""
        found = inbox.dismiss(entry=inbox.get(int(pk)), actor=actor(request), request=request)
        return Response(shapes.InboxSerializer(found).data)
