"""Shapes of the device twin in REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from devices.models import TwinEvent
from devices.selectors.fleet import FleetRow
from devices.selectors.twin import Twin

from .serializers_risk import RiskSerializer

_OBJECT = {"type": "object", "additionalProperties": {}}


class CheckSerializer(serializers.Serializer[Any]):
    """One check: what one rule says."""

    rule_id = serializers.IntegerField()
    rule = serializers.CharField()
    metric = serializers.CharField()
    unit = serializers.CharField()
    state = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True)
    n = serializers.IntegerField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    affects_image = serializers.BooleanField()
    measured_at = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField()
    kind = serializers.CharField()
    baseline = serializers.FloatField(allow_null=True)
    spread = serializers.FloatField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)


class CoverageSerializer(serializers.Serializer[Any]):
    """How many of the checks were answered."""

    answered = serializers.IntegerField(source="0")
    total = serializers.IntegerField(source="1")

    def to_representation(self, instance: tuple[int, int]) -> dict[str, int]:
        """A pair of numbers by name."""
        return {"answered": instance[0], "total": instance[1]}


class HealthSerializer(serializers.Serializer[Any]):
    """Worst check wins; `score` is for sorting only."""

    state = serializers.ChoiceField(choices=["ok", "watch", "act", "unknown"])
    score = serializers.IntegerField(allow_null=True)
    coverage = CoverageSerializer()
    checks = CheckSerializer(many=True)


class ReducedCheckSerializer(serializers.Serializer[Any]):
    """What a clinician sees of a check."""

    state = serializers.CharField()
    text = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    affects_image = serializers.BooleanField()


class ReducedHealthSerializer(serializers.Serializer[Any]):
    """What a clinician sees of the health."""

    state = serializers.ChoiceField(choices=["ok", "watch", "act", "unknown"])
    checks = ReducedCheckSerializer(many=True)


class ReducedDeviceSerializer(serializers.Serializer[FleetRow]):
    """A machine for those who only need to know whether to trust it."""

    id = serializers.IntegerField(source="device.pk")
    name = serializers.CharField(source="device.name")
    location = serializers.CharField(source="device.location")
    modality = serializers.CharField(source="device.model.modality")
    lifecycle = serializers.CharField(source="device.lifecycle")
    is_synthetic = serializers.BooleanField(source="device.is_synthetic")
    health = ReducedHealthSerializer()


class DeviceRowSerializer(ReducedDeviceSerializer):
    """A machine in the fleet's list."""

    serial = serializers.CharField(source="device.serial")
    model = serializers.CharField(source="device.model.__str__")
    health = HealthSerializer()  # type: ignore[assignment]
    open_alerts = serializers.IntegerField()
    images_today = serializers.IntegerField()
    risk = RiskSerializer()
    next_due_on = serializers.DateField(source="next_due.due_on", allow_null=True, default=None)


class MetricSerializer(serializers.Serializer[Any]):
    """A metric and its UCUM unit."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField()


class DriftSerializer(serializers.Serializer[Any]):
    """One key that isn't as it should be."""

    key = serializers.CharField()
    desired = serializers.JSONField()
    reported = serializers.JSONField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True)


@extend_schema_field(_OBJECT)
class ConfigField(serializers.JSONField):
    """A flat configuration."""


class DeviceSerializer(serializers.Serializer[Twin]):
    """The twin, now or as of a past moment."""

    id = serializers.IntegerField(source="device.pk")
    serial = serializers.CharField(source="device.serial")
    name = serializers.CharField(source="device.name")
    manufacturer = serializers.CharField(source="device.model.manufacturer")
    model = serializers.CharField(source="device.model.name")
    modality = serializers.CharField(source="device.model.modality")
    location = serializers.CharField(source="device.location")
    criticality = serializers.IntegerField(source="device.criticality")
    udi = serializers.CharField(source="device.udi")
    ae_titles = serializers.ListField(
        source="device.ae_titles", child=serializers.CharField(), read_only=True
    )
    lifecycle = serializers.CharField()
    is_synthetic = serializers.BooleanField(source="device.is_synthetic")
    registered_at = serializers.DateTimeField(source="device.registered_at")
    at = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField(source="state.revision")
    aliases = serializers.ListField(source="state.aliases", child=serializers.CharField())
    metrics = MetricSerializer(source="device.model.metrics.all", many=True)
    health = HealthSerializer()
    desired_config = ConfigField(source="desired")
    reported_config = ConfigField(source="reported")
    drift = DriftSerializer(many=True)
    risk = serializers.SerializerMethodField()
    maintenance = serializers.SerializerMethodField()

    @extend_schema_field(RiskSerializer)
    def get_risk(self, twin: Twin) -> Any:
        """The rung of evidence, and a number where it bears one."""
        return RiskSerializer(self.context["risk"]).data

    @extend_schema_field({"type": "array", "items": _OBJECT})
    def get_maintenance(self, twin: Twin) -> list[dict[str, Any]]:
        """The plans with what is due of each."""
        return list(self.context.get("maintenance", []))


