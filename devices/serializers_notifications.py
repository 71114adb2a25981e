"""Shapes of who is told of alerts, and of the figures about them, in REST."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from devices.models import DeliveryAttempt, Device, Notification, Subscription, Supply, Webhook
from devices.models.device_model import Severity
from devices.models.relation import SupplyKind


def _devices(**kwargs: Any) -> Any:
    return serializers.PrimaryKeyRelatedField(
        many=True, queryset=Device.objects.order_by("pk"), **kwargs
    )


class SupplySerializer(serializers.Serializer[Any]):
    """What several machines hang on."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=64)
    kind = serializers.ChoiceField(choices=SupplyKind.choices, default=SupplyKind.POWER)
    note = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)
    devices = _devices(required=False, default=list)


class DeviceRelationsSerializer(serializers.Serializer[Any]):
    """What one machine shares, and which others stand in for it: all of them, by number."""

    supplies = serializers.PrimaryKeyRelatedField(
        many=True, queryset=Supply.objects.order_by("pk"), required=False, default=list
    )
    spares = _devices(required=False, default=list)
    room = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    stands_in_for = serializers.ListField(child=serializers.IntegerField(), read_only=True)


class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    """Of what the person wants to be told, and how."""

    rooms = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=100, required=False, default=list
    )
    devices = _devices(required=False, default=list)

    class Meta:
        model = Subscription
        fields = [
            "act", "watch", "escalations", "rooms", "devices", "in_app", "email", "quiet_from",
            "quiet_to",
        ]  # fmt: skip


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    """One message to one receiver."""

    device = serializers.IntegerField(source="alert.device_id", allow_null=True, default=None)
    device_name = serializers.CharField(source="alert.device.name", allow_null=True, default=None)

    class Meta:
        model = Notification
        fields = [
            "id", "key", "alert", "device", "device_name", "news", "severity", "text", "channel",
            "receiver", "state", "created_at", "due_at", "sent_at", "tries", "read_at", "letter",
            "path", "dropped_because",
        ]  # fmt: skip


class DeliveryAttemptSerializer(serializers.ModelSerializer[DeliveryAttempt]):
    """One try."""

    class Meta:
        model = DeliveryAttempt
        fields = ["at", "outcome", "code", "took_ms", "text"]


class NotificationDetailSerializer(NotificationSerializer):
    """A message with its tries."""

    attempts = DeliveryAttemptSerializer(many=True)

    class Meta(NotificationSerializer.Meta):
        fields = [*NotificationSerializer.Meta.fields, "attempts"]


class ReadSerializer(serializers.Serializer[Any]):
    """Which lines the person has seen; left out: all."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        allow_null=True,
        default=None,
        max_length=1000,
    )


class ReadResultSerializer(serializers.Serializer[Any]):
    """How many were new."""

    read = serializers.IntegerField()


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """A program that is told; its secret is nowhere."""

    created_by = serializers.CharField(source="created_by.username", allow_null=True, default=None)

    class Meta:
        model = Webhook
        fields = [
            "id", "name", "url", "severity", "active", "created_at", "created_by", "old_until",
        ]  # fmt: skip


class NewWebhookSerializer(serializers.Serializer[Any]):
    """A program to be told."""

    name = serializers.CharField(max_length=64)
    url = serializers.CharField(max_length=500)
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.WATCH)


class ChangedWebhookSerializer(NewWebhookSerializer):
    """The same, and whether it is switched on."""

    active = serializers.BooleanField(default=True)


class MadeWebhookSerializer(WebhookSerializer):
    """With the secret, this once."""

    secret = serializers.CharField()

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class RotateWebhookSerializer(serializers.Serializer[Any]):
    """For how many hours the secret before goes on."""

    overlap_hours = serializers.IntegerField(min_value=0, max_value=90 * 24, default=7 * 24)


class SpreadSerializer(serializers.Serializer[Any]):
    """How long something took, in seconds; nearest rank."""

    n = serializers.IntegerField()
    median = serializers.FloatField(allow_null=True)
    p90 = serializers.FloatField(allow_null=True)


class ChatterSerializer(serializers.Serializer[Any]):
    """A rule on a machine, and how often it came."""

    device = serializers.IntegerField()
    device_name = serializers.CharField()
    rule = serializers.IntegerField()
    rule_name = serializers.CharField()
    times = serializers.IntegerField()


class AlertMonthSerializer(serializers.Serializer[Any]):
    """One month of the span."""

    month = serializers.DateField(source="first")
    alerts = serializers.IntegerField()
    resolved = serializers.IntegerField()
    action = serializers.IntegerField()


class AlertFiguresSerializer(serializers.Serializer[Any]):
    """The figures about our own alerts; docs/alerts.md defines each."""

    first = serializers.DateField()
    last = serializers.DateField()
    devices = serializers.IntegerField()
    alerts = serializers.IntegerField()
    recurrences = serializers.IntegerField()
    per_device_month = serializers.FloatField(allow_null=True)
    resolved = serializers.IntegerField()
    action = serializers.IntegerField()
    action_share = serializers.FloatField(allow_null=True)
    reasons = serializers.DictField(child=serializers.IntegerField())
    acknowledge = SpreadSerializer()
    resolve = SpreadSerializer()
    stale = serializers.IntegerField()
    withheld = serializers.DictField(child=serializers.IntegerField())
    chattering = ChatterSerializer(many=True)
    months = AlertMonthSerializer(many=True)
    notifications = serializers.DictField(child=serializers.IntegerField())
