"""One radiation dose report: a reading of a machine that comes as DICOM."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .image import Door


class DoseReport(models.Model):
    """A kept report; its file names the patient, its row doesn't."""

    sop_instance_uid = models.CharField(max_length=64, unique=True)
    sha256 = models.CharField(max_length=64, unique=True)
    path = models.CharField(max_length=200, unique=True)  # below MEDIA_ROOT
    size = models.PositiveBigIntegerField()
    # the machine: known device, or the name that waits in the inbox
    device = models.ForeignKey(
        "devices.Device", models.PROTECT, null=True, blank=True, related_name="+"
    )
    device_serial = models.CharField(max_length=64, blank=True)
    events = models.PositiveIntegerField()
    # `imaging.dose.Exposure`s, kept for the day on which somebody says which machine that is
    exposures = models.JSONField(default=list)
    door = models.CharField(max_length=16, choices=Door.choices)
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.sop_instance_uid
