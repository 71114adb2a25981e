"""JSON shapes of corrections of downtime."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from .models import WorkOrder
from .models.maintenance import Extent


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
