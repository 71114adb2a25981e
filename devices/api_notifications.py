"""REST of who is told of alerts: the own subscription and lines, deliveries, webhooks, figures."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.permissions import Can
from devices.models import Notification, Webhook
from devices.models.notification import Channel, SendState
from devices.selectors import alert_figures as figures
from devices.selectors import notifications as selectors
from devices.services import outbox, subscriptions, webhooks

from . import serializers_notifications as shapes
from .api import actor
from .api_alerts import days, given_by, number, one_of

_STATES, _CHANNELS = list(SendState.values), list(Channel.values)
_FROM = OpenApiParameter("from", OpenApiTypes.DATE, description="first day")
_TO = OpenApiParameter("to", OpenApiTypes.DATE, description="last day")


class SubscriptionView(APIView):
    """Of what the person wants to be told, and how."""

    required = {"get": Can.ALERT_READ, "put": Can.ALERT_READ}

    @extend_schema(summary="What I am told", responses=shapes.SubscriptionSerializer)
    def get(self, request: Request) -> Response:
        """With no channel, nothing."""
        found = subscriptions.of(actor(request))
        body = {
            name: getattr(found, name)
            for name in shapes.SubscriptionSerializer.Meta.fields
            if name != "devices"
        }
        known = [device.pk for device in found.devices.all()] if found.pk else []
        return Response({**body, "devices": known})

    @extend_schema(
        summary="Choose what I am told",
        request=shapes.SubscriptionSerializer,
        responses=shapes.SubscriptionSerializer,
    )
    def put(self, request: Request) -> Response:
        """All of it; quiet hours are by the hospital's clock."""
        given = shapes.SubscriptionSerializer(
            data=request.data, instance=subscriptions.of(actor(request))
        )
        given.is_valid(raise_exception=True)
        chosen: dict[str, Any] = {
            "act": True, "watch": True, "escalations": True, "in_app": True, "email": False,
            **given.validated_data,
        }  # fmt: skip
        subscriptions.subscribe(user=actor(request), **chosen)
        return self.get(request)


