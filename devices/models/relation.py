"""What machines share, and which stands in for which; the room is `Device.location`."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class SupplyKind(models.TextChoices):
    """What is shared."""

    POWER = "power", "power"
    NETWORK = "network", "network"
    COOLING = "cooling", "cooling"


class Supply(models.Model):
    """A source on which several machines hang: one fault of it is one incident, not many alerts."""

    name = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=8, choices=SupplyKind.choices, default=SupplyKind.POWER)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "supplies"
        constraints = [
            models.CheckConstraint(
                condition=~Q(name=""),
                name="supply_has_a_name",
                violation_error_message="A supply needs a name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SupplyMember(models.Model):
    """This machine hangs on this supply."""

    supply = models.ForeignKey(Supply, models.CASCADE, related_name="members")
    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="supply_rows")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["supply", "device"],
                name="supply_member_once",
                violation_error_message="The machine hangs on this supply already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} on {self.supply_id}"


class Spare(models.Model):
    """`spare` can do the work of `device` while that one is away."""

    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="spare_rows")
    spare = models.ForeignKey("devices.Device", models.CASCADE, related_name="stands_in_rows")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "spare"],
                name="spare_once",
                violation_error_message="This machine is its spare already.",
            ),
            models.CheckConstraint(
                condition=~Q(device=F("spare")),
                name="spare_is_another_machine",
                violation_error_message="A machine can't stand in for itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spare_id} for {self.device_id}"
