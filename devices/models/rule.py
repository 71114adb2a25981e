"""The rules that watch the machines of a model, every version of them, and where each stands."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .device_model import Severity


class RuleKind(models.TextChoices):
    """What a rule looks at; `devices.rule_kinds` says how each is reckoned."""

    LIMIT = "limit", "limit"
    RATE = "rate", "rate of change"
    DRIFT = "drift", "drift from its own baseline"
    ANOMALY = "anomaly", "unusual behaviour"
    SILENCE = "silence", "silence"
    STUCK = "stuck", "standing still"
    IMAGE_QUALITY = "image_quality", "image quality"
    REJECT_RATE = "reject_rate", "reject rate"
    CONFIG = "config", "configuration"
    CLOCK = "clock", "clock"
    QA = "qa", "QA protocol"


OF_MACHINE = [RuleKind.CONFIG, RuleKind.CLOCK, RuleKind.QA]
WITH_LIMITS = [
    RuleKind.LIMIT,
    RuleKind.RATE,
    RuleKind.STUCK,
    RuleKind.IMAGE_QUALITY,
    RuleKind.REJECT_RATE,
]


class Rule(models.Model):
    """One rule as it stands; `current` is the version that says who made it so, and why.

    It fires when `min_samples` values in a row, spanning at least `for_seconds`, lie outside
    [`low`, `high`]; it clears when one lies inside by `hysteresis`, at the earliest `keep_seconds`
    after the last bad one. What the values are depends on the kind and its `params`.
    """

    # of a metric, or (configuration, clock, QA) of the machine as a whole
    metric = models.ForeignKey(
        "devices.Metric", models.CASCADE, null=True, blank=True, related_name="rules"
    )
    device_model = models.ForeignKey(
        "devices.DeviceModel", models.CASCADE, null=True, blank=True, related_name="machine_rules"
    )
    kind = models.CharField(max_length=16, choices=RuleKind.choices, default=RuleKind.LIMIT)
    name = models.CharField(max_length=128)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    hysteresis = models.FloatField(default=0.0)
    for_seconds = models.PositiveIntegerField(default=0)
    min_samples = models.PositiveSmallIntegerField(default=1)
    keep_seconds = models.PositiveIntegerField(default=0)
    params = models.JSONField(default=dict, blank=True)
    # does a failing check make the pictures less trustworthy, or only the machine's upkeep?
    affects_image = models.BooleanField(default=True)
    # does its alert mark the machine as degraded since the first reading outside the limits?
    marks_degraded = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    current = models.ForeignKey(
        "devices.RuleVersion", models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "kind", "severity", "name"],
                name="rule_one_per_metric_kind_severity_and_name",
                violation_error_message="The metric has a rule of this kind, severity and name.",
            ),
            models.UniqueConstraint(
                fields=["device_model", "kind", "severity", "name"],
                name="rule_one_per_model_kind_severity_and_name",
                violation_error_message="The model has a rule of this kind, severity and name.",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=WITH_LIMITS) | Q(low__isnull=False) | Q(high__isnull=False),
                name="rule_has_a_limit",
                violation_error_message="A rule needs a lower or an upper limit.",
            ),
            models.CheckConstraint(
                condition=Q(low=None) | Q(high=None) | Q(low__lt=F("high")),
                name="rule_limits_are_ordered",
                violation_error_message="The lower limit must lie below the upper one.",
            ),
            models.CheckConstraint(
                condition=Q(hysteresis__gte=0) & Q(min_samples__gte=1),
                name="rule_hysteresis_not_negative",
                violation_error_message="Hysteresis can't be negative; one sample at least.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OF_MACHINE, metric=None, device_model__isnull=False)
                | ~Q(kind__in=OF_MACHINE) & Q(metric__isnull=False, device_model=None),
                name="rule_of_a_metric_or_of_a_model",
                violation_error_message="A rule is of a metric, or of the machine as a whole.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RuleVersion(models.Model):
    """What a rule said from a moment on; rows are only ever added (database trigger)."""

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    # every parameter of the rule, as `devices.services.rules` writes it
    values = models.JSONField()
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
    )
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["rule", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "number"],
                name="rule_version_number_is_unique",
                violation_error_message="Another change took this number.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} v{self.number}"


class RuleState(models.Model):
    """Where the fold of one rule over one machine's readings stands, so that nobody reads a year.

    `late_from` is the earliest reading that came in behind `last_at`: the worker folds again.
    """

    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="rule_states")
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="states")
    fingerprint = models.CharField(max_length=64)  # of the rule that made it
    state = models.JSONField()
    verdict = models.JSONField()
    last_at = models.DateTimeField(null=True)
    late_from = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "rule"],
                name="rule_state_one_per_device_and_rule",
                violation_error_message="This state is kept already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id}/{self.rule_id}"


class RuleChange(models.Model):
    """The verdict of a kept rule became another one: what a look into the past is told."""

    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="rule_changes")
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    verdict = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "rule", "at"],
                name="rule_change_one_per_moment",
                violation_error_message="This change is kept already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id}/{self.rule_id} {self.at:%Y-%m-%d %H:%M}"
