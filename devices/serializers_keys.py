"""Shapes of machines' own keys in REST."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from devices.models import DeviceKey


class DeviceKeySerializer(serializers.ModelSerializer[DeviceKey]):
    """A key without its text."""

    state = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.username", allow_null=True, default=None)
    revoked_by = serializers.CharField(source="revoked_by.username", allow_null=True, default=None)

    class Meta:
        model = DeviceKey
        fields = [
            "id", "name", "prefix", "state", "created_at", "created_by", "expires_at",
            "last_used_at", "revoked_at", "revoked_by",
        ]  # fmt: skip

    def get_state(self, key: DeviceKey) -> str:
        """`live`, `expired` or `revoked`."""
        return key.state(timezone.now())


class MadeDeviceKeySerializer(DeviceKeySerializer):
    """A new key; `key` is shown this once."""

    key = serializers.CharField()

    class Meta(DeviceKeySerializer.Meta):
        fields = [*DeviceKeySerializer.Meta.fields, "key"]


class NewDeviceKeySerializer(serializers.Serializer[Any]):
    """A key to be made."""

    name = serializers.CharField(max_length=64)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class RotateKeySerializer(serializers.Serializer[Any]):
    """For how long the old key goes on."""

    overlap_hours = serializers.IntegerField(
        required=False, default=168, min_value=0, max_value=2160
    )
