"""What an order took: minutes of people, and money."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Labour(models.Model):
    """Minutes that one person worked on an order."""

    order = models.ForeignKey("devices.WorkOrder", models.PROTECT, related_name="labour")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    minutes = models.PositiveSmallIntegerField()
    note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes__gte=1),
                name="labour_takes_time",
                violation_error_message="At least one minute.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.minutes} min"


class Cost(models.Model):
    """Money that an order took, in the hospital's currency; a credit is negative."""

    order = models.ForeignKey("devices.WorkOrder", models.PROTECT, related_name="costs")
    what = models.CharField(max_length=300)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.what}: {self.amount}"
