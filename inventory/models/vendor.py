"""Who sells parts and keeps contracts."""

from __future__ import annotations

from django.db import models


class Vendor(models.Model):
    """A company, and whom to call there."""

    name = models.CharField(max_length=128, unique=True)
    contact = models.CharField(max_length=128, blank=True)  # desk or person for service
    phone = models.CharField(max_length=32, blank=True)
    email = models.EmailField(blank=True)
    note = models.CharField(max_length=300, blank=True)
    active = models.BooleanField(default=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(name=""),
                name="vendor_has_a_name",
                violation_error_message="A vendor needs a name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
