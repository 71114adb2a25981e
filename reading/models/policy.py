"""How this house reads: the newest row counts, and all rows together are the history."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

SHORTEST, LONGEST = 15, 1440  # minutes


class Twice(models.TextChoices):
    """Which films two readers read without seeing each other's reading."""

    NONE = "none", "none"
    SHARE = "share", "a share, drawn by the film's SHA-256"
    FLAGGED = "flagged", "those that the detector flags"
    ALL = "all", "all"


class ReadingPolicy(models.Model):
    """What an admin settled, when and why; rows are only ever added."""

    # one more than the row before, so that of two changes made from the same row one is refused
    number = models.PositiveIntegerField(unique=True)
    ceiling_minutes = models.PositiveSmallIntegerField(default=60)
    twice = models.CharField(max_length=8, choices=Twice.choices, default=Twice.NONE)
    twice_percent = models.PositiveSmallIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ceiling_minutes__gte=SHORTEST, ceiling_minutes__lte=LONGEST),
                name="policy_ceiling_is_bounded",
                violation_error_message=f"A ceiling lasts {SHORTEST} to {LONGEST} minutes.",
            ),
            models.CheckConstraint(
                # NULL >= 1 is neither true nor false, and a check that isn't false holds
                condition=Q(twice="share", twice_percent__isnull=False)
                & Q(twice_percent__gte=1, twice_percent__lte=100)
                | ~Q(twice="share") & Q(twice_percent=None),
                name="policy_share_has_a_percentage",
                violation_error_message="A share, and nothing else, has 1 to 100 percent.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="policy_has_a_reason",
                violation_error_message="Who changes the policy says why.",
            ),
        ]

    def __str__(self) -> str:
        return f"policy {self.number}"

    @property
    def ceiling(self) -> timedelta:
        """Past which no later film overtakes."""
        return timedelta(minutes=self.ceiling_minutes)

    @property
    def twice_words(self) -> str:
        """Which films are read twice, in words."""
        if self.twice == Twice.SHARE:
            return f"{self.twice_percent} %, drawn by the film's SHA-256"
        return self.get_twice_display()
