"""Films that must be looked at again, because their machine was degraded when it took them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class ReReadList(models.Model):
    """The list of one mark as degraded; a worker fills it.

    Attributes:
        settled_steps: up to which of the mark's steps every run's trust is known to be right.
        filled_at: when the worker last found no film missing; `None` while it fills.
    """

    span = models.OneToOneField("devices.DegradedSpan", models.PROTECT, related_name="re_read_list")
    settled_steps = models.PositiveSmallIntegerField(default=0)
    filled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"re-read list {self.pk}"


class ReReadWhy(models.TextChoices):
    """What is at stake on the film."""

    FINDING = "finding", "a finding"
    NEGATIVE = "negative", "signed as normal"


class ReReadState(models.TextChoices):
    """Where a film of the list stands."""

    OPEN = "open", "open"
    ASSIGNED = "assigned", "assigned"
    DONE = "done", "done"
    DROPPED = "dropped", "not concerned any more"


class ReReadResult(models.TextChoices):
    """How it was done with."""

    UNCHANGED = "unchanged", "re-read, unchanged"
    CHANGED = "changed", "re-read, changed"
    NOT_RE_READ = "not_re_read", "done without re-reading"


class ReRead(models.Model):
    """One signed film of a list, once (the database holds it)."""

    list = models.ForeignKey(ReReadList, models.PROTECT, related_name="items")
    image = models.ForeignKey("imaging.Image", models.PROTECT, related_name="re_reads")
    why = models.CharField(max_length=8, choices=ReReadWhy.choices)
    exposed_at = models.DateTimeField()  # of the film, so that the list sorts by an index
    signed_at = models.DateTimeField()
    listed_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=ReReadState.choices, default=ReReadState.OPEN)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="re_reads"
    )
    result = models.CharField(max_length=11, choices=ReReadResult.choices, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-exposed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["list", "image"],
                name="re_read_film_once_per_list",
                violation_error_message="This film is on the list already.",
            ),
            models.CheckConstraint(
                condition=Q(state="done", done_at__isnull=False, done_by__isnull=False)
                & ~Q(result="")
                | ~Q(state="done") & Q(done_at=None, done_by=None, result="", note=""),
                name="re_read_done_by_whom_and_how",
                violation_error_message="What is done says by whom and how.",
            ),
            models.CheckConstraint(
                condition=Q(state="assigned", assigned_to__isnull=False)
                | Q(state="open", assigned_to=None)
                | Q(state__in=["done", "dropped"]),
                name="re_read_assigned_has_a_reader",
                violation_error_message="An assigned film names its reader.",
            ),
            models.CheckConstraint(
                condition=Q(result__in=["", "unchanged"]) | ~Q(note=""),
                name="re_read_result_has_words",
                violation_error_message="Say what changed, or why it wasn't re-read.",
            ),
        ]
        indexes = [
            models.Index(fields=["list", "exposed_at"], name="re_read_by_exposure"),
            models.Index(fields=["list", "state", "result"], name="re_read_progress"),
            models.Index(
                fields=["assigned_to"],
                condition=Q(state__in=["open", "assigned"]),
                name="re_read_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"film {self.image_id}: {self.state}"


class ReReadEvent(models.Model):
    """What happened to a film of a list; rows are only ever added."""

    item = models.ForeignKey(ReRead, models.PROTECT, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    verb = models.CharField(max_length=16)
    text = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.verb} {self.at:%Y-%m-%d %H:%M}"
