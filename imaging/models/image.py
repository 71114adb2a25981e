"""One stored film."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Door(models.TextChoices):
    """How a file came in."""

    BROWSER = "browser", "browser upload"
    REST = "rest", "REST"
    COMMAND = "command", "import command"


class Urgency(models.TextChoices):
    """How soon a film's requester wants it read: Requested Procedure Priority (0040,1003)."""

    STAT = "stat", "STAT"
    HIGH = "high", "high"
    ROUTINE = "routine", "routine"
    MEDIUM = "medium", "medium"
    LOW = "low", "low"


class Image(models.Model):
    """One SOP Instance: its bytes lie at `path` below MEDIA_ROOT and never change."""

    series = models.ForeignKey("imaging.Series", models.PROTECT, related_name="images")
    sop_instance_uid = models.CharField(max_length=64, unique=True)
    sop_class_uid = models.CharField(max_length=64)
    transfer_syntax_uid = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, unique=True)  # of the bytes as they were sent
    # of the decoded pixels; empty where nothing here decodes them
    pixel_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    path = models.CharField(max_length=200, unique=True)
    size = models.PositiveBigIntegerField()
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    frames = models.PositiveIntegerField(default=1)
    bits_stored = models.PositiveSmallIntegerField()
    photometric = models.CharField(max_length=16)
    view_position = models.CharField(max_length=16, blank=True)
    # Burned In Annotation (0028,0301): `YES` or `NO`, empty where the sender doesn't say
    burned_in = models.CharField(max_length=3, blank=True, default="")
    # as the header asks; empty where it doesn't
    requested_urgency = models.CharField(
        max_length=8, choices=Urgency.choices, blank=True, default=""
    )
    acquired_at = models.DateTimeField()  # exposure; the study's or receipt time where unknown
    acquired_at_is_guess = models.BooleanField(default=False)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)
    door = models.CharField(max_length=16, choices=Door.choices)
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # the machine: known device, or the name in the header that waits in the inbox
    device = models.ForeignKey(
        "devices.Device", models.PROTECT, null=True, blank=True, related_name="images"
    )
    device_serial = models.CharField(max_length=64, blank=True)
    # what it tells of the machine (`devices.facts.ImageFacts`: readings, config), kept for the day
    # on which an engineer says which machine that is; nothing of the patient
    machine_facts = models.JSONField(default=dict)
    # why the film can't be shown or read (`cannot_display`, …); empty: it can
    display_problem = models.CharField(max_length=64, blank=True)
    display_message = models.CharField(max_length=300, blank=True)
    attribution = models.TextField(blank=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["device", "acquired_at"], name="image_of_device"),
            models.Index(fields=["acquired_at", "id"], name="image_newest_first"),
        ]

    def __str__(self) -> str:
        return self.sop_instance_uid
