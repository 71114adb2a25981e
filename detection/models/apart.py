"""Readings that no clinician sees: of a version that reads along, or of one that is measured."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Purpose(models.TextChoices):
    """Why a film is read apart from the clinicians' pages."""

    SHADOW = "shadow", "reading along"
    SCORING = "scoring", "signed films"


class ReadingState(models.TextChoices):
    """Of a reading apart; a lease on a queued one says that somebody is at it."""

    QUEUED = "queued", "waits"
    DONE = "done", "read"
    FAILED = "failed", "could not be read"


class VersionReading(models.Model):
    """One film read by one version, kept apart from `DetectionRun` and `Finding`.

    A table of its own, so that worklist, film page, priority, trust and export can't show one by
    forgetting a filter, and a version that is promoted later starts with no run for any film.
    """

    version = models.ForeignKey(
        "detection.DetectorVersion", models.PROTECT, related_name="readings"
    )
    image = models.ForeignKey("imaging.Image", models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    state = models.CharField(
        max_length=16, choices=ReadingState.choices, default=ReadingState.QUEUED
    )
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    scores = models.JSONField(default=dict)  # {class: best score of the film, 0 without a box}
    # [[class, score, left, top, width, height]], best first, pixels of the stored image
    boxes = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "image"],
                name="reading_one_per_version_and_image",
                violation_error_message="This version has a reading of the image already.",
            ),
            models.CheckConstraint(
                condition=Q(state="queued") | Q(finished_at__isnull=False, lease_until=None),
                name="reading_finished_has_a_time",
                violation_error_message="A finished reading says when, and nobody holds it.",
            ),
        ]
        indexes = [
            models.Index(fields=["queued_at"], condition=Q(state="queued"), name="reading_waits"),
            models.Index(fields=["version", "state", "finished_at"], name="reading_of_version"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} on film {self.image_id}: {self.state}"
