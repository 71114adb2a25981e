"""How trust in a film's machine changed after the film was read."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .run import Trust


class TrustCursor(models.Model):
    """One row: readings up to this number are known to every run's trust."""

    last_reading_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(id=1),
                name="trust_cursor_is_one_row",
                violation_error_message="There is one cursor.",
            ),
        ]

    def __str__(self) -> str:
        return f"readings up to {self.last_reading_id}"


class TrustCause(models.TextChoices):
    """What made trust be reckoned anew, with another end."""

    DEGRADED = "degraded", "the machine was marked as degraded"
    ENDED = "ended", "the mark as degraded was given its end"
    WITHDRAWN = "withdrawn", "the mark as degraded was withdrawn"
    READINGS = "readings", "readings came later"
    MACHINE = "machine", "the machine became known"


class TrustChange(models.Model):
    """One change of a run's trust after it was first reckoned; rows are only ever added.

    The run holds the present trust, so that nothing has to look here to sort or filter; this is how
    it came to be. A change of words alone (one more reading in the same run) makes no row.
    """

    run = models.ForeignKey("detection.DetectionRun", models.PROTECT, related_name="trust_changes")
    was = models.CharField(max_length=8, choices=Trust.choices)
    level = models.CharField(max_length=8, choices=Trust.choices)
    reasons = models.JSONField(default=list)  # as on the run
    because = models.CharField(max_length=10, choices=TrustCause.choices)
    span = models.ForeignKey(
        "devices.DegradedSpan", models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(because__in=["degraded", "ended", "withdrawn"], span__isnull=False)
                | Q(because__in=["readings", "machine"], span=None),
                name="trust_change_names_its_mark",
                violation_error_message="A change by a mark names the mark.",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.run_id}: {self.was} to {self.level}"
