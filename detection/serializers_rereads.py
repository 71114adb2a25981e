"""JSON of what came from a degraded machine."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.permissions import Can, may
from detection.models import Conclusion, Label, ReReadWhy, Trust
from imaging.models import Image


class CameFromSerializer(serializers.ModelSerializer[Image]):
    """A film with a finding, or signed as normal; the patient and what was said for readers alone.

    `why` is `finding` of an unsigned film too. `state` is that of its newest re-read list.
    """

    exposed_at = serializers.DateTimeField(source="acquired_at")
    why = serializers.SerializerMethodField()
    signed = serializers.SerializerMethodField()
    device_trust = serializers.CharField(source="worklist_item.trust", default=Trust.UNKNOWN)
    state = serializers.SerializerMethodField()
    patient = serializers.SerializerMethodField()
    conclusion = serializers.SerializerMethodField()
    label = serializers.SerializerMethodField()  # type: ignore[assignment]
    score = serializers.SerializerMethodField()

    class Meta:
        model = Image
        fields = [
            "id", "exposed_at", "why", "signed", "device_trust", "state",
            "patient", "conclusion", "label", "score",
        ]  # fmt: skip

    @property
    def _reads(self) -> bool:
        return may(self.context["request"].user, Can.FINDING_REVIEW)

    @extend_schema_field(serializers.ChoiceField(choices=ReReadWhy.choices))
    def get_why(self, image: Image) -> str:
        """What is at stake."""
        signature = getattr(image, "signature", None)
        normal = signature is not None and signature.conclusion == Conclusion.NORMAL
        return ReReadWhy.NEGATIVE.value if normal else ReReadWhy.FINDING.value

    @extend_schema_field(serializers.BooleanField())
    def get_signed(self, image: Image) -> bool:
        """Whether somebody signed it."""
        return hasattr(image, "signature")

    @extend_schema_field(serializers.CharField())
    def get_state(self, image: Image) -> str:
        """Of its newest re-read list; empty where it is on none."""
        rows = sorted(image.re_reads.all(), key=lambda row: row.pk)
        return str(rows[-1].state) if rows else ""

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_patient(self, image: Image) -> int | None:
        """Our number of the patient."""
        return image.series.study.patient_id if self._reads else None

    @extend_schema_field(serializers.ChoiceField(choices=Conclusion.choices, allow_null=True))
    def get_conclusion(self, image: Image) -> str | None:
        """As signed."""
        signature = getattr(image, "signature", None)
        return signature.conclusion if self._reads and signature else None

    @extend_schema_field(serializers.ChoiceField(choices=Label.choices, allow_null=True))
    def get_label(self, image: Image) -> str | None:
        """Of the model's finding with the highest score, where it flags."""
        item = getattr(image, "worklist_item", None)
        return item.label if self._reads and item and item.flagged else None

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_score(self, image: Image) -> float | None:
        """The model's, untouched."""
        item = getattr(image, "worklist_item", None)
        return item.score if self._reads and item and item.flagged else None