class NotificationViewSet(GenericViewSet[Notification]):
    """The person's own lines in the app."""

    required = {"list": Can.ALERT_READ, "read": Can.ALERT_READ}
    queryset = Notification.objects.none()
    serializer_class = shapes.NotificationSerializer
    filter_backends = []

    @extend_schema(
        summary="What I was told", parameters=[OpenApiParameter("unread", str, enum=["yes"])]
    )
    def list(self, request: Request) -> Response:
        """Newest first."""
        rows = selectors.lines(actor(request))
        if one_of(request, "unread", ["yes"]):
            rows = rows.filter(read_at=None)
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(shapes.NotificationSerializer(page, many=True).data)

    @extend_schema(
        summary="I have seen these",
        request=shapes.ReadSerializer,
        responses=shapes.ReadResultSerializer,
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def read(self, request: Request) -> Response:
        """Those named, or all."""
        given = given_by(shapes.ReadSerializer, request)
        return Response({"read": outbox.mark_read(user=actor(request), ids=given["ids"])})


class DeliveryViewSet(GenericViewSet[Notification]):
    """Every message to a person or program, and how it went."""

    required = {
        "list": Can.ALERT_READ,
        "retrieve": Can.ALERT_READ,
        "send_again": Can.ALERT_WORK,
    }
    queryset = Notification.objects.none()
    serializer_class = shapes.NotificationSerializer
    lookup_value_regex = r"\d{1,18}"
    filter_backends = []

    @extend_schema(
        summary="Deliveries",
        parameters=[
            OpenApiParameter("state", str, enum=_STATES),
            OpenApiParameter("channel", str, enum=_CHANNELS),
            OpenApiParameter("alert", int),
            OpenApiParameter("device", int),
            OpenApiParameter("room", str),
            _FROM,
            _TO,
        ],
    )
    def list(self, request: Request) -> Response:
        """Newest first."""
        start, end = days(request)
        chosen = selectors.DeliveryFilter(
            state=one_of(request, "state", _STATES),
            channel=one_of(request, "channel", _CHANNELS),
            alert=number(request, "alert"),
            device=number(request, "device"),
            room=request.query_params.get("room", "")[:64],
            start=start,
            end=end,
        )
        page = self.paginate_queryset(selectors.deliveries(chosen, actor(request)))
        return self.get_paginated_response(shapes.NotificationSerializer(page, many=True).data)

    @extend_schema(
        summary="One delivery with its tries", responses=shapes.NotificationDetailSerializer
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """With what each try came to."""
        return Response(
            shapes.NotificationDetailSerializer(outbox.get(int(pk), actor(request))).data
        )

    @extend_schema(
        summary="Send one again that was given up",
        request=None,
        responses=shapes.NotificationDetailSerializer,
    )
    @action(detail=True, methods=["post"], url_path="send-again")
    def send_again(self, request: Request, pk: str) -> Response:
        """Dead -> queued."""
        found = outbox.send_again(
            notification=outbox.get(int(pk), actor(request)),
            actor=actor(request),
            request=request,
        )
        return Response(shapes.NotificationDetailSerializer(found).data)


def _made(hook: Webhook, secret: str, code: int) -> Response:
    body = {**shapes.WebhookSerializer(hook).data, "secret": secret}
    response = Response(body, status=code)
    response.headers["Cache-Control"] = "no-store"
    return response


class WebhookViewSet(GenericViewSet[Webhook]):
    """Programs that are told of alerts."""

    required = Can.WEBHOOK_ADMIN
    queryset = Webhook.objects.none()
    serializer_class = shapes.WebhookSerializer
    lookup_value_regex = r"\d{1,18}"
    filter_backends = []

    @extend_schema(summary="Webhooks, never their secret")
    def list(self, request: Request) -> Response:
        """By name, those switched off too."""
        page = self.paginate_queryset(selectors.webhooks())
        return self.get_paginated_response(shapes.WebhookSerializer(page, many=True).data)

    @extend_schema(
        summary="Make a webhook; the answer shows its secret once",
        request=shapes.NewWebhookSerializer,
        responses={201: shapes.MadeWebhookSerializer},
    )
    def create(self, request: Request) -> Response:
        """To an https address."""
        given = given_by(shapes.NewWebhookSerializer, request)
        hook, secret = webhooks.create(actor=actor(request), request=request, **given)
        return _made(hook, secret, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a webhook, or switch it off", request=shapes.ChangedWebhookSerializer
    )
    def update(self, request: Request, pk: str) -> Response:
        """All of it but the secret."""
        hook = webhooks.get(int(pk))
        given = given_by(shapes.ChangedWebhookSerializer, request)
        changed = webhooks.change(webhook=hook, actor=actor(request), request=request, **given)
        return Response(shapes.WebhookSerializer(changed).data)

    @extend_schema(
        summary="Send a test; how it went is in the delivery of that number",
        request=None,
        responses={202: shapes.NotificationDetailSerializer},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Signed as any message, tried once, also while the webhook is off."""
        row = outbox.send_test(webhook=webhooks.get(int(pk)), actor=actor(request), request=request)
        body = shapes.NotificationDetailSerializer(outbox.get(row.pk)).data
        return Response(body, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="A new secret, shown once; the one before signs beside it for a while",
        request=shapes.RotateWebhookSerializer,
        responses=shapes.MadeWebhookSerializer,
    )
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Seven days unless told."""
        hook = webhooks.get(int(pk))
        given = given_by(shapes.RotateWebhookSerializer, request)
        overlap = timedelta(hours=given["overlap_hours"])
        changed, secret = webhooks.rotate(
            webhook=hook, actor=actor(request), overlap=overlap, request=request
        )
        return _made(changed, secret, status.HTTP_200_OK)


class AlertFiguresView(APIView):
    """The figures about our own alerts."""

    required = {"get": Can.ALERT_READ}

    @extend_schema(
        summary="How often machines ask, whether it was needed, how long it took",
        parameters=[_FROM, _TO, OpenApiParameter("room", str), OpenApiParameter("device", int)],
        responses=shapes.AlertFiguresSerializer,
    )
    def get(self, request: Request) -> Response:
        """Of alerts that opened in the span; the last 90 days unless told."""
        asked = request.query_params
        start, last = (figures.day(asked.get(name, ""), name) for name in ("from", "to"))
        found = figures.page(
            figures.span_of(start, last, now=timezone.now()),
            now=timezone.now(),
            room=asked.get("room", "")[:64],
            device=number(request, "device"),
        )
        body = {
            **asdict(found.figures),
            "action_share": found.figures.action_share,
            "first": found.span.start,
            "last": found.span.last,
            "devices": found.devices,
            "chattering": [
                {**asdict(one), "device_name": machine, "rule_name": rule}
                for one, machine, rule in found.chattering
            ],
            "notifications": found.notifications,
        }
        return Response(shapes.AlertFiguresSerializer(body).data)
