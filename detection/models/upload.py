"""A weights file that an admin sent: a worker tries it before it becomes a version."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class UploadState(models.TextChoices):
    """What became of an uploaded file."""

    UPLOADED = "uploaded", "waits for its check"
    CHECKING = "checking", "being checked"
    ACCEPTED = "accepted", "registered"
    REFUSED = "refused", "refused"


class WeightsUpload(models.Model):
    """One uploaded file with its manifest; the row is the truth, its message a hint.

    The files of a refused one are removed, the row with the reason stays.
    """

    state = models.CharField(
        max_length=16, choices=UploadState.choices, default=UploadState.UPLOADED
    )
    name = models.CharField(max_length=64)  # of the version, from the manifest
    sha256 = models.CharField(max_length=64)  # of the weights
    size = models.PositiveBigIntegerField()  # of the weights, in bytes
    # below MEDIA_ROOT, under names of ours; empty: removed, or never there
    path = models.CharField(max_length=300, blank=True)
    evidence_path = models.CharField(max_length=300, blank=True)
    manifest = models.JSONField()
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    sent_at = models.DateTimeField()  # last time a message was sent for it
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    code = models.CharField(max_length=64, blank=True)  # why it was refused, for a program
    message = models.CharField(max_length=500, blank=True)  # and for a person
    version = models.OneToOneField(
        "detection.DetectorVersion", models.PROTECT, null=True, blank=True, related_name="upload"
    )

    class Meta:
        ordering = ["-uploaded_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"],
                condition=Q(state__in=["uploaded", "checking"]),
                name="weights_upload_checked_once",
                violation_error_message="This file is being checked already.",
            ),
            models.CheckConstraint(
                condition=Q(state="checking") & Q(lease_until__isnull=False) & ~Q(lease_token="")
                | ~Q(state="checking") & Q(lease_until=None, lease_token=""),
                name="weights_upload_checking_has_a_lease",
                violation_error_message="An upload under check has a lease, no other has.",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "refused"]) | Q(finished_at__isnull=False),
                name="weights_upload_ended_has_a_time",
                violation_error_message="A check that has ended says when.",
            ),
            models.CheckConstraint(
                condition=Q(state="accepted", version__isnull=False)
                | ~Q(state="accepted") & Q(version=None),
                name="weights_upload_accepted_has_a_version",
                violation_error_message="An accepted upload has its version, no other has.",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(code="") & ~Q(message=""),
                name="weights_upload_refused_has_a_reason",
                violation_error_message="A refused upload says why.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"

    @property
    def ended(self) -> bool:
        """Nothing will change it any more."""
        return self.state in {UploadState.ACCEPTED, UploadState.REFUSED}