class NewModelSerializer(serializers.Serializer[Any]):
    """A make that nobody described yet."""

    manufacturer = serializers.CharField(max_length=128)
    name = serializers.CharField(max_length=128)
    modality = serializers.CharField(max_length=16)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer"},
            {"type": "string"},
            {
                "type": "object",
                "properties": {
                    "manufacturer": {"type": "string"},
                    "name": {"type": "string"},
                    "modality": {"type": "string"},
                },
                "required": ["manufacturer", "name", "modality"],
            },
        ]
    }
)
class ModelField(serializers.Field[Any, Any, Any, Any]):
    """A model's id or name, or manufacturer, name and modality of a new one."""

    def to_internal_value(self, data: Any) -> Any:
        """Text or number stays; an object is checked."""
        if isinstance(data, dict):
            inner = NewModelSerializer(data=data)
            inner.is_valid(raise_exception=True)
            return dict(inner.validated_data)
        if isinstance(data, bool) or not isinstance(data, int | str) or data == "":
            raise serializers.ValidationError(
                "Give the model's id or name, or manufacturer, name and modality of a new one."
            )
        return data

    def to_representation(self, value: Any) -> Any:
        """As given."""
        return value


class RegisterSerializer(serializers.Serializer[Any]):
    """A machine to be registered from the inbox."""

    name = serializers.CharField(max_length=128)
    model = ModelField()
    location = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)


class NewDeviceSerializer(RegisterSerializer):
    """A machine to be registered by hand."""

    serial = serializers.CharField(max_length=64)
    # one of them, or all
    ae_title = serializers.CharField(max_length=16, required=False, allow_blank=True)
    ae_titles = serializers.ListField(child=serializers.CharField(max_length=16), required=False)
    udi = serializers.CharField(max_length=128, required=False, allow_blank=True)
    criticality = serializers.ChoiceField(choices=[1, 2, 3], required=False)


class DesiredConfigSerializer(serializers.Serializer[Any]):
    """The whole wanted configuration, which replaces the one before, and details of the machine."""

    desired_config = ConfigField(required=False)
    name = serializers.CharField(max_length=128, required=False)
    location = serializers.CharField(max_length=64, required=False, allow_blank=True)
    criticality = serializers.ChoiceField(choices=[1, 2, 3], required=False)
    udi = serializers.CharField(max_length=128, required=False, allow_blank=True)
    ae_titles = serializers.ListField(child=serializers.CharField(max_length=16), required=False)
    noted_since = serializers.DateTimeField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something has to be named."""
        if not attrs:
            raise serializers.ValidationError("Name what is to be changed.")
        return attrs


class ReadingInSerializer(serializers.Serializer[Any]):
    """One reading to be stored; at most 10,000 in one call."""

    metric = serializers.CharField()
    value = serializers.FloatField()
    unit = serializers.CharField()
    measured_at = serializers.DateTimeField()


class RejectedSerializer(serializers.Serializer[Any]):
    """A refused item."""

    index = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField()


class ReadingsResultSerializer(serializers.Serializer[Any]):
    """What became of the readings."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = RejectedSerializer(many=True)


class PointSerializer(serializers.Serializer[Any]):
    """A reading, or the mean, smallest and largest of `n` in one step."""

    metric = serializers.CharField()
    unit = serializers.CharField()
    measured_at = serializers.DateTimeField()
    value = serializers.FloatField()
    min = serializers.FloatField()
    max = serializers.FloatField()
    n = serializers.IntegerField()


class SeriesSerializer(serializers.Serializer[Any]):
    """Readings over a span."""

    resolution = serializers.ChoiceField(choices=["raw", "5min", "hour", "day"])
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = PointSerializer(many=True)


class EventSerializer(serializers.ModelSerializer[TwinEvent]):
    """One entry of the journal."""

    actor = serializers.CharField(source="actor.username", allow_null=True, default=None)
    payload = ConfigField()

    class Meta:
        model = TwinEvent
        fields = ["revision", "kind", "at", "recorded_at", "actor", "payload"]
