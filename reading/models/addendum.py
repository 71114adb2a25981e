"""What a reader adds to a film that is signed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Addendum(models.Model):
    """Text under a signature; rows are only ever added (the database holds it)."""

    signature = models.ForeignKey("detection.Signature", models.PROTECT, related_name="addenda")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField()
    text = models.TextField(max_length=4000)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(text=""),
                name="addendum_says_something",
                violation_error_message="An addendum has a text.",
            ),
        ]

    def __str__(self) -> str:
        return f"addendum {self.by_name}"
