"""A file for the inspector: of one machine or of all, and one period."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class AuditFileState(models.TextChoices):
    """From `inventory.services.audit_files`."""

    QUEUED = "queued", "waits for a worker"
    WORKING = "working", "being made"
    DONE = "done", "ready"
    FAILED = "failed", "failed"


class AuditFile(models.Model):
    """A PDF and a zip of CSV files; both days of the period are included."""

    device = models.ForeignKey(
        "devices.Device", models.PROTECT, null=True, blank=True, related_name="audit_files"
    )  # none: all machines
    starts_on = models.DateField()
    ends_on = models.DateField()
    state = models.CharField(
        max_length=8, choices=AuditFileState.choices, default=AuditFileState.QUEUED
    )
    machines = models.PositiveIntegerField(default=0)
    machines_done = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    # of what it says, without who made it and when: the same data have the same
    content_sha256 = models.CharField(max_length=64, blank=True)
    folder = models.CharField(max_length=200, unique=True)  # below MEDIA_ROOT
    pdf_size = models.PositiveBigIntegerField(default=0)
    pdf_sha256 = models.CharField(max_length=64, blank=True)
    zip_size = models.PositiveBigIntegerField(default=0)
    zip_sha256 = models.CharField(max_length=64, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    requested_by_name = models.CharField(max_length=150)
    requested_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField()  # last sign of a worker
    token = models.CharField(max_length=32, blank=True)  # which worker has it
    attempts = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField(null=True, blank=True)
    message = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="audit_file_ends_after_it_starts",
                violation_error_message="A period ends after it starts.",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | ~Q(content_sha256="") & Q(made_at__isnull=False),
                name="audit_file_done_has_a_hash",
                violation_error_message="A finished file has its hash.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device or 'all machines'}, {self.starts_on} to {self.ends_on}"
