"""A weights file that somebody sent: looked at in a worker before it becomes a version."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class UploadState(models.TextChoices):
    """What became of an uploaded file."""

    CHECKING = "checking", "being checked"
    ACCEPTED = "accepted", "registered"
    REFUSED = "refused", "refused"


class WeightsUpload(models.Model):
    """One uploaded file with its manifest; the file of a refused one is removed, this row stays."""

    state = models.CharField(
        max_length=16, choices=UploadState.choices, default=UploadState.CHECKING
    )
    name = models.CharField(max_length=64)  # of the version, from the manifest
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    path = models.CharField(max_length=300, blank=True)  # below MEDIA_ROOT; empty: removed
    manifest = models.JSONField()
    evidence = models.JSONField(default=dict)  # as sent; emptied when the check has ended
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    version = models.ForeignKey(
        "detection.DetectorVersion", models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"],
                condition=Q(state="checking"),
                name="weights_upload_checked_once",
                violation_error_message="This file is being checked already.",
            ),
            models.CheckConstraint(
                condition=Q(state="checking") | Q(ended_at__isnull=False),
                name="weights_upload_ended_has_a_time",
                violation_error_message="A check that has ended says when.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"
