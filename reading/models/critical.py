"""A result that somebody must know of now, and each attempt to tell them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .on_call import OnCallList


class CriticalState(models.TextChoices):
    """Stored states; transitions stand in `reading.services.critical`."""

    OPEN = "open", "open"
    ACKNOWLEDGED = "acknowledged", "acknowledged"
    CANCELLED = "cancelled", "cancelled"


class CriticalResult(models.Model):
    """Open until a named person repeats it, or its author takes it back.

    Attributes:
        step: position on the on-call list of whoever was told last.
        told: whoever was told last and must act.
        next_at: when the next person is told; `None` once the list is exhausted or it is closed.
    """

    image = models.ForeignKey("imaging.Image", models.PROTECT, related_name="critical_results")
    text = models.TextField(max_length=1000)
    on_call = models.ForeignKey(OnCallList, models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    author_name = models.CharField(max_length=150)
    opened_at = models.DateTimeField()
    state = models.CharField(
        max_length=12, choices=CriticalState.choices, default=CriticalState.OPEN
    )
    step = models.PositiveSmallIntegerField()
    told = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    next_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_by_name = models.CharField(max_length=150, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closing_text = models.TextField(max_length=1000, blank=True)  # read-back, or why cancelled

    class Meta:
        ordering = ["opened_at", "id"]
        indexes = [models.Index(fields=["state", "next_at"], name="critical_state_next")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", closed_by=None, closed_at=None, closing_text="")
                | ~Q(state="open")
                & Q(closed_by__isnull=False, closed_at__isnull=False, next_at=None)
                & ~Q(closing_text=""),
                name="critical_closed_by_somebody_with_words",
                violation_error_message="A closed critical result says by whom, when and in words.",
            ),
        ]

    def __str__(self) -> str:
        return f"critical result {self.pk} {self.state}"

    @property
    def exhausted(self) -> bool:
        """Open, and nobody is left on the list to tell."""
        return self.state == CriticalState.OPEN and self.next_at is None


class CriticalAttempt(models.Model):
    """One attempt to tell one person; rows are only ever added.

    An attempt by e-mail is added when it has ended: `sent`, or `failed` with the reason.
    """

    result = models.ForeignKey(CriticalResult, models.PROTECT, related_name="attempts")
    step = models.PositiveSmallIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    user_name = models.CharField(max_length=150)
    how = models.CharField(
        max_length=8, choices=[("in_app", "on screen"), ("email", "e-mail")], default="in_app"
    )
    at = models.DateTimeField()
    outcome = models.CharField(
        max_length=12,
        choices=[
            ("shown", "shown"),
            ("inactive", "account is closed"),
            ("sent", "sent"),
            ("failed", "not sent"),
        ],
    )
    reason = models.CharField(max_length=300, blank=True, default="")  # why it was not sent

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["result", "step", "how"],
                name="critical_each_step_told_once",
                violation_error_message="This step was told already.",
            ),
        ]

    def __str__(self) -> str:
        return f"step {self.step}: {self.user_name}"
