"""A machine whose pictures are worse than they should be, since a moment that somebody names."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class DegradedSource(models.TextChoices):
    """Who said so."""

    PERSON = "person", "a person"
    ALERT = "alert", "a rule, by its alert"


class DegradedSpan(models.Model):
    """`[since, until)` in which a machine's pictures are doubted; without `until` it lasts.

    Never erased: it ends when the machine is repaired, or is withdrawn where it was a mistake; what
    was said at first stays (the database holds it). A machine has one standing span at a time.

    Attributes:
        changed_at: our time of the last step; a worker looks at the machine's films after it.
        steps: how many steps it has had: marked, ended, withdrawn.
    """

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="degraded_spans")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    source = models.CharField(max_length=8, choices=DegradedSource.choices)
    alert = models.ForeignKey(
        "devices.Alert", models.PROTECT, null=True, blank=True, related_name="degraded_spans"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    end_reason = models.CharField(max_length=300, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdraw_reason = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField()
    steps = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["-since", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device"],
                condition=Q(until=None, withdrawn_at=None),
                name="degraded_one_that_lasts_per_device",
                violation_error_message="This machine is marked as degraded already.",
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("since")),
                name="degraded_ends_after_it_begins",
                violation_error_message="A degraded span ends after it begins.",
            ),
            models.CheckConstraint(
                condition=~Q(reason="")
                & (
                    Q(source="person", by__isnull=False)
                    | Q(source="alert", by=None, alert__isnull=False)
                ),
                name="degraded_says_why_and_by_what",
                violation_error_message="Say why the machine is degraded.",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="")
                | Q(ended_at__isnull=False, until__isnull=False) & ~Q(end_reason=""),
                name="degraded_end_has_a_reason",
                violation_error_message="Say why the machine is good again.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdraw_reason="")
                | Q(withdrawn_at__isnull=False) & ~Q(withdraw_reason=""),
                name="degraded_withdrawal_has_a_reason",
                violation_error_message="Say why the mark is withdrawn.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} degraded since {self.since:%Y-%m-%d %H:%M}"

    @property
    def lasts(self) -> bool:
        """Neither ended nor withdrawn."""
        return self.until is None and self.withdrawn_at is None
