"""What all machines of one make share: metrics and their units; its rules stand in `rule`."""

from __future__ import annotations

from django.db import models


class DeviceModel(models.Model):
    """A make and model of imaging machine."""

    manufacturer = models.CharField(max_length=128)
    name = models.CharField(max_length=128)
    modality = models.CharField(max_length=16)  # DICOM Modality (0008,0060): CR, DX, …
    is_synthetic = models.BooleanField(default=False)

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
    # usual seconds between readings, where there is one; silence is reckoned by it
    cadence = models.PositiveIntegerField(null=True, blank=True)
    # values outside can't be real and are refused at the door
    plausible_low = models.FloatField(null=True, blank=True)
    plausible_high = models.FloatField(null=True, blank=True)

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
