"""Who sent which answers of a checklist, so that what comes twice counts once."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class OrderAnswers(models.Model):
    """Answers that one person sent at once; phones send again when no reply came."""

    order = models.ForeignKey("devices.WorkOrder", models.CASCADE, related_name="answers")
    key = models.UUIDField()  # made by the sender
    digest = models.CharField(max_length=64)  # SHA-256 of what was sent under the key
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "key"],
                name="answers_once_per_key",
                violation_error_message="These answers came already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.by}, {self.at}"
