"""How long people may take, and what counts as one incident: what an admin settled, with why."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

LONGEST_ESCALATE, LONGEST_GROUP = 1_440, 240  # minutes


class AlertPolicy(models.Model):
    """One settled policy; the newest holds, and rows are only ever added.

    Attributes:
        number: counts up; of two who settle at once the database takes one.
        escalate_minutes: an `act` alert that nobody acknowledged for so long is told of once more.
        group_minutes: an alert joins the incident of its supply within so many of its newest one.
        by_name: who, as they were called.
    """

    number = models.PositiveIntegerField(unique=True)
    escalate_minutes = models.PositiveSmallIntegerField()
    group_minutes = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(escalate_minutes__range=(1, LONGEST_ESCALATE))
                & Q(group_minutes__range=(1, LONGEST_GROUP)),
                name="alert_policy_minutes_are_bounded",
                violation_error_message="These minutes are out of their range.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="alert_policy_has_a_reason",
                violation_error_message="Who changes the policy says why.",
            ),
        ]

    def __str__(self) -> str:
        return f"alert policy {self.number}"
