"""REST shapes of this room."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from detection.models import (
    Claim,
    Conclusion,
    DetectionRun,
    DetectorVersion,
    Finding,
    Label,
    Review,
    RunState,
    Signature,
    Trust,
    Verdict,
)
from detection.selectors import box_of

BOX = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 4,
    "maxItems": 4,
    "description": "left, top, width, height in pixels of the stored image",
}


@extend_schema_field(BOX)
class BoxField(serializers.Field[Any, Any, Any, Any]):
    """Four numbers; the service says what is wrong with others."""

    default_error_messages = {"not_a_list": "A box is a list of four numbers."}

    def to_internal_value(self, data: Any) -> list[Any]:
        """Only the outer shape is looked at here."""
        if not isinstance(data, list):
            self.fail("not_a_list")
        return list(data)

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value


class ReasonSerializer(serializers.Serializer[Any]):
    """One failing check of the machine."""

    rule = serializers.CharField()
    state = serializers.CharField()
    text = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)


class RunSerializer(serializers.ModelSerializer[DetectionRun]):
    """One reading of one image by one version."""

    detector_version = serializers.CharField(source="version.name", read_only=True)
    trust_reasons = ReasonSerializer(many=True, read_only=True)

    class Meta:
        model = DetectionRun
        fields = [
            "id",
            "image",
            "state",
            "reason_code",
            "reason",
            "attempts",
            "queued_at",
            "started_at",
            "finished_at",
            "seconds",
            "detector_version",
            "device_trust",
            "trust_reasons",
        ]
        read_only_fields = fields


class RunRefSerializer(serializers.Serializer[Any]):
    """A run, by number and state."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=RunState.choices)


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """A verdict."""

    by = serializers.CharField(source="by.username", read_only=True)
    box = serializers.SerializerMethodField()

    class Meta:
        model = Review
        fields = ["id", "image", "finding", "verdict", "label", "box", "reason", "by", "at"]
        read_only_fields = fields

    @extend_schema_field({**BOX, "nullable": True})
    def get_box(self, review: Review) -> list[float] | None:
        """Left, top, width, height; null where the verdict changes no box."""
        box = box_of(review)
        return list(box) if box else None


class FindingSerializer(serializers.Serializer[Any]):
    """A finding of the model, its score untouched, with trust and review beside it."""

    id = serializers.IntegerField()
    label = serializers.ChoiceField(choices=Label.choices)
    score = serializers.FloatField()
    box = BoxField()
    flags = serializers.BooleanField(help_text="abnormal, at or above the version's threshold")
    device_trust = serializers.ChoiceField(choices=Trust.choices)
    review = ReviewSerializer(allow_null=True)


class FindingReviewInSerializer(serializers.Serializer[Any]):
    """A verdict on a finding; the service checks what belongs together."""

    verdict = serializers.ChoiceField(choices=[c for c in Verdict.choices if c[0] != Verdict.ADD])
    label = serializers.ChoiceField(choices=Label.choices, required=False, allow_blank=True)
    box = BoxField(required=False, allow_null=True)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)


class ImageReviewInSerializer(serializers.Serializer[Any]):
    """A box that the model didn't draw."""

    verdict = serializers.ChoiceField(choices=[(Verdict.ADD.value, Verdict.ADD.label)])
    label = serializers.ChoiceField(choices=Label.choices)
    box = BoxField()
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)


class ClaimSerializer(serializers.ModelSerializer[Claim]):
    """A reader's lease."""

    by = serializers.CharField(source="by.username", read_only=True)

    class Meta:
        model = Claim
        fields = ["image", "by", "at", "until"]
        read_only_fields = fields


class ReleasedSerializer(serializers.Serializer[Any]):
    """Whether there was a lease to give back."""

    released = serializers.BooleanField()


class SignInSerializer(serializers.Serializer[Any]):
    """What the film as a whole shows."""

    conclusion = serializers.ChoiceField(choices=Conclusion.choices)
    text = serializers.CharField(required=False, allow_blank=True, max_length=4000)


class SignedSerializer(serializers.Serializer[Any]):
    """The signature's number."""

    signature = serializers.IntegerField()


class SignatureSerializer(serializers.ModelSerializer[Signature]):
    """A signature with what was signed."""

    by = serializers.CharField(source="by_name", read_only=True)

    class Meta:
        model = Signature
        fields = ["id", "by", "at", "conclusion", "text"]
        read_only_fields = fields


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


class DeviceRefSerializer(serializers.Serializer[Any]):
    """A machine, as far as a reader needs it."""

    id = serializers.IntegerField(source="pk")
    serial = serializers.CharField()
    name = serializers.CharField()
    location = serializers.CharField()


class PatientRefSerializer(serializers.Serializer[Any]):
    """A patient by number, age and sex; never the name."""

    id = serializers.IntegerField(source="patient.pk")
    identifier = serializers.CharField(source="patient.identifier")
    age = serializers.IntegerField(allow_null=True)
    sex = serializers.CharField(source="patient.sex")


class FlagSerializer(serializers.ModelSerializer[Finding]):
    """A finding that flags a film."""

    class Meta:
        model = Finding
        fields = ["id", "label", "score"]
        read_only_fields = fields


