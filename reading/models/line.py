"""Films that a reader didn't read: skipped for a while, or waiting for help."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Skip(models.Model):
    """A reader gave a film back to the line; until then it isn't offered to this reader again."""

    image = models.ForeignKey("imaging.Image", models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["by", "until"], name="skip_of_reader")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="skip_has_a_reason",
                violation_error_message="Who skips a film says why.",
            ),
        ]

    def __str__(self) -> str:
        return f"film {self.image_id} skipped until {self.until:%H:%M}"


class HelpState(models.TextChoices):
    """What became of a call for help."""

    OPEN = "open", "waits for help"
    ANSWERED = "answered", "answered"
    WITHDRAWN = "withdrawn", "withdrawn"


class HelpRequest(models.Model):
    """A reader asks the others about a film; one open call per film."""

    image = models.ForeignKey("imaging.Image", models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=HelpState.choices, default=HelpState.OPEN)
    answer = models.CharField(max_length=1000, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image"],
                condition=Q(state="open"),
                name="help_one_open_per_film",
                violation_error_message="Somebody asks for help with this film already.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="help_has_a_reason",
                violation_error_message="Who asks for help says what for.",
            ),
            models.CheckConstraint(
                condition=Q(state="open", ended_at=None, ended_by=None)
                | ~Q(state="open") & Q(ended_at__isnull=False, ended_by__isnull=False),
                name="help_ended_says_who",
                violation_error_message="A call that has ended says who ended it and when.",
            ),
            models.CheckConstraint(
                condition=Q(state="answered") & ~Q(answer="") | ~Q(state="answered") & Q(answer=""),
                name="help_answered_has_an_answer",
                violation_error_message="An answered call has an answer.",
            ),
        ]

    def __str__(self) -> str:
        return f"film {self.image_id}: {self.state}"
