"""Shapes of marks as degraded in REST."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from devices.models import DegradedSpan


class DegradedInSerializer(serializers.Serializer[Any]):
    """A mark as it is sent; without `until` it lasts."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=300, allow_blank=True)
    alert = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)


class DegradedEndSerializer(serializers.Serializer[Any]):
    """Since when it is good again: now, unless told."""

    until = serializers.DateTimeField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=300, allow_blank=True)


class DegradedWithdrawSerializer(serializers.Serializer[Any]):
    """Why the mark was a mistake."""

    reason = serializers.CharField(max_length=300, allow_blank=True)


class DegradedSpanSerializer(serializers.ModelSerializer[DegradedSpan]):
    """A mark; without `until` it lasts, with `withdrawn_at` it counts for nothing."""

    device = serializers.IntegerField(source="device_id")
    alert = serializers.IntegerField(source="alert_id", allow_null=True)
    by = serializers.CharField(source="by.username", allow_null=True, default=None)
    ended_by = serializers.CharField(source="ended_by.username", allow_null=True, default=None)
    withdrawn_by = serializers.CharField(
        source="withdrawn_by.username", allow_null=True, default=None
    )

    class Meta:
        model = DegradedSpan
        fields = [
            "id", "device", "since", "until", "reason", "source", "alert", "by", "at",
            "ended_at", "ended_by", "end_reason",
            "withdrawn_at", "withdrawn_by", "withdraw_reason",
        ]  # fmt: skip
