"""Shapes of the models and of which one read when."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from detection.models import DetectorVersion, Promotion
from detection.services.versions import REASON_LENGTH


class VersionSerializer(serializers.ModelSerializer[DetectorVersion]):
    """A set of weights."""

    class Meta:
        model = DetectorVersion
        fields = [
            "id",
            "name",
            "state",
            "weights_sha256",
            "config",
            "classes",
            "thresholds",
            "licence",
            "training",
            "metrics",
            "created_at",
        ]
        read_only_fields = fields


class PromotionReasonSerializer(serializers.Serializer[Any]):
    """Why, in words; may be left out."""

    reason = serializers.CharField(
        max_length=REASON_LENGTH, required=False, allow_blank=True, default=""
    )


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    """One change of the active version."""

    version = serializers.CharField(source="version.name")
    instead_of = serializers.CharField(source="instead_of.name", default=None, allow_null=True)
    by = serializers.CharField(source="by_name")

    class Meta:
        model = Promotion
        fields = ["id", "version", "instead_of", "by", "at", "reason", "rolled_back"]
        read_only_fields = fields
