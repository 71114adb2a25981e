"""REST shapes of double reading."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from detection.models import Conclusion, Label
from detection.serializers import BoxField
from reading.models import Choice, IndependentRead
from reading.selectors_double import ADJUDICATION, FIRST, SECOND, SIGNED

PHASES = [
    ("", "one reader reads it"),
    (FIRST, "waits for the first of two readers"),
    (SECOND, "waits for the second reader"),
    (ADJUDICATION, "the two differ: waits for a reading lead"),
    (SIGNED, "two readers have read it, and it is signed"),
]


class SignedSerializer(serializers.Serializer[Any]):
    """What came of signing: the signature's number, or that of one's reading, or both."""

    signature = serializers.IntegerField(
        source="signature.pk", allow_null=True, default=None,
        help_text="null while another reader has yet to read the film, or a lead to decide",
    )  # fmt: skip
    read = serializers.IntegerField(
        source="read.pk", allow_null=True, default=None,
        help_text="one's reading of a film that two readers read; null of any other film",
    )  # fmt: skip


class KeptBoxSerializer(serializers.Serializer[Any]):
    """A box that a reader let stand."""

    label = serializers.ChoiceField(choices=Label.choices)  # type: ignore[assignment]
    box = BoxField()
    verdict = serializers.ChoiceField(choices=["accept", "edit", "add", "unreviewed"])
    origin = serializers.ChoiceField(choices=["human", "model"])


class IndependentReadSerializer(serializers.ModelSerializer[IndependentRead]):
    """One of two readings."""

    by = serializers.CharField(source="reader_name", read_only=True)
    diseases = serializers.ListField(child=serializers.CharField(), read_only=True)
    kept = KeptBoxSerializer(many=True, read_only=True)

    class Meta:
        model = IndependentRead
        fields = ["id", "position", "by", "at", "conclusion", "text", "diseases", "kept"]
        read_only_fields = fields


class ReadsSerializer(serializers.Serializer[Any]):
    """Where a film stands between its readers, and the readings that the asker may see."""

    phase = serializers.ChoiceField(choices=PHASES, allow_blank=True)
    reads = IndependentReadSerializer(many=True)
    leads = serializers.ListField(
        child=serializers.CharField(),
        help_text="who can settle a difference; told while one waits",
    )
    choice = serializers.ChoiceField(
        choices=Choice.choices, source="adjudication.choice", allow_null=True, default=None,
        help_text="how a difference was settled",
    )  # fmt: skip


class AdjudicationInSerializer(serializers.Serializer[Any]):
    """A lead's decision; conclusion and text count for `own` alone."""

    choice = serializers.ChoiceField(choices=Choice.choices)
    conclusion = serializers.ChoiceField(choices=Conclusion.choices, required=False)
    text = serializers.CharField(required=False, allow_blank=True, max_length=4000)


class AdjudicatedSerializer(serializers.Serializer[Any]):
    """The signature's number."""

    signature = serializers.IntegerField(source="pk")
