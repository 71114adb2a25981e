"""REST shapes of this room."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from detection import blinding
from detection.models import (
    Claim,
    Conclusion,
    DetectionRun,
    Finding,
    Label,
    RejectReason,
    Review,
    RunState,
    Signature,
    Trust,
    TrustCause,
    Verdict,
)
from detection.selectors import box_of
from imaging.serializers import IngestResultSerializer
from imaging.services.ingest import IngestResult

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


class TrustReasonSerializer(serializers.Serializer[Any]):
    """One failing check of the machine."""

    rule = serializers.CharField()
    state = serializers.CharField()
    text = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)


class TrustToldSerializer(serializers.Serializer[Any]):
    """One change of trust after the film was read; `after_signing`: its reader didn't know."""

    at = serializers.DateTimeField()
    was = serializers.ChoiceField(choices=Trust.choices)
    level = serializers.ChoiceField(choices=Trust.choices)
    because = serializers.ChoiceField(choices=TrustCause.choices)
    text = serializers.CharField()
    after_signing = serializers.BooleanField()


class RunSerializer(serializers.ModelSerializer[DetectionRun]):
    """One reading of one image by one version."""

    detector_version = serializers.CharField(source="version.name", read_only=True)
    read_anyway_by = serializers.CharField(
        source="read_anyway_by.username", read_only=True, default=None, allow_null=True
    )
    trust_reasons = TrustReasonSerializer(many=True, read_only=True)

    class Meta:
        model = DetectionRun
        fields = [
            "id",
            "image",
            "state",
            "reason_code",
            "reason",
            "gate_code",
            "gate_reason",
            "gate_at",
            "read_anyway_at",
            "read_anyway_by",
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
        fields = [
            "id",
            "image",
            "finding",
            "verdict",
            "label",
            "box",
            "reason_code",
            "reason",
            "by",
            "at",
        ]
        read_only_fields = fields

    @extend_schema_field({**BOX, "nullable": True})
    def get_box(self, review: Review) -> list[float] | None:
        """Left, top, width, height; null where the verdict changes no box."""
        box = box_of(review)
        return list(box) if box else None


class FindingSerializer(serializers.Serializer[Any]):
    """A finding of the model, its score untouched, with trust and review beside it."""

    id = serializers.IntegerField()
    label = serializers.ChoiceField(choices=Label.choices)  # type: ignore[assignment]
    score = serializers.FloatField()
    box = BoxField()
    flags = serializers.BooleanField(help_text="abnormal, at or above the version's threshold")
    device_trust = serializers.ChoiceField(choices=Trust.choices)
    review = ReviewSerializer(allow_null=True)


class FindingReviewInSerializer(serializers.Serializer[Any]):
    """A verdict on a finding; the service checks what belongs together."""

    verdict = serializers.ChoiceField(choices=[c for c in Verdict.choices if c[0] != Verdict.ADD])
    label = serializers.ChoiceField(choices=Label.choices, required=False, allow_blank=True)  # type: ignore[assignment]
    box = BoxField(required=False, allow_null=True)
    reason_code = serializers.ChoiceField(
        choices=RejectReason.choices,
        required=False,
        allow_blank=True,
        help_text="a reject needs one; `other`, and `reason` without a code, says it in words",
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)


class ImageReviewInSerializer(serializers.Serializer[Any]):
    """A box that the model didn't draw."""

    verdict = serializers.ChoiceField(choices=[(Verdict.ADD.value, Verdict.ADD.label)])
    label = serializers.ChoiceField(choices=Label.choices)  # type: ignore[assignment]
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


class SignatureSerializer(serializers.ModelSerializer[Signature]):
    """A signature with what was signed."""

    by = serializers.CharField(source="by_name", read_only=True)

    class Meta:
        model = Signature
        fields = ["id", "by", "at", "conclusion", "text"]
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
    model_hidden = serializers.BooleanField(
        source="hidden", help_text="until this reader's first impression: nothing of the model here"
    )
    priority = serializers.FloatField(allow_null=True)
    why = serializers.CharField()
    waiting_since = serializers.DateTimeField()
    claimed_by = serializers.SerializerMethodField()
    overdue = serializers.BooleanField()
    flagged = serializers.BooleanField()
    label = serializers.CharField()  # type: ignore[assignment]
    score = serializers.FloatField(allow_null=True)
    side = serializers.CharField()
    findings = FlagSerializer(source="flags", many=True)
    device_trust = serializers.ChoiceField(source="trust", choices=Trust.choices)
    trust_reasons = TrustReasonSerializer(many=True)
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


class StoredSerializer(IngestResultSerializer):
    """What became of an upload, and its run; null while no version of the detector is active.

    Null too for a reader who must not know yet what the model makes of the film.
    """

    run = serializers.SerializerMethodField()

    @extend_schema_field(RunRefSerializer(allow_null=True))
    def get_run(self, result: IngestResult) -> dict[str, Any] | None:
        """The latest run."""
        if blinding.hidden_from(self.context["request"].user, [result.image.pk]):
            return None
        run = result.image.runs.order_by("queued_at", "id").last()
        return {"id": run.pk, "state": run.state} if run else None


class ErrorSerializer(serializers.Serializer[Any]):
    """The one error shape."""

    code = serializers.CharField()
    message = serializers.CharField()
    extra = serializers.DictField()
