"""A second reader's word on a signed film."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class SecondLook(models.Model):
    """Whether a second reader agrees with a signature; one per signature, never changed."""

    signature = models.OneToOneField(
        "detection.Signature", models.PROTECT, related_name="second_look"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    agrees = models.BooleanField()
    reason = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="second_look_has_a_reason",
                violation_error_message="A second look says why.",
            ),
        ]

    def __str__(self) -> str:
        return f"signature {self.signature_id}: {'agrees' if self.agrees else 'disagrees'}"
