"""One machine, and the other names by which images call it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Lifecycle(models.TextChoices):
    """Where a machine stands in its life; a retired one keeps its history."""

    IN_SERVICE = "in_service", "in service"
    OUT_OF_SERVICE = "out_of_service", "out of service"
    RETIRED = "retired", "retired"


class Criticality(models.IntegerChoices):
    """How much the hospital misses it."""

    LOW = 1, "low"
    MEDIUM = 2, "medium"
    HIGH = 3, "high"


class Device(models.Model):
    """One imaging machine. Found by serial, then by confirmed aliases; registered by a person."""

    serial = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=128)
    model = models.ForeignKey("devices.DeviceModel", models.PROTECT, related_name="devices")
    location = models.CharField(max_length=64, blank=True)
    udi = models.CharField(max_length=128, blank=True)
    ae_titles = models.JSONField(default=list, blank=True)  # the names under which it sends
    criticality = models.PositiveSmallIntegerField(
        choices=Criticality.choices, default=Criticality.MEDIUM
    )
    lifecycle = models.CharField(
        max_length=16, choices=Lifecycle.choices, default=Lifecycle.IN_SERVICE
    )
    # what it should be set to; what it says it is stands in TwinState, projected from events
    desired_config = models.JSONField(default=dict, blank=True)
    is_synthetic = models.BooleanField(default=False)
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    registered_at = models.DateTimeField(auto_now_add=True)
    # from when its failures are noted here, where that isn't its registration
    noted_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(serial=""),
                name="device_has_a_serial",
                violation_error_message="A device needs a serial number.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DeviceAlias(models.Model):
    """Another serial or station name under which this machine's images arrive; a person said so."""

    device = models.ForeignKey(Device, models.CASCADE, related_name="aliases")
    value = models.CharField(max_length=64, unique=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.value
