"""REST shapes of exported sets and of the list of films to label."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from detection.labelling import Why
from detection.models import Conclusion, DatasetExport, DatasetVersion
from detection.selectors_dataset import archive_of
from detection.serializers import DeviceRefSerializer, PatientRefSerializer
from detection.services.datasets import LARGEST_SIDE, SMALLEST_SIDE


class SplitCountsSerializer(serializers.Serializer[Any]):
    """Of one split."""

    films = serializers.IntegerField()
    patients = serializers.IntegerField()
    boxes = serializers.DictField(child=serializers.IntegerField())


class DatasetSerializer(serializers.ModelSerializer[DatasetVersion]):
    """One version of a set."""

    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)
    counts = serializers.DictField(child=SplitCountsSerializer())
    left_out = serializers.DictField(child=serializers.IntegerField())
    diff = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = DatasetVersion
        fields = [
            "id",
            "name",
            "number",
            "sha256",
            "previous",
            "created_at",
            "created_by",
            "counts",
            "left_out",
            "diff",
            "options",
        ]
        read_only_fields = fields


class DatasetDetailSerializer(DatasetSerializer):
    """With whether its zip is here."""

    downloadable = serializers.SerializerMethodField()

    class Meta(DatasetSerializer.Meta):
        fields = [*DatasetSerializer.Meta.fields, "downloadable"]
        read_only_fields = fields

    @extend_schema_field(serializers.BooleanField())
    def get_downloadable(self, version: DatasetVersion) -> bool:
        """A worker has written it; one that only the command wrote has no zip."""
        return archive_of(version) is not None


class DatasetExportInSerializer(serializers.Serializer[Any]):
    """What set to write."""

    name = serializers.CharField(max_length=48, default="corrections")
    since = serializers.DateTimeField(required=False, allow_null=True, default=None)
    longest_side = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=SMALLEST_SIDE,
        max_value=LARGEST_SIDE,
    )


class DatasetExportSerializer(serializers.ModelSerializer[DatasetExport]):
    """A wish for a set, and how far it is."""

    requested_by = serializers.CharField(source="requested_by.username")

    class Meta:
        model = DatasetExport
        fields = [
            "id",
            "name",
            "since",
            "longest_side",
            "state",
            "done",
            "total",
            "message",
            "requested_by",
            "requested_at",
            "finished_at",
            "version",
            "archive_bytes",
        ]
        read_only_fields = fields


class ReasonSerializer(serializers.Serializer[Any]):
    """One reason to label a film."""

    why = serializers.ChoiceField(choices=list(Why))
    weight = serializers.FloatField()
    text = serializers.CharField()


class LabelRowSerializer(serializers.Serializer[Any]):
    """One film to label."""

    image = serializers.IntegerField(source="wanted.image")
    why = serializers.CharField(source="wanted.sentence")
    reasons = ReasonSerializer(source="wanted.reasons", many=True)
    conclusion = serializers.ChoiceField(
        choices=Conclusion.choices, allow_blank=True, help_text="empty: open for verdicts"
    )
    patient = PatientRefSerializer(source="film")
    device = DeviceRefSerializer(source="film.device", allow_null=True)
    acquired_at = serializers.DateTimeField(source="film.image.acquired_at")
    is_demo = serializers.BooleanField(source="film.image.is_demo")
