"""Shapes of the models' REST interface."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from detection.models import DetectorVersion, EvidenceSet, Promotion
from detection.services.readings import MOST_FILMS
from detection.services.versions import REASON_LENGTH


class EvidenceSetSerializer(serializers.ModelSerializer[EvidenceSet]):
    """What is known of a version on one set; `figures` is figure to `{value, low, high}`."""

    class Meta:
        model = EvidenceSet
        fields = ["name", "films", "figures", "imported_at"]
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
            "offset",
            "licence",
            "training",
            "metrics",
            "evidence",
            "created_at",
        ]
        read_only_fields = fields


class PromotionReasonSerializer(serializers.Serializer[Any]):
    """Why, in words; may be left out where nothing asks for it."""

    reason = serializers.CharField(
        max_length=REASON_LENGTH, required=False, allow_blank=True, default=""
    )


class PromoteSerializer(PromotionReasonSerializer):
    """Why, and which version the sender believes to be active."""

    instead_of = serializers.IntegerField(required=False, allow_null=True, default=None)


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    """One change of the active version, with what was known then.

    `comparison` is figure to `{difference, low, high, worse}` on val, empty where not compared;
    `chosen_on` the set on which thresholds and scaling were chosen; empty: its own stayed.
    """

    version = serializers.CharField(source="version.name")
    instead_of = serializers.CharField(source="instead_of.name", default=None, allow_null=True)
    by = serializers.CharField(source="by_name")

    class Meta:
        model = Promotion
        fields = [
            "id",
            "version",
            "instead_of",
            "by",
            "at",
            "reason",
            "rolled_back",
            "thresholds",
            "temperature",
            "offset",
            "chosen_on",
            "comparison",
        ]
        read_only_fields = fields


class ScoreSerializer(serializers.Serializer[Any]):
    """How many of the newest signed films."""

    last = serializers.IntegerField(required=False, default=200, min_value=1, max_value=MOST_FILMS)


class ScoredSerializer(serializers.Serializer[Any]):
    """Films added by this call, and all that wait."""

    added = serializers.IntegerField()
    waiting = serializers.IntegerField()


class CompareWithSerializer(serializers.Serializer[Any]):
    """Which version to compare with; the active one unless given."""

    other = serializers.IntegerField(required=False, allow_null=True, default=None)


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
