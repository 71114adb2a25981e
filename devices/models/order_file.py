"""What belongs to an order as a file: photos of its checklist, documents."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class FileKind(models.TextChoices):
    """By content; anything else is refused."""

    JPEG = "image/jpeg", "JPEG"
    PNG = "image/png", "PNG"
    PDF = "application/pdf", "PDF"


class OrderFile(models.Model):
    """One file of an order; rows are only added, so that a hash in a report stays true."""

    order = models.ForeignKey("devices.WorkOrder", models.PROTECT, related_name="files")
    # place of the checklist's step of which it is the photo
    step = models.PositiveSmallIntegerField(null=True, blank=True)
    filename = models.CharField(max_length=255)  # as sent; hostile text
    path = models.CharField(max_length=200, unique=True)  # below MEDIA_ROOT
    kind = models.CharField(max_length=16, choices=FileKind.choices)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)
    # made by the sender: a phone sends again when no reply came
    key = models.UUIDField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "key"],
                condition=models.Q(key__isnull=False),
                name="order_file_once_per_key",
                violation_error_message="This file came already.",
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_picture(self) -> bool:
        """Whether a page may show it."""
        return self.kind != FileKind.PDF
