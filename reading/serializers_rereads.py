"""JSON of re-read lists."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.permissions import Can, may
from detection.models import Conclusion, ReRead, ReReadEvent, ReReadList, ReReadResult
from detection.services.rereads import MAX_NOTE
from devices.serializers_degraded import DegradedSpanSerializer


class ReReadProgressSerializer(serializers.Serializer[Any]):
    """How far a list is."""

    open = serializers.IntegerField()
    assigned = serializers.IntegerField()
    re_read = serializers.IntegerField()
    changed = serializers.IntegerField()
    without = serializers.IntegerField()
    dropped = serializers.IntegerField()
    total = serializers.IntegerField()
    text = serializers.CharField()


class ReReadListSerializer(serializers.ModelSerializer[ReReadList]):
    """The list of one mark; `filled_at` is null while a worker still fills it."""

    span = DegradedSpanSerializer()
    progress = serializers.SerializerMethodField()

    class Meta:
        model = ReReadList
        fields = ["id", "span", "filled_at", "progress"]

    @extend_schema_field(ReReadProgressSerializer)
    def get_progress(self, row: ReReadList) -> Any:
        """Counted once for the page."""
        return ReReadProgressSerializer(self.context["progress"][row.pk]).data


class ReReadSerializer(serializers.ModelSerializer[ReRead]):
    """A film of a list; patient, conclusion, signer and note are null for whoever doesn't read."""

    image = serializers.IntegerField(source="image_id")
    list = serializers.IntegerField(source="list_id")
    assigned_to = serializers.CharField(
        source="assigned_to.username", allow_null=True, default=None
    )
    done_by = serializers.CharField(source="done_by.username", allow_null=True, default=None)
    patient = serializers.SerializerMethodField()
    conclusion = serializers.SerializerMethodField()
    signed_by = serializers.SerializerMethodField()
    note = serializers.SerializerMethodField()

    class Meta:
        model = ReRead
        fields = [
            "id", "list", "image", "why", "exposed_at", "signed_at", "listed_at", "state",
            "assigned_to", "result", "done_by", "done_at",
            "patient", "conclusion", "signed_by", "note",
        ]  # fmt: skip

    @property
    def _reads(self) -> bool:
        return may(self.context["request"].user, Can.FINDING_REVIEW)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_patient(self, row: ReRead) -> int | None:
        """Our number of the patient."""
        return row.image.series.study.patient_id if self._reads else None

    @extend_schema_field(serializers.ChoiceField(choices=Conclusion.choices, allow_null=True))
    def get_conclusion(self, row: ReRead) -> str | None:
        """As signed."""
        return row.image.signature.conclusion if self._reads else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_signed_by(self, row: ReRead) -> str | None:
        """As the signature names its reader."""
        return row.image.signature.by_name if self._reads else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_note(self, row: ReRead) -> str | None:
        """What changed, or why it wasn't re-read."""
        return row.note if self._reads else None


class ReReadEventSerializer(serializers.ModelSerializer[ReReadEvent]):
    """One step of a film's history."""

    by = serializers.CharField(source="by.username", allow_null=True, default=None)

    class Meta:
        model = ReReadEvent
        fields = ["at", "by", "verb", "text"]


class ReReadDetailSerializer(ReReadSerializer):
    """A film of a list with its history."""

    events = ReReadEventSerializer(many=True)

    class Meta(ReReadSerializer.Meta):
        fields = [*ReReadSerializer.Meta.fields, "events"]


class ReReadAssignSerializer(serializers.Serializer[Any]):
    """Films and to whom: a username; `null` for nobody."""

    items = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), max_length=1000
    )
    assignee = serializers.CharField(allow_null=True, max_length=150)


class ReReadDoneSerializer(serializers.Serializer[Any]):
    """Films that are done alike; what changed is said film by film."""

    items = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), max_length=1000
    )
    result = serializers.ChoiceField(choices=ReReadResult.choices)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=MAX_NOTE)


class ReReadRecordSerializer(serializers.Serializer[Any]):
    """What came of one film; with a change the text becomes an addendum."""

    result = serializers.ChoiceField(choices=ReReadResult.choices)
    text = serializers.CharField(required=False, default="", allow_blank=True, max_length=MAX_NOTE)


class ReReadReopenSerializer(serializers.Serializer[Any]):
    """Why it is open again."""

    reason = serializers.CharField(max_length=MAX_NOTE, allow_blank=True)


class ReReadOutcomeSerializer(serializers.Serializer[Any]):
    """How many films changed, how many were left alone."""

    changed = serializers.IntegerField()
    skipped = serializers.IntegerField()
