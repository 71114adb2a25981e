"""Machines that images name and nobody registered: a person decides."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class InboxState(models.TextChoices):
    """`open` until an engineer registered, aliased or dismissed it."""

    OPEN = "open", "open"
    REGISTERED = "registered", "registered"
    ALIASED = "aliased", "aliased"
    DISMISSED = "dismissed", "dismissed"


class InboxEntry(models.Model):
    """One unknown machine, by the key under which it was seen."""

    serial = models.CharField(max_length=64, unique=True)
    manufacturer = models.CharField(max_length=128, blank=True)
    model_name = models.CharField(max_length=128, blank=True)
    station_name = models.CharField(max_length=64, blank=True)
    image_count = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    state = models.CharField(
        max_length=16, choices=InboxState.choices, default=InboxState.OPEN, db_index=True
    )
    device = models.ForeignKey("devices.Device", models.SET_NULL, null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.serial
