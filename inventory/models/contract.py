"""Service contracts and warranties: who comes, until when."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class ContractKind(models.TextChoices):
    """What the vendor does."""

    FULL = "full", "full service"
    PREVENTIVE = "preventive", "preventive maintenance"
    ON_CALL = "on_call", "on call"


class Contract(models.Model):
    """An agreement on some machines, or on all machines of some models; both days included."""

    vendor = models.ForeignKey("inventory.Vendor", models.PROTECT, related_name="contracts")
    number = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=ContractKind.choices)
    devices = models.ManyToManyField("devices.Device", related_name="contracts", blank=True)
    device_models = models.ManyToManyField(
        "devices.DeviceModel", related_name="contracts", blank=True
    )
    starts_on = models.DateField()
    ends_on = models.DateField()
    notice_days = models.PositiveSmallIntegerField(default=0)
    cost_per_year = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    response_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    phone = models.CharField(max_length=32, blank=True)  # empty: the vendor's
    note = models.CharField(max_length=300, blank=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        ordering = ["ends_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "number"],
                name="contract_number_is_unique",
                violation_error_message="This vendor has a contract of that number already.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")) & ~Q(number=""),
                name="contract_ends_after_it_starts",
                violation_error_message="A contract has a number, and ends after it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.vendor})"

    @property
    def call(self) -> str:
        """Whom to call."""
        return self.phone or self.vendor.phone


class Warranty(models.Model):
    """Until when a machine, or one of its parts, is repaired for nothing; that day included."""

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="warranties")
    component = models.ForeignKey(
        "devices.Component", models.PROTECT, null=True, blank=True, related_name="warranties"
    )
    vendor = models.ForeignKey("inventory.Vendor", models.PROTECT, related_name="warranties")
    until = models.DateField()
    note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)
    # entered by mistake; the row stays
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdraw_reason = models.CharField(max_length=300, blank=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        ordering = ["until", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | ~Q(withdraw_reason=""),
                name="warranty_withdrawn_with_reason",
                violation_error_message="A mistaken entry says why it is one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.component or self.device} until {self.until}"
