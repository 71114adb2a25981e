"""Alerts that came together on one supply: one incident, one notification."""

from __future__ import annotations

from django.db import models

from .device_model import Severity


class AlertGroup(models.Model):
    """An incident; it lives until its head is resolved, and each member keeps its own life.

    Attributes:
        label: the supply's name as it was.
        head: the alert that came first and of which people were told.
        severity: the highest of which people were told.
        last_at: when its newest member came; a later one joins within some minutes of it.
        ended_at: when the head was resolved; members stand on their own from then on.
    """

    supply = models.ForeignKey(
        "devices.Supply", models.SET_NULL, null=True, blank=True, related_name="groups"
    )
    label = models.CharField(max_length=64)
    head = models.ForeignKey("devices.Alert", models.CASCADE, related_name="heads")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["head"],
                condition=models.Q(ended_at=None),
                name="alert_group_one_live_per_head",
                violation_error_message="This alert heads an incident already.",
            ),
        ]

    def __str__(self) -> str:
        return self.label
