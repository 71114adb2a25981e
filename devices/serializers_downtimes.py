"""JSON shapes of downtime and its corrections."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from .models import Downtime, WorkOrder
from .models.maintenance import Extent
from .serializers_maintenance import DeviceField


class DowntimeSerializer(serializers.ModelSerializer[Downtime]):
    """When a machine could not be used."""

    device_name = serializers.CharField(source="device.name", read_only=True)
    created_by = serializers.CharField(source="created_by.username", default=None)

    class Meta:
        model = Downtime
        fields = [
            "id",
            "device",
            "device_name",
            "order",
            "starts_at",
            "ends_at",
            "planned",
            "extent",
            "reason",
            "created_by",
            "is_synthetic",
        ]
        read_only_fields = fields


class NewDowntimeSerializer(serializers.Serializer[Any]):
    """An interval; without `ends_at` the machine is down since `starts_at` (now unless given)."""

    device = DeviceField()
    reason = serializers.CharField(max_length=300)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    planned = serializers.BooleanField(required=False)
    extent = serializers.ChoiceField(choices=Extent.choices, required=False)
    order = serializers.PrimaryKeyRelatedField(
        queryset=WorkOrder.objects.all(), required=False, allow_null=True
    )


class EndSerializer(serializers.Serializer[Any]):
    """When it was usable again; now unless given."""

    ends_at = serializers.DateTimeField(required=False, allow_null=True)


class RemovalSerializer(serializers.Serializer[Any]):
    """Why a downtime is taken away."""

    why = serializers.CharField(max_length=300)


class CorrectionSerializer(RemovalSerializer):
    """What the record should have said; what isn't named stays."""

    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=300, required=False)
    planned = serializers.BooleanField(required=False)
    extent = serializers.ChoiceField(choices=Extent.choices, required=False)
    order = serializers.PrimaryKeyRelatedField(
        queryset=WorkOrder.objects.all(), required=False, allow_null=True
    )
