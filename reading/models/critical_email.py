"""E-mails that tell of critical results: each is decided in a row before it is sent."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .critical import CriticalResult


class EmailState(models.TextChoices):
    """Stored states; transitions stand in `reading.services.critical_email`."""

    QUEUED = "queued", "waits"
    SENDING = "sending", "being sent"
    SENT = "sent", "sent"
    FAILED = "failed", "not sent"


class CriticalEmail(models.Model):
    """One e-mail to one person of the list; its end is kept as an attempt, too.

    Attributes:
        step: position on the on-call list, as in the attempt on screen.
        tries: how often the mail server was asked.
        due_at: when it is sent, or sent again; `None` while it is being sent and once it has ended.
        taken_at: when the present try began; one that never ended is not repeated, since nobody
            knows whether the message left.
    """

    result = models.ForeignKey(CriticalResult, models.PROTECT, related_name="emails")
    step = models.PositiveSmallIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=EmailState.choices, default=EmailState.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "due_at"], name="critical_email_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["result", "step"],
                name="critical_email_once_per_step",
                violation_error_message="This step has its e-mail.",
            ),
            models.CheckConstraint(
                condition=Q(state="queued", due_at__isnull=False)
                | ~Q(state="queued") & Q(due_at=None),
                name="critical_email_due_while_queued",
                violation_error_message="An e-mail that waits says until when.",
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(taken_at__isnull=False),
                name="critical_email_taken_at_a_time",
                violation_error_message="An e-mail that is being sent says since when.",
            ),
        ]

    def __str__(self) -> str:
        return f"step {self.step}: {self.state}"
