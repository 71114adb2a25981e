"""Which version read when, and what was known then: every change of the active one, for ever."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Promotion(models.Model):
    """One change of the active version; rows are only ever added."""

    version = models.ForeignKey(
        "detection.DetectorVersion", models.PROTECT, related_name="promotions"
    )
    instead_of = models.ForeignKey(
        "detection.DetectorVersion", models.PROTECT, null=True, related_name="+"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    rolled_back = models.BooleanField(default=False)
    # in force from then on; empty in rows from before they were kept
    thresholds = models.JSONField(default=dict)
    temperature = models.FloatField(null=True, blank=True)
    offset = models.FloatField(default=0.0)
    # data set on which they were chosen at this change; empty: the version's own stayed
    chosen_on = models.CharField(max_length=16, blank=True, default="")
    # {figure: {difference, low, high, worse}} on val against `instead_of`; empty: not compared
    comparison = models.JSONField(default=dict)

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.version} by {self.by_name}"
