"""Shapes of rules, their versions, checks and replays in REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from devices.models import Alert, Rule, RuleVersion
from devices.models.rule import RuleKind

from .serializers import CheckSerializer

_OBJECT = {"type": "object", "additionalProperties": {}}


@extend_schema_field(_OBJECT)
class ParamsField(serializers.JSONField):
    """The kind's own parameters by name (docs/rules.md)."""

    def to_internal_value(self, data: Any) -> Any:
        """Names, or nothing."""
        given = super().to_internal_value(data)
        if given is not None and not isinstance(given, dict):
            raise serializers.ValidationError("Give the kind's parameters by name.")
        return given


class RuleVersionSerializer(serializers.ModelSerializer[RuleVersion]):
    """What the rule said from a moment on, who made it so and why."""

    by = serializers.CharField(source="by.username", allow_null=True, default=None)
    values = ParamsField()

    class Meta:
        model = RuleVersion
        fields = ["number", "at", "by", "reason", "values"]


class RuleSerializer(serializers.ModelSerializer[Rule]):
    """A rule as it stands."""

    model = serializers.SerializerMethodField()
    metric = serializers.CharField(source="metric.key", allow_null=True, default=None)
    unit = serializers.CharField(source="metric.unit", allow_null=True, default=None)
    params = ParamsField()
    version = serializers.IntegerField(source="current.number", allow_null=True, default=None)

    class Meta:
        model = Rule
        fields = [
            "id",
            "model",
            "metric",
            "unit",
            "kind",
            "name",
            "severity",
            "low",
            "high",
            "hysteresis",
            "for_seconds",
            "min_samples",
            "keep_seconds",
            "params",
            "affects_image",
            "marks_degraded",
            "enabled",
            "version",
        ]

    def get_model(self, rule: Rule) -> int | None:
        """Number of the make whose machines it watches."""
        return rule.metric.device_model_id if rule.metric else rule.device_model_id


class RuleDetailSerializer(RuleSerializer):
    """A rule with its history, newest version first."""

    history = serializers.SerializerMethodField()

    class Meta(RuleSerializer.Meta):
        fields = [*RuleSerializer.Meta.fields, "history"]

    @extend_schema_field(RuleVersionSerializer(many=True))
    def get_history(self, rule: Rule) -> Any:
        """Every version."""
        return RuleVersionSerializer(self.context["history"], many=True).data


class RuleValuesSerializer(serializers.Serializer[Any]):
    """Values of a rule as somebody gives them; a bad one is named in `extra.fields`."""

    name = serializers.JSONField(required=False)
    severity = serializers.JSONField(required=False)
    low = serializers.JSONField(required=False, allow_null=True)
    high = serializers.JSONField(required=False, allow_null=True)
    hysteresis = serializers.JSONField(required=False, allow_null=True)
    for_seconds = serializers.JSONField(required=False, allow_null=True)
    min_samples = serializers.JSONField(required=False, allow_null=True)
    keep_seconds = serializers.JSONField(required=False, allow_null=True)
    params = ParamsField(required=False)
    affects_image = serializers.BooleanField(required=False)
    marks_degraded = serializers.BooleanField(required=False)


class RuleChangeSerializer(RuleValuesSerializer):
    """Other values for a rule; what isn't given stays."""

    reason = serializers.CharField(max_length=300)
    version = serializers.IntegerField(required=False, min_value=0)


class NewRuleSerializer(RuleValuesSerializer):
    """A new rule: of a metric, or (configuration, clock) of the machine as a whole."""

    model = serializers.IntegerField(min_value=1)
    metric = serializers.CharField(required=False, allow_null=True, max_length=64)
    kind = serializers.ChoiceField(choices=RuleKind.choices)
    reason = serializers.CharField(max_length=300)


class RuleReasonSerializer(serializers.Serializer[Any]):
    """Why it is switched."""

    reason = serializers.CharField(max_length=300)


# `from` is a word of the language, so that field is declared in `get_fields`
class ReplayRequestSerializer(RuleValuesSerializer):
    """A saved rule, or one that isn't, and the past of a machine; the last year unless told."""

    device = serializers.IntegerField(min_value=1)
    rule = serializers.IntegerField(required=False, min_value=1)
    kind = serializers.ChoiceField(choices=RuleKind.choices, required=False)
    metric = serializers.CharField(required=False, allow_null=True, max_length=64)
    to = serializers.DateTimeField(required=False)

    def get_fields(self) -> dict[str, Any]:
        """And `from`."""
        return {**super().get_fields(), "from": serializers.DateTimeField(required=False)}


class MishapSerializer(serializers.Serializer[Any]):
    """A failure that really was."""

    at = serializers.DateTimeField()
    ends = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField()


class RingSerializer(serializers.Serializer[Any]):
    """An alert that there would have been."""

    opened_at = serializers.DateTimeField()
    cleared_at = serializers.DateTimeField(allow_null=True)
    value = serializers.FloatField()
    followed_by = MishapSerializer(allow_null=True)
    ahead_seconds = serializers.SerializerMethodField()

    def get_ahead_seconds(self, ring: Any) -> float | None:
        """How long before the failure; not above zero where it was there first."""
        return None if ring.ahead is None else ring.ahead.total_seconds()


class ReplaySerializer(serializers.Serializer[Any]):
    """What the rule would have done."""

    sentence = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    readings = serializers.IntegerField()
    alerts = RingSerializer(source="rings", many=True)
    failures = MishapSerializer(source="mishaps", many=True)
    missed = MishapSerializer(many=True)
    ahead_days = serializers.FloatField(allow_null=True)


class CheckAlertSerializer(serializers.ModelSerializer[Alert]):
    """An alert that the rule opened on the machine."""

    version = serializers.IntegerField(source="rule_version.number", allow_null=True, default=None)

    class Meta:
        model = Alert
        fields = ["id", "state", "severity", "message", "since", "opened_at", "resolved_at",
                  "version"]  # fmt: skip


class CheckDetailSerializer(serializers.Serializer[Any]):
    """One check with its rule in words and the alerts it opened."""

    check = CheckSerializer(allow_null=True)
    rule = RuleSerializer()
    sentence = serializers.CharField()
    alerts = CheckAlertSerializer(many=True)
