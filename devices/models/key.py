"""A machine's own key to the doors of readings."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models


class DeviceKey(models.Model):
    """One key of one machine; several may live at once, so that changing one leaves no gap.

    The key itself is shown once and not kept: `digest` is its SHA-256. It is 256 random bits, so a
    slow hash would add nothing.
    """

    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="keys")
    name = models.CharField(max_length=64)
    prefix = models.CharField(max_length=12, unique=True)  # the key's open part
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)  # to the minute
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(name="") & ~models.Q(prefix="") & ~models.Q(digest=""),
                name="device_key_is_whole",
                violation_error_message="A key needs a name.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def state(self, now: datetime) -> str:
        """`live`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "live"
