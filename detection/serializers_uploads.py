"""REST shapes of weights that are sent."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from detection.models import WeightsUpload


class WeightsUploadInSerializer(serializers.Serializer[Any]):
    """A form with files; for the documentation, the service reads them."""

    weights = serializers.FileField(help_text="weights (.pth), read as data, never run")
    manifest = serializers.FileField(help_text="JSON that names the weights by their sha256")
    evidence = serializers.FileField(
        required=False, help_text="report of evaluate_detector on the validation set"
    )


class WeightsUploadSerializer(serializers.ModelSerializer[WeightsUpload]):
    """A weights file that was sent, and what became of it."""

    uploaded_by = serializers.CharField(source="uploaded_by.username", read_only=True)

    class Meta:
        model = WeightsUpload
        fields = [
            "id",
            "state",
            "name",
            "sha256",
            "size",
            "code",
            "message",
            "uploaded_by",
            "uploaded_at",
            "finished_at",
            "version",
        ]
        read_only_fields = fields
