"""REST shapes of skip, help, urgency and second look."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from detection.models import Signature, UrgencySet
from imaging.models import Urgency
from reading.models import HelpRequest, SavedView, SecondLook, Skip
from reading.services.saved_views import MAX_NAME, MAX_VALUE


class ReasonInSerializer(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=300)


class AnswerInSerializer(serializers.Serializer[Any]):
    """What another reader says."""

    answer = serializers.CharField(max_length=1000)


class UrgencyInSerializer(ReasonInSerializer):
    """How soon a film is wanted."""

    urgency = serializers.ChoiceField(choices=Urgency.choices)


class SecondLookInSerializer(ReasonInSerializer):
    """Whether the signature holds."""

    agrees = serializers.BooleanField()


class SkipSerializer(serializers.ModelSerializer[Skip]):
    """A skip; until then the film isn't offered to this reader."""

    class Meta:
        model = Skip
        fields = ["id", "image", "reason", "at", "until"]
        read_only_fields = fields


class HelpSerializer(serializers.ModelSerializer[HelpRequest]):
    """A call for help."""

    by = serializers.CharField(source="by.username", read_only=True)
    ended_by = serializers.CharField(source="ended_by.username", read_only=True, default=None)

    class Meta:
        model = HelpRequest
        fields = ["id", "image", "by", "reason", "at", "state", "answer", "ended_by", "ended_at"]
        read_only_fields = fields


class UrgencySerializer(serializers.ModelSerializer[UrgencySet]):
    """What a person said of the urgency."""

    class Meta:
        model = UrgencySet
        fields = ["image", "urgency", "reason", "at"]
        read_only_fields = fields


class SecondLookSerializer(serializers.ModelSerializer[SecondLook]):
    """A second reader's word."""

    class Meta:
        model = SecondLook
        fields = ["id", "signature", "agrees", "reason", "at"]
        read_only_fields = fields


class LookSerializer(serializers.ModelSerializer[SecondLook]):
    """What the second reader said, and who that was."""

    by = serializers.CharField(source="by.username", read_only=True)

    class Meta:
        model = SecondLook
        fields = ["id", "by", "at", "agrees", "reason"]
        read_only_fields = fields


class SecondLookFilmSerializer(serializers.ModelSerializer[Signature]):
    """A signature that a second reader looks at, or has looked at."""

    signature = serializers.IntegerField(source="pk", read_only=True)
    signed_by = serializers.CharField(source="by.username", read_only=True)
    signed_at = serializers.DateTimeField(source="at", read_only=True)
    look = LookSerializer(source="second_look", read_only=True, allow_null=True, default=None)

    class Meta:
        model = Signature
        fields = ["signature", "image", "signed_by", "signed_at", "conclusion", "look"]
        read_only_fields = fields


class SavedViewInSerializer(serializers.Serializer[Any]):
    """Filters of the worklist's address; what it doesn't know isn't kept."""

    name = serializers.CharField(max_length=MAX_NAME)
    query = serializers.DictField(
        child=serializers.CharField(max_length=MAX_VALUE, allow_blank=True), required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Without filters it is the plain worklist."""
        return {"query": {}, **attrs}


class SavedViewSerializer(serializers.ModelSerializer[SavedView]):
    """A named set of filters."""

    query = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = SavedView
        fields = ["id", "name", "query", "is_default"]
        read_only_fields = fields
