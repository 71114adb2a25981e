"""Shapes of the models' REST interface."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from detection.models import DetectorVersion, EvidenceSet, WeightsUpload
from detection.services.promotion import LONGEST_REASON
from detection.services.readings import MOST_FILMS


class EvidenceSetSerializer(serializers.ModelSerializer[EvidenceSet]):
    """What is known of a version on one set; `figures` is figure to `{value, low, high}`."""

    class Meta:
        model = EvidenceSet
        fields = ["name", "films", "figures", "data", "imported_at"]
        read_only_fields = fields


class VersionSerializer(serializers.ModelSerializer[DetectorVersion]):
    """A set of weights."""

    evidence = EvidenceSetSerializer(source="evidence_sets", many=True, read_only=True)

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
            "temperature",
            "licence",
            "training",
            "metrics",
            "evidence",
            "created_at",
        ]
        read_only_fields = fields


class UploadSerializer(serializers.Serializer[Any]):
    """Weights, the manifest that names them by hash, and the evidence about them."""

    weights = serializers.FileField()
    manifest = serializers.FileField()
    evidence = serializers.FileField(required=False)


class WeightsUploadSerializer(serializers.ModelSerializer[WeightsUpload]):
    """What became of weights that were sent."""

    class Meta:
        model = WeightsUpload
        fields = [
            "id",
            "state",
            "name",
            "sha256",
            "size",
            "at",
            "ended_at",
            "reason_code",
            "reason",
            "version",
        ]
        read_only_fields = fields


class VersionReasonSerializer(serializers.Serializer[Any]):
    """Why, in a sentence."""

    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST_REASON
    )


class PromoteSerializer(VersionReasonSerializer):
    """Why, and which version the sender believes to be active."""

    instead_of = serializers.IntegerField(required=False, allow_null=True, default=None)


class ScoreSerializer(serializers.Serializer[Any]):
    """How many of the newest signed films."""

    last = serializers.IntegerField(required=False, default=200, min_value=1, max_value=MOST_FILMS)


class ScoredSerializer(serializers.Serializer[Any]):
    """Films added by this call, and all that wait."""

    added = serializers.IntegerField()
    waiting = serializers.IntegerField()


class FigureSerializer(serializers.Serializer[Any]):
    """One figure of both; rows are `{value, low, high}`, empty where not known."""

    key = serializers.CharField()
    text = serializers.CharField()
    version = serializers.JSONField(source="candidate")
    other = serializers.JSONField(source="active")
    difference = serializers.JSONField(source="change")
    word = serializers.CharField(help_text="better, worse, not worse; empty where not compared")


class SideSerializer(serializers.Serializer[Any]):
    """Both versions on one set."""

    name = serializers.CharField()
    films = serializers.ListField(child=serializers.IntegerField(allow_null=True))
    figures = FigureSerializer(many=True)
    problem = serializers.CharField()


class SignedFilmsSerializer(serializers.Serializer[Any]):
    """Both versions on the site's own films that are signed as normal or abnormal."""

    signed = serializers.IntegerField()
    read = serializers.ListField(child=serializers.IntegerField())
    both = serializers.IntegerField()
    abnormal = serializers.IntegerField()
    figures = FigureSerializer(many=True)


class ComparisonSerializer(serializers.Serializer[Any]):
    """One version beside another."""

    version = serializers.SerializerMethodField()
    other = serializers.SerializerMethodField()
    sets = SideSerializer(many=True)
    signed = SignedFilmsSerializer()
    reason_needed = serializers.CharField(help_text="why a promotion needs a reason; empty if not")
    worse = serializers.ListField(child=serializers.CharField())

    @extend_schema_field(serializers.IntegerField())
    def get_version(self, answer: Any) -> int:
        """Its number."""
        return int(answer["version"].pk)

    @extend_schema_field(serializers.IntegerField())
    def get_other(self, answer: Any) -> int:
        """Its number."""
        return int(answer["other"].pk)
