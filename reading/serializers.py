"""REST shapes of skip, help, urgency and second look."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from detection.models import UrgencySet
from imaging.models import Urgency
from reading.models import HelpRequest, SecondLook, Skip


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
