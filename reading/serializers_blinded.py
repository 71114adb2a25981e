"""REST shapes of first impressions and reading groups."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from detection.models import Label
from detection.serializers import BoxField
from reading.models import FirstImpression, ReadingGroup


class BlindBoxSerializer(serializers.Serializer[Any]):
    """A box that was drawn before the first impression, as it was then."""

    review = serializers.IntegerField()
    label = serializers.ChoiceField(choices=Label.choices)  # type: ignore[assignment]
    box = BoxField()


class FirstImpressionSerializer(serializers.ModelSerializer[FirstImpression]):
    """What a blinded reader thought first; `seen_before`: the model had been shown earlier."""

    reader = serializers.CharField(source="reader_name", read_only=True)
    boxes = BlindBoxSerializer(many=True, read_only=True)

    class Meta:
        model = FirstImpression
        fields = ["id", "image", "reader", "at", "conclusion", "text", "boxes", "seen_before"]
        read_only_fields = fields


class ReadingGroupSerializer(serializers.ModelSerializer[ReadingGroup]):
    """A group and the user names of its readers."""

    members = serializers.SerializerMethodField()

    class Meta:
        model = ReadingGroup
        fields = ["id", "name", "blinded", "members"]
        read_only_fields = fields

    def get_members(self, group: ReadingGroup) -> list[str]:
        """By user name."""
        return [row.user.username for row in group.rows.all()]


class ReadingGroupInSerializer(serializers.Serializer[Any]):
    """A group as it shall be."""

    name = serializers.CharField(max_length=64)
    blinded = serializers.BooleanField()
    members = serializers.ListField(
        child=serializers.CharField(max_length=150), max_length=1000, help_text="user names"
    )
