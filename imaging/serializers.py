"""REST shapes of this room."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.reverse import reverse

from accounts.permissions import Can, may

from .models import Image, QuarantinedFile
from .services.ingest import IngestResult

_DEVICE = inline_serializer(
    "ImageDevice",
    {
        "id": serializers.IntegerField(),
        "serial": serializers.CharField(),
        "name": serializers.CharField(),
    },
    allow_null=True,
)
_PATIENT = inline_serializer(
    "ImagePatient",
    {
        "id": serializers.IntegerField(),
        "identifier": serializers.CharField(required=False),
        "name": serializers.CharField(required=False),
    },
)


class ImageSerializer(serializers.ModelSerializer[Image]):
    """Metadata of one image; the patient's identity only for those who may see it."""

    study_instance_uid = serializers.CharField(
        source="series.study.study_instance_uid", read_only=True
    )
    series_instance_uid = serializers.CharField(source="series.series_instance_uid", read_only=True)
    modality = serializers.CharField(source="series.modality", read_only=True)
    body_part = serializers.CharField(source="series.body_part", read_only=True)
    device = serializers.SerializerMethodField()
    patient = serializers.SerializerMethodField()
    rendered = serializers.SerializerMethodField()

    class Meta:
        model = Image
        fields = [
            "id",
            "sop_instance_uid",
            "study_instance_uid",
            "series_instance_uid",
            "sop_class_uid",
            "transfer_syntax_uid",
            "sha256",
            "size",
            "modality",
            "body_part",
            "view_position",
            "rows",
            "columns",
            "frames",
            "bits_stored",
            "photometric",
            "acquired_at",
            "acquired_at_is_guess",
            "received_at",
            "door",
            "device",
            "device_serial",
            "patient",
            "display_problem",
            "display_message",
            "rendered",
            "attribution",
            "is_demo",
        ]
        read_only_fields = fields

    @extend_schema_field(_DEVICE)
    def get_device(self, image: Image) -> dict[str, Any] | None:
        """The registered machine; null while its serial waits in the inbox."""
        device = image.device
        if device is None:
            return None
        return {"id": device.pk, "serial": device.serial, "name": device.name}

    @extend_schema_field(_PATIENT)
    def get_patient(self, image: Image) -> dict[str, Any]:
        """Our number; identity for those who may see it."""
        patient = image.series.study.patient
        request = self.context.get("request")
        if request is None or not may(request.user, Can.PATIENT_READ):
            return {"id": patient.pk}
        return {"id": patient.pk, "identifier": patient.identifier, "name": patient.name}

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_rendered(self, image: Image) -> str | None:
        """Address of the 8-bit view; null where the film can't be shown."""
        if image.display_problem:
            return None
        return reverse("image-rendered", args=[image.pk], request=self.context.get("request"))


class IngestResultSerializer(serializers.Serializer[IngestResult]):
    """The answer to a delivered film, less the run."""

    id = serializers.IntegerField(source="image.pk")
    sop_instance_uid = serializers.CharField(source="image.sop_instance_uid")
    study_instance_uid = serializers.CharField(source="image.series.study.study_instance_uid")
    sha256 = serializers.CharField(source="image.sha256")
    duplicate = serializers.BooleanField()


class UploadSerializer(serializers.Serializer[Any]):
    """The multipart form of a delivered film; all but `file` only for PNG and JPEG."""

    file = serializers.FileField()
    patient_id = serializers.CharField(required=False, max_length=64)
    device = serializers.CharField(required=False, max_length=64, help_text="the machine's serial")
    acquired_at = serializers.DateTimeField(required=False)
    view = serializers.CharField(required=False, max_length=16, help_text="PA, AP, …")


class QuarantinedSerializer(serializers.ModelSerializer[QuarantinedFile]):
    """A file in quarantine and what it collides with."""

    decided_by = serializers.CharField(source="decided_by.username", default=None, read_only=True)
    stored_patient = serializers.CharField(
        source="existing.series.study.patient.identifier", read_only=True
    )
    stored_serial = serializers.CharField(source="existing.device_serial", read_only=True)

    class Meta:
        model = QuarantinedFile
        fields = [
            "id",
            "code",
            "message",
            "sha256",
            "size",
            "existing",
            "stored_patient",
            "stored_serial",
            "claimed_patient",
            "claimed_serial",
            "claimed_sop_uid",
            "state",
            "decided_by",
            "decided_at",
            "created_at",
        ]
        read_only_fields = fields


class DoseReportStoredSerializer(serializers.Serializer[Any]):
    """A kept radiation dose report; `events` are its irradiation events."""

    dose_report = serializers.IntegerField(source="report.pk")
    sop_instance_uid = serializers.CharField(source="report.sop_instance_uid")
    sha256 = serializers.CharField(source="report.sha256")
    events = serializers.IntegerField(source="report.events")
    device = serializers.IntegerField(source="report.device_id", allow_null=True)
    duplicate = serializers.BooleanField()
