"""Shapes of a machine's parts in REST."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from devices.models import ComponentKind


class PartUseSerializer(serializers.Serializer[Any]):
    """How much a part was used, by one counter; null where no reading tells."""

    metric = serializers.CharField()
    unit = serializers.CharField()
    since_installation = serializers.FloatField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)


class PartSerializer(serializers.Serializer[Any]):
    """A part that is or was in the machine."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=ComponentKind.choices)
    position = serializers.CharField()
    serial = serializers.CharField()
    manufacturer = serializers.CharField()
    model = serializers.CharField()
    udi_di = serializers.CharField()
    udi_pi = serializers.CharField()
    installed_at = serializers.DateTimeField()
    removed_at = serializers.DateTimeField(allow_null=True)
    install_reason = serializers.CharField()
    removal_reason = serializers.CharField()
    live = serializers.BooleanField()
    counters = PartUseSerializer(many=True)


class ReplacementSerializer(serializers.Serializer[Any]):
    """A part that comes into a place which is known."""

    serial = serializers.CharField(max_length=64, required=False, allow_blank=True)
    manufacturer = serializers.CharField(max_length=128, required=False, allow_blank=True)
    model = serializers.CharField(max_length=128, required=False, allow_blank=True)
    udi = serializers.CharField(max_length=128, required=False, allow_blank=True)
    counters = serializers.DictField(child=serializers.FloatField(), required=False)
    at = serializers.DateTimeField(required=False)
    reason = serializers.CharField(max_length=300)


class NewPartSerializer(ReplacementSerializer):
    """A part that comes into a free place."""

    kind = serializers.ChoiceField(choices=ComponentKind.choices)
    position = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class PartRemovalSerializer(serializers.Serializer[Any]):
    """A part that goes."""

    at = serializers.DateTimeField(required=False)
    reason = serializers.CharField(max_length=300)


class PartCorrectionSerializer(serializers.Serializer[Any]):
    """Why the last entry about a part is a mistake."""

    reason = serializers.CharField(max_length=300)
