"""Recalls and field safety notices, and the machines that they may concern."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Severity(models.TextChoices):
    """How dangerous it is, by the classes of 21 CFR 7.3(m); other notices are a notice."""

    I = "I", "class I"  # noqa: E741 - the class's name
    II = "II", "class II"
    III = "III", "class III"
    NOTICE = "notice", "notice"


class Recall(models.Model):
    """One notice, as its list tells it; an import of the same reference changes it."""

    reference = models.CharField(max_length=64, unique=True)
    issued_on = models.DateField(null=True, blank=True)
    manufacturer = models.CharField(max_length=200)
    model_text = models.CharField(max_length=2000)
    # serials, ranges and lots as written; empty: the list names none
    serials = models.TextField(max_length=20_000, blank=True)
    software = models.CharField(max_length=300, blank=True)  # versions concerned; empty: any
    action = models.TextField(max_length=4000, blank=True)
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.NOTICE)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    imported_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        ordering = ["-issued_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reference=""),
                name="recall_has_a_reference",
                violation_error_message="A recall needs its reference.",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Sureness(models.TextChoices):
    """How well a machine fits a notice."""

    CERTAIN = "certain", "certain"
    LIKELY = "likely", "likely"
    POSSIBLE = "possible", "possible"


class CandidateState(models.TextChoices):
    """What a person said of it."""

    OPEN = "open", "to be decided"
    CONFIRMED = "confirmed", "confirmed"
    REJECTED = "rejected", "not concerned"


class RecallCandidate(models.Model):
    """A machine that a notice may concern; never deleted."""

    recall = models.ForeignKey(Recall, models.PROTECT, related_name="candidates")
    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="recalls")
    sureness = models.CharField(max_length=8, choices=Sureness.choices)
    reasons = models.JSONField(default=list)  # sentences
    # the list was changed so that it would no longer be found; it still waits for a person
    still_matches = models.BooleanField(default=True)
    state = models.CharField(
        max_length=12, choices=CandidateState.choices, default=CandidateState.OPEN
    )
    found_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=300, blank=True)
    order = models.ForeignKey(
        "devices.WorkOrder", models.PROTECT, null=True, blank=True, related_name="recalls"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["recall", "device"],
                name="recall_candidate_once",
                violation_error_message="This machine is a candidate already.",
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None)
                | Q(state="confirmed", decided_at__isnull=False)
                | Q(state="rejected", decided_at__isnull=False) & ~Q(decision=""),
                name="recall_candidate_decided_with_reason",
                violation_error_message="Who rules a machine out says why.",
            ),
            models.CheckConstraint(
                condition=Q(order=None) | Q(state="confirmed"),
                name="recall_order_of_a_confirmed_one",
                violation_error_message="Confirm it first.",
            ),
        ]
        indexes = [models.Index(fields=["state"], name="recall_candidate_state")]

    def __str__(self) -> str:
        return f"{self.recall}: {self.device}"


class RecallStep(models.Model):
    """One step of a candidate's history; rows are only ever added (migration 0002)."""

    candidate = models.ForeignKey(RecallCandidate, models.PROTECT, related_name="steps")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
    )
    verb = models.CharField(max_length=16)
    text = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.verb
