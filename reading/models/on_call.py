"""Who must know, in which order, and how long each has."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class OnCallList(models.Model):
    """A named list that admins keep."""

    name = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OnCallStep(models.Model):
    """One person of a list; after `minutes` without an acknowledgement the next is told."""

    on_call = models.ForeignKey(OnCallList, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    minutes = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["on_call", "position"],
                name="on_call_one_person_per_step",
                violation_error_message="Two people stand at the same step.",
            ),
            models.CheckConstraint(
                condition=Q(minutes__gte=1),
                name="on_call_step_takes_a_minute",
                violation_error_message="A step lasts at least one minute.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.user}, {self.minutes} min"
