"""What the worklist sorts by: one row per film, kept by `detection.services.worklist`."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from imaging.models import Urgency

from .finding import Label
from .run import RunState, Trust


class WorklistItem(models.Model):
    """A film's place in the line, copied from its latest run, findings and signature.

    Everything here can be computed again from those rows; it is stored because sorting 10,000
    films by their latest run's highest score is too slow to do on every page view. `rank` has
    neither clock nor ceiling in it: `detection.priority` says how it becomes an urgency.
    """

    image = models.OneToOneField("imaging.Image", models.CASCADE, related_name="worklist_item")
    run = models.ForeignKey(
        "detection.DetectionRun", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    run_state = models.CharField(max_length=16, choices=RunState.choices, blank=True)
    flagged = models.BooleanField(default=False)
    label = models.CharField(max_length=16, choices=Label.choices, blank=True)
    score = models.FloatField(null=True, blank=True)  # highest of the findings that flag
    trust = models.CharField(max_length=8, choices=Trust.choices, default=Trust.UNKNOWN)
    needs_reader = models.BooleanField(default=False)
    signed = models.BooleanField(default=False)
    # as the header or a person asks; who and why in words, empty where the header says it
    urgency = models.CharField(max_length=8, choices=Urgency.choices, blank=True, default="")
    urgency_reason = models.CharField(max_length=300, blank=True, default="")
    rank = models.FloatField(default=0.0)  # hours
    # what the detector and the machine's trust give, in ceilings; it ends at the ceiling
    head_start = models.FloatField(default=0.0)
    waiting_since = models.DateTimeField()
    # when it was signed, where `detection.second_look` wants another reader; NULL once one looked
    look_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(flagged=False) | ~Q(label="") & Q(score__isnull=False),
                name="worklist_flag_has_a_finding",
                violation_error_message="A flagged film names the finding that flags it.",
            ),
        ]
        indexes = [
            # the order itself has the clock in it: open rows are few columns wide, and sorted whole
            models.Index(fields=["waiting_since"], condition=Q(signed=False), name="worklist_open"),
            models.Index(fields=["image"], condition=Q(run=None), name="worklist_without_run"),
            models.Index(
                fields=["look_since"],
                condition=Q(look_since__isnull=False),
                name="worklist_second_look",
            ),
        ]

    def __str__(self) -> str:
        return f"film {self.image_id} {self.run_state}"


class UrgencySet(models.Model):
    """What a person says of a film's urgency; stands above the header. The audit keeps each."""

    image = models.OneToOneField("imaging.Image", models.CASCADE, related_name="urgency_set")
    urgency = models.CharField(max_length=8, choices=Urgency.choices)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="urgency_set_has_a_reason",
                violation_error_message="Who changes the urgency of a film says why.",
            ),
        ]

    def __str__(self) -> str:
        return f"film {self.image_id}: {self.urgency}"
