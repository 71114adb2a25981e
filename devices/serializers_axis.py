"""Shapes of the time axis and the comparison in REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from devices.selectors.lanes import Lanes

from .serializers import CheckSerializer, HealthSerializer


class TimelineItemSerializer(serializers.Serializer[Any]):
    """One mark or bar; `end` is empty for a moment, `lasts` where it went on at the span's end."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField(allow_null=True)
    lasts = serializers.BooleanField()
    kind = serializers.CharField()
    text = serializers.CharField()


class TimelineLaneSerializer(serializers.Serializer[Any]):
    """One lane, oldest first; `cut` where there was more than is told."""

    key = serializers.CharField()
    cut = serializers.BooleanField()
    items = TimelineItemSerializer(many=True)


class ImageCountSerializer(serializers.Serializer[Any]):
    """Images of one step."""

    at = serializers.DateTimeField(source="0")
    count = serializers.IntegerField(source="1")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """A pair by name."""
        at, count = instance
        return {"at": self.fields["at"].to_representation(at), "count": count}


class DeviceTimelineSerializer(serializers.Serializer[Lanes]):
    """What happened over a span."""

    lanes = TimelineLaneSerializer(many=True)
    image_step_seconds = serializers.IntegerField(source="step")
    images = ImageCountSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of the language, so it can't be written as an attribute."""
        ends = {
            "from": serializers.DateTimeField(source="span.start"),
            "to": serializers.DateTimeField(source="span.end"),
        }
        return {**ends, **super().get_fields()}


class DeviceBaselineSerializer(serializers.Serializer[Any]):
    """5 %, median, 95 % and n by metric and hour (`0` to `23`), or `day` for daily means."""

    kind = serializers.ChoiceField(choices=["hour", "day"])
    to = serializers.DateTimeField()
    metrics = serializers.SerializerMethodField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """With `from`."""
        return {"from": serializers.DateTimeField(), **super().get_fields()}

    @extend_schema_field(
        {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": "number"}},
            },
        }
    )
    def get_metrics(self, body: dict[str, Any]) -> dict[str, Any]:
        """As they are."""
        return dict(body["metrics"])


class ComparedSideSerializer(serializers.Serializer[Any]):
    """One machine over its span; health is that of the span's end."""

    id = serializers.IntegerField()
    serial = serializers.CharField()
    name = serializers.CharField()
    model = serializers.CharField()
    to = serializers.DateTimeField()
    health = HealthSerializer()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """With `from`."""
        return {"from": serializers.DateTimeField(), **super().get_fields()}


class FiguresSerializer(serializers.Serializer[Any]):
    """A metric over a span; `median` is of what the chart shows."""

    n = serializers.IntegerField()
    latest = serializers.FloatField()
    latest_at = serializers.DateTimeField()
    median = serializers.FloatField(source="middle")


class ComparedMetricSerializer(serializers.Serializer[Any]):
    """One metric on both sides; `difference` is b minus a of the medians."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField()
    a = FiguresSerializer(allow_null=True)
    b = FiguresSerializer(allow_null=True)
    difference = serializers.FloatField(allow_null=True)


class ComparedCheckSerializer(serializers.Serializer[Any]):
    """One check on both sides."""

    rule = serializers.CharField()
    a = CheckSerializer(allow_null=True)
    b = CheckSerializer(allow_null=True)


class ComparedConfigSerializer(serializers.Serializer[Any]):
    """One key of the reported configuration."""

    key = serializers.CharField()
    a = serializers.JSONField(allow_null=True)
    b = serializers.JSONField(allow_null=True)
    differs = serializers.BooleanField()


class DeviceComparedSerializer(serializers.Serializer[Any]):
    """Two machines, or one and its earlier self."""

    a = ComparedSideSerializer()
    b = ComparedSideSerializer()
    resolution = serializers.CharField()
    metrics = ComparedMetricSerializer(many=True)
    checks = ComparedCheckSerializer(many=True)
    configuration = ComparedConfigSerializer(many=True)
