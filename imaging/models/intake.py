"""What became of every file that came to a door, refused ones included."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .image import Door


class Outcome(models.TextChoices):
    """What became of one file."""

    STORED = "stored", "stored"
    DUPLICATE = "duplicate", "duplicate"
    QUARANTINED = "quarantined", "in quarantine"
    REFUSED = "refused", "refused"


class QuarantineState(models.TextChoices):
    """`open` until an admin or clinician looked at it."""

    OPEN = "open", "open"
    DISMISSED = "dismissed", "looked at"


class QuarantinedFile(models.Model):
    """A file whose identity contradicts what is stored: kept, not shown, somebody must look."""

    code = models.CharField(max_length=32)  # sop_uid_conflict, identity_conflict
    message = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=200, unique=True)
    size = models.PositiveBigIntegerField()
    # what it collides with, and what the file or its sender says instead
    existing = models.ForeignKey("imaging.Image", models.PROTECT, related_name="contested_by")
    claimed_patient = models.CharField(max_length=64)
    claimed_serial = models.CharField(max_length=64, blank=True)
    claimed_sop_uid = models.CharField(max_length=64)
    state = models.CharField(
        max_length=16, choices=QuarantineState.choices, default=QuarantineState.OPEN
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            # the same bytes may come under several names: a picture's patient is said by its sender
            models.UniqueConstraint(
                fields=["sha256", "claimed_patient", "claimed_serial"],
                name="quarantined_claim_is_kept_once",
                violation_error_message="This file is in quarantine already.",
            ),
        ]
        indexes = [
            # what waits is counted on every page of those who look after it
            models.Index(
                fields=["created_at"],
                condition=models.Q(state=QuarantineState.OPEN),
                name="quarantined_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.sha256[:12]}"


class Intake(models.Model):
    """One file at one door, once: the upload page's row."""

    filename = models.CharField(max_length=255)  # as sent; hostile text
    batch = models.CharField(max_length=36, blank=True, db_index=True)
    door = models.CharField(max_length=16, choices=Door.choices)
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    code = models.CharField(max_length=64, blank=True)
    message = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    image = models.ForeignKey(
        "imaging.Image", models.SET_NULL, null=True, blank=True, related_name="intakes"
    )
    quarantined = models.ForeignKey(
        QuarantinedFile, models.SET_NULL, null=True, blank=True, related_name="intakes"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.filename} {self.outcome}"
