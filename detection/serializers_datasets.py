"""REST shapes of sets and of what to label next."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from detection import labelling
from detection.models import DatasetExport, DatasetVersion
from detection.selectors_dataset import archive_of

from .serializers import DeviceRefSerializer, PatientRefSerializer


class DatasetSerializer(serializers.ModelSerializer[DatasetVersion]):
    """One exported version of a set."""

    created_by = serializers.CharField(
        source="created_by.username",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="null: the command line",
    )

    class Meta:
        model = DatasetVersion
        fields = [
            "id",
            "name",
            "number",
            "sha256",
            "counts",
            "previous",
            "films_new",
            "films_changed",
            "films_gone",
            "created_by",
            "created_at",
        ]
        read_only_fields = fields


class DatasetDetailSerializer(DatasetSerializer):
    """With whether its zip is here."""

    downloadable = serializers.SerializerMethodField()

    class Meta(DatasetSerializer.Meta):
        fields = [*DatasetSerializer.Meta.fields, "downloadable"]
        read_only_fields = fields

    def get_downloadable(self, version: DatasetVersion) -> bool:
        """A worker has written it and nobody has removed it."""
        return archive_of(version) is not None


class DatasetExportInSerializer(serializers.Serializer[Any]):
    """Which set to write."""

    name = serializers.CharField(
        max_length=64, default="site", help_text="a-z, 0-9, dot, dash, underscore"
    )


class DatasetExportSerializer(serializers.ModelSerializer[DatasetExport]):
    """A wish for a set, and how far it is."""

    requested_by = serializers.CharField(source="requested_by.username", read_only=True)

    class Meta:
        model = DatasetExport
        fields = [
            "id",
            "name",
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


class LabelReasonSerializer(serializers.Serializer[Any]):
    """Why a film is worth a label."""

    code = serializers.ChoiceField(choices=list(labelling.WHY))
    text = serializers.CharField()


class LabelRowSerializer(serializers.Serializer[Any]):
    """One film worth a label."""

    image = serializers.IntegerField(source="image.pk")
    why = serializers.CharField()
    reasons = LabelReasonSerializer(many=True)
    flagged = serializers.BooleanField(source="item.flagged")
    signed = serializers.BooleanField(source="item.signed")
    detector_version = serializers.CharField(source="item.run.version.name")
    patient = PatientRefSerializer(source="*")
    device = DeviceRefSerializer(allow_null=True)
    acquired_at = serializers.DateTimeField(source="image.acquired_at")
    is_demo = serializers.BooleanField(source="image.is_demo")
