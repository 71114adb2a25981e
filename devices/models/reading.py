"""What a machine measured, or what its pictures tell of it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class ReadingSource(models.TextChoices):
    """The door a reading came through."""

    REST = "rest", "sent by the device"
    MQTT = "mqtt", "sent by the device over MQTT"
    DICOM = "dicom", "image header"
    PIXELS = "pixels", "image pixels"
    CSV = "csv", "file of readings"
    DOSE_REPORT = "dose_report", "radiation dose report"
    SIMULATOR = "simulator", "simulator"


class Reading(models.Model):
    """One value of one metric, in the metric's unit, at the device's own time.

    On PostgreSQL the table is partitioned by the month of `measured_at` (UTC), see
    `devices.services.partitions`; its primary key there is (`id`, `measured_at`).
    """

    # the unique constraint's index finds a machine's; a metric alone is never asked for
    device = models.ForeignKey(
        "devices.Device", models.CASCADE, related_name="readings", db_index=False
    )
    metric = models.ForeignKey(
        "devices.Metric", models.PROTECT, related_name="readings", db_index=False
    )
    value = models.FloatField()
    measured_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)  # our time
    source = models.CharField(max_length=16, choices=ReadingSource.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "metric", "measured_at"],
                name="reading_is_counted_once",
                violation_error_message="This reading is already there.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.value}"