class WorklistRowSerializer(serializers.Serializer[Any]):
    """One film of the worklist."""

    image = serializers.IntegerField(source="image.pk")
    priority = serializers.FloatField()
    why = serializers.CharField()
    waiting_since = serializers.DateTimeField()
    claimed_by = serializers.SerializerMethodField()
    overdue = serializers.BooleanField()
    flagged = serializers.BooleanField(source="item.flagged")
    label = serializers.CharField()
    score = serializers.FloatField(allow_null=True)
    side = serializers.CharField()
    findings = FlagSerializer(source="flags", many=True)
    device_trust = serializers.ChoiceField(source="trust", choices=Trust.choices)
    trust_reasons = ReasonSerializer(many=True)
    run = serializers.SerializerMethodField()
    patient = PatientRefSerializer(source="*")
    device = DeviceRefSerializer(allow_null=True)
    study_instance_uid = serializers.CharField(source="study.study_instance_uid")
    view = serializers.CharField()
    acquired_at = serializers.DateTimeField(source="image.acquired_at")
    is_demo = serializers.BooleanField(source="image.is_demo")

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_claimed_by(self, row: Any) -> str | None:
        """Who reads it now."""
        return row.claimed_by.username if row.claimed_by else None

    @extend_schema_field(RunRefSerializer(allow_null=True))
    def get_run(self, row: Any) -> dict[str, Any] | None:
        """The latest run."""
        return {"id": row.run.pk, "state": row.run_state} if row.run else None


class UploadSerializer(serializers.Serializer[Any]):
    """One file, with who and which machine where the file itself can't say (PNG, JPEG)."""

    file = serializers.FileField(allow_empty_file=True)
    patient_id = serializers.CharField(required=False, allow_blank=True, max_length=64)
    device = serializers.CharField(
        required=False, allow_blank=True, max_length=64, help_text="the machine's serial"
    )
    acquired_at = serializers.CharField(required=False, allow_blank=True, help_text="ISO 8601")
    view = serializers.CharField(required=False, allow_blank=True, max_length=16)


class StoredSerializer(serializers.Serializer[Any]):
    """What became of an upload."""

    id = serializers.IntegerField()
    sop_instance_uid = serializers.CharField()
    study_instance_uid = serializers.CharField()
    sha256 = serializers.CharField()
    duplicate = serializers.BooleanField()
    run = RunRefSerializer(allow_null=True)


class ErrorSerializer(serializers.Serializer[Any]):
    """The one error shape."""

    code = serializers.CharField()
    message = serializers.CharField()
    extra = serializers.DictField()


class FilmSerializer(serializers.Serializer[Any]):
    """One image: metadata for everyone who may read it, the rest for readers of films.

    `patient`, `findings`, `added`, `signature` are null for a role that manages films without
    reading them.
    """

    id = serializers.IntegerField(source="image.pk")
    sop_instance_uid = serializers.CharField(source="image.sop_instance_uid")
    sop_class_uid = serializers.CharField(source="image.sop_class_uid")
    series_instance_uid = serializers.CharField(source="image.series.series_instance_uid")
    study_instance_uid = serializers.CharField(source="study.study_instance_uid")
    transfer_syntax_uid = serializers.CharField(source="image.transfer_syntax_uid")
    modality = serializers.CharField(source="image.series.modality")
    view = serializers.CharField(source="image.view_position")
    sha256 = serializers.CharField(source="image.sha256")
    size = serializers.IntegerField(source="image.size")
    width = serializers.IntegerField(source="image.columns")
    height = serializers.IntegerField(source="image.rows")
    bits_stored = serializers.IntegerField(source="image.bits_stored")
    photometric = serializers.CharField(source="image.photometric")
    acquired_at = serializers.DateTimeField(source="image.acquired_at")
    acquired_at_is_guess = serializers.BooleanField(source="image.acquired_at_is_guess")
    received_at = serializers.DateTimeField(source="image.received_at")
    door = serializers.CharField(source="image.door")
    display_problem = serializers.CharField(source="image.display_problem")
    display_message = serializers.CharField(source="image.display_message")
    attribution = serializers.CharField(source="image.attribution")
    is_demo = serializers.BooleanField(source="image.is_demo")
    device = DeviceRefSerializer(allow_null=True)
    device_serial = serializers.CharField(source="image.device_serial")
    device_trust = serializers.ChoiceField(source="trust", choices=Trust.choices)
    trust_reasons = ReasonSerializer(many=True)
    runs = RunSerializer(many=True)
    patient = serializers.SerializerMethodField()
    findings = serializers.SerializerMethodField()
    added = serializers.SerializerMethodField()
    claim = ClaimSerializer(allow_null=True)
    signature = serializers.SerializerMethodField()
    why = serializers.SerializerMethodField()

    @property
    def _reads(self) -> bool:
        return bool(self.context.get("reads_films"))

    @extend_schema_field(PatientRefSerializer(allow_null=True))
    def get_patient(self, film: Any) -> Any:
        """By number, age and sex."""
        return PatientRefSerializer(film).data if self._reads else None

    @extend_schema_field(FindingSerializer(many=True, allow_null=True))
    def get_findings(self, film: Any) -> Any:
        """Of the latest run."""
        if not self._reads:
            return None
        return [
            {
                "id": view.finding.pk,
                "label": view.label,
                "score": view.score,
                "box": list(view.box),
                "flags": view.flags,
                "device_trust": film.trust,
                "review": ReviewSerializer(view.review).data if view.review else None,
            }
            for view in film.findings
        ]

    @extend_schema_field(ReviewSerializer(many=True, allow_null=True))
    def get_added(self, film: Any) -> Any:
        """Boxes that readers drew."""
        return ReviewSerializer(film.added, many=True).data if self._reads else None

    @extend_schema_field(SignatureSerializer(allow_null=True))
    def get_signature(self, film: Any) -> Any:
        """The report, once there is one."""
        if not self._reads or film.signature is None:
            return None
        return SignatureSerializer(film.signature).data

    @extend_schema_field(serializers.CharField())
    def get_why(self, film: Any) -> str:
        """The sentence of the worklist; empty once signed."""
        return str(film.why) if self._reads else ""
