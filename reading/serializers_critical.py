"""JSON of the reading room's own rows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from reading.models import Addendum, CriticalAttempt, CriticalResult
from reading.services.addenda import MAX_TEXT


class AddendumInSerializer(serializers.Serializer[Any]):
    """An addendum as it is sent."""

    text = serializers.CharField(max_length=MAX_TEXT)


class AddendumSerializer(serializers.ModelSerializer[Addendum]):
    """An addendum as it is kept."""

    class Meta:
        model = Addendum
        fields = ["id", "signature", "by_name", "at", "text"]


class CriticalInSerializer(serializers.Serializer[Any]):
    """A critical result as it is reported."""

    image = serializers.IntegerField(min_value=1)
    on_call = serializers.IntegerField(min_value=1)
    text = serializers.CharField(max_length=1000)


class ReadBackSerializer(serializers.Serializer[Any]):
    """What was understood."""

    read_back = serializers.CharField(max_length=1000, allow_blank=True)


class CancelSerializer(serializers.Serializer[Any]):
    """Why it is cancelled."""

    reason = serializers.CharField(max_length=1000, allow_blank=True)


class CriticalAttemptSerializer(serializers.ModelSerializer[CriticalAttempt]):
    """One attempt to tell one person."""

    class Meta:
        model = CriticalAttempt
        fields = ["step", "user_name", "how", "at", "outcome", "reason"]


class CriticalResultSerializer(serializers.ModelSerializer[CriticalResult]):
    """A critical result with each attempt; `exhausted`: nobody is left to tell."""

    told = serializers.CharField(source="told.__str__", read_only=True)
    exhausted = serializers.BooleanField(read_only=True)
    attempts = CriticalAttemptSerializer(many=True, read_only=True)

    class Meta:
        model = CriticalResult
        fields = [
            "id", "image", "text", "author_name", "opened_at", "state", "step", "told", "next_at",
            "exhausted", "closed_by_name", "closed_at", "closing_text", "attempts",
        ]  # fmt: skip
