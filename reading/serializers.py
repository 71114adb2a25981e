"""JSON of the reading room's own rows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from reading.models import Addendum
from reading.services.addenda import MAX_TEXT


class AddendumInSerializer(serializers.Serializer[Any]):
    """An addendum as it is sent."""

    text = serializers.CharField(max_length=MAX_TEXT)


class AddendumSerializer(serializers.ModelSerializer[Addendum]):
    """An addendum as it is kept."""

    class Meta:
        model = Addendum
        fields = ["id", "signature", "by_name", "at", "text"]
