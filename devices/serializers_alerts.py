"""Shapes of alerts and of the inbox in REST."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from devices.models import Alert, AlertNote, InboxEntry
from devices.models.alert import ResolveReason
from devices.selectors import evidence


class NoteSerializer(serializers.ModelSerializer[AlertNote]):
    """One line of an alert's story."""

    by = serializers.CharField(source="by.username", allow_null=True, default=None)

    class Meta:
        model = AlertNote
        fields = ["at", "by", "verb", "text"]


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """A device-failure alert; `group` is the incident with whose head it was told."""

    device = serializers.IntegerField(source="device_id")
    device_name = serializers.CharField(source="device.name")
    rule = serializers.CharField(source="rule.name")
    metric = serializers.CharField(source="rule.metric.key", allow_null=True, default=None)
    unit = serializers.CharField(source="rule.metric.unit", allow_null=True, default=None)
    acknowledged_by = serializers.CharField(
        source="acknowledged_by.username", allow_null=True, default=None
    )
    assigned_to = serializers.CharField(
        source="assigned_to.username", allow_null=True, default=None
    )
    resolved_by = serializers.CharField(
        source="resolved_by.username", allow_null=True, default=None
    )

    class Meta:
        model = Alert
        fields = [
            "id",
            "device",
            "device_name",
            "rule",
            "metric",
            "unit",
            "state",
            "severity",
            "message",
            "value",
            "since",
            "opened_at",
            "last_seen_at",
            "recurrences",
            "acknowledged_at",
            "acknowledged_by",
            "assigned_to",
            "snoozed_until",
            "cleared_at",
            "resolved_at",
            "resolved_by",
            "resolve_reason",
            "group",
            "news_at",
            "told",
            "withheld",
            "opened_withheld",
            "escalated_at",
        ]


class EvidenceSerializer(serializers.Serializer[Any]):
    """What done work on an alert still lacks before the alert is resolved by it."""

    order = serializers.IntegerField()
    needed = serializers.IntegerField()
    good = serializers.IntegerField()
    by = serializers.DateTimeField()
    missing = serializers.CharField()


class AlertDetailSerializer(AlertSerializer):
    """An alert with its story."""

    notes = NoteSerializer(many=True)
    evidence = serializers.SerializerMethodField()

    class Meta(AlertSerializer.Meta):
        fields = [*AlertSerializer.Meta.fields, "notes", "evidence"]

    @extend_schema_field(EvidenceSerializer(allow_null=True))
    def get_evidence(self, alert: Alert) -> dict[str, Any] | None:
        """Null where nothing is waited for."""
        found = evidence.of_alert(alert, timezone.now())
        return dict(EvidenceSerializer(found.as_json()).data) if found else None


class ResolveSerializer(serializers.Serializer[Any]):
    """Why it is over."""

    reason = serializers.ChoiceField(choices=ResolveReason.choices)
    text = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


class SnoozeSerializer(serializers.Serializer[Any]):
    """Until when."""

    until = serializers.DateTimeField()


class AcknowledgeManySerializer(serializers.Serializer[Any]):
    """Which ones."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), max_length=500
    )


class AcknowledgedSerializer(serializers.Serializer[Any]):
    """Those that were open and are acknowledged now."""

    acknowledged = serializers.ListField(child=serializers.IntegerField())


class AssignSerializer(serializers.Serializer[Any]):
    """To whom: a username; `null` for nobody."""

    assignee = serializers.CharField(allow_null=True)


class CommentSerializer(serializers.Serializer[Any]):
    """A remark."""

    text = serializers.CharField(max_length=1000)


class InboxSerializer(serializers.ModelSerializer[InboxEntry]):
    """A machine that images name and nobody registered."""

    device = serializers.IntegerField(source="device_id", allow_null=True)
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)

    class Meta:
        model = InboxEntry
        fields = [
            "id",
            "serial",
            "manufacturer",
            "model_name",
            "station_name",
            "image_count",
            "first_seen_at",
            "last_seen_at",
            "state",
            "device",
            "decided_by",
            "decided_at",
        ]


class AliasSerializer(serializers.Serializer[Any]):
    """The machine that it is: its id."""

    device = serializers.IntegerField()
