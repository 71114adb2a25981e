"""What all machines of one make share: metrics, their units, and the rules that watch them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from .component import ComponentKind


class DeviceModel(models.Model):
    """A make and model of imaging machine."""

    manufacturer = models.CharField(max_length=128)
    name = models.CharField(max_length=128)
    modality = models.CharField(max_length=16)  # DICOM Modality (0008,0060): CR, DX, …
    is_synthetic = models.BooleanField(default=False)
    # what the manufacturer wants done, and the document that says so
    maintenance_months = models.PositiveSmallIntegerField(null=True, blank=True)
    maintenance_source = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["manufacturer", "name"],
                name="device_model_is_unique",
                violation_error_message="This model is known already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.manufacturer} {self.name}"


class Metric(models.Model):
    """A quantity that machines of a model report, in one UCUM unit."""

    device_model = models.ForeignKey(DeviceModel, models.CASCADE, related_name="metrics")
    key = models.SlugField(max_length=64)
    label = models.CharField(max_length=128)
    unit = models.CharField(max_length=32)
    # a value older than this many seconds says nothing about now
    max_age = models.PositiveIntegerField(default=7 * 86_400)
    # values outside can't be real and are refused at the door
    plausible_low = models.FloatField(null=True, blank=True)
    plausible_high = models.FloatField(null=True, blank=True)
    # a count that only grows, of this kind of part; empty: no counter
    counter_of = models.CharField(
        max_length=16, choices=ComponentKind.choices, blank=True, default=""
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device_model", "key"],
                name="metric_is_unique_in_model",
                violation_error_message="The model has this metric already.",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Severity(models.TextChoices):
    """How soon somebody must act. A technical alert, not a patient alarm (IEC 60601-1-8)."""

    WATCH = "watch", "watch"
    ACT = "act", "act"


class Rule(models.Model):
    """A limit on one metric, with duration and hysteresis.

    It fires when `min_samples` consecutive readings, spanning at least `for_seconds`, lie outside
    [`low`, `high`]; it clears when a reading lies inside by `hysteresis`.
    """

    metric = models.ForeignKey(Metric, models.CASCADE, related_name="rules")
    name = models.CharField(max_length=128)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    hysteresis = models.FloatField(default=0.0)
    for_seconds = models.PositiveIntegerField(default=0)
    min_samples = models.PositiveSmallIntegerField(default=1)
    # does a failing check make the pictures less trustworthy, or only the machine's upkeep?
    affects_image = models.BooleanField(default=True)
    enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "severity"],
                name="rule_one_per_metric_and_severity",
                violation_error_message="The metric has a rule of this severity already.",
            ),
            models.CheckConstraint(
                condition=Q(low__isnull=False) | Q(high__isnull=False),
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
        ]

    def __str__(self) -> str:
        return self.name
