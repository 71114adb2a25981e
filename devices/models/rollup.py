"""What readings come to: the newest one, five minutes, an hour, a day of the hospital.

They are moved in the statement that stores a reading (`services.reading_rows`), so they are exact
at commit, whatever order, repetition or batches the readings came in.
"""

from __future__ import annotations

from math import sqrt

from django.db import models


class ReadingLatest(models.Model):
    """The newest reading of a machine's metric."""

    pk = models.CompositePrimaryKey("device_id", "metric_id")
    device = models.ForeignKey(
        "devices.Device", models.CASCADE, related_name="latest", db_index=False
    )
    metric = models.ForeignKey("devices.Metric", models.PROTECT, related_name="+", db_index=False)
    measured_at = models.DateTimeField()
    value = models.FloatField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.device_id}/{self.metric_id} {self.value}"


class Rollup(models.Model):
    """A stretch of one metric's readings, in the metric's unit.

    Count, sum and sum of squared distances from the mean can be added to those of another stretch
    (Chan, Golub and LeVeque 1983), so a late reading needs none of the earlier ones.
    """

    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="+", db_index=False)
    metric = models.ForeignKey("devices.Metric", models.PROTECT, related_name="+", db_index=False)
    n = models.PositiveIntegerField()
    total = models.FloatField()
    m2 = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def mean(self) -> float:
        """Of its readings."""
        return self.total / self.n

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation; `None` of a single reading."""
        return sqrt(self.m2 / (self.n - 1)) if self.n > 1 else None


class Reading5Min(Rollup):
    """Readings from `starts_at` on, five minutes long; full five minutes of UTC."""

    pk = models.CompositePrimaryKey("device_id", "metric_id", "starts_at")
    starts_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.device_id}/{self.metric_id} {self.starts_at:%F %R}"


class ReadingHour(Rollup):
    """Readings from `starts_at` on, an hour long; full hours of UTC."""

    pk = models.CompositePrimaryKey("device_id", "metric_id", "starts_at")
    starts_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.device_id}/{self.metric_id} {self.starts_at:%F %R}"


class ReadingDay(Rollup):
    """Readings of one calendar day in the hospital's zone (`TIME_ZONE`)."""

    pk = models.CompositePrimaryKey("device_id", "metric_id", "day")
    day = models.DateField()

    def __str__(self) -> str:
        return f"{self.device_id}/{self.metric_id} {self.day}"
