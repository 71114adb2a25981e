"""Machines whose new readings wait to be judged."""

from __future__ import annotations

from django.db import models


class Wake(models.Model):
    """A machine that got readings since it was last taken to be judged; at most one row each.

    A hint like a queue's message: it may be lost, and beat judges every machine anyway.
    """

    device = models.OneToOneField("devices.Device", models.CASCADE, related_name="+")
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"device {self.device_id}"
