"""A part of a machine that is put in and taken out: tube, detector, generator."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class ComponentKind(models.TextChoices):
    """What a part is."""

    TUBE = "tube", "tube"
    DETECTOR = "detector", "detector"
    GENERATOR = "generator", "generator"
    COLLIMATOR = "collimator", "collimator"
    WORKSTATION = "workstation", "workstation"
    OTHER = "other", "other"


class Component(models.Model):
    """One part, from when it was put into a machine until it was taken out.

    A row that was entered by mistake is voided, never deleted; it then counts nowhere.
    """

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="components")
    kind = models.CharField(max_length=16, choices=ComponentKind.choices)
    # where a machine has several of a kind: `wall`, `table`, `A`
    position = models.CharField(max_length=32, blank=True)
    serial = models.CharField(max_length=64, blank=True)
    manufacturer = models.CharField(max_length=128, blank=True)
    model_name = models.CharField(max_length=128, blank=True)
    udi_di = models.CharField(max_length=64, blank=True)
    udi_pi = models.CharField(max_length=128, blank=True)
    installed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    install_reason = models.CharField(max_length=300, blank=True)
    removal_reason = models.CharField(max_length=300, blank=True)
    # what the machine's counters showed when it was put in: metric key -> value in its unit;
    # left out where the readings tell
    counters = models.JSONField(default=dict, blank=True)
    installed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["kind", "position", "-installed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "kind", "position"],
                condition=Q(removed_at=None, voided_at=None),
                name="component_one_live_per_place",
                violation_error_message="There is such a part in this place already.",
            ),
            models.UniqueConstraint(
                fields=["kind", "manufacturer", "serial"],
                condition=Q(removed_at=None, voided_at=None) & ~Q(serial=""),
                name="component_is_in_one_machine",
                violation_error_message="This part is in a machine already.",
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None) | Q(removed_at__gte=F("installed_at")),
                name="component_removed_after_installed",
                violation_error_message="A part is taken out after it was put in.",
            ),
            models.CheckConstraint(
                condition=Q(voided_at=None) | ~Q(void_reason=""),
                name="component_voided_with_reason",
                violation_error_message="A mistaken entry says why it is one.",
            ),
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.place, self.serial) if part)

    @property
    def place(self) -> str:
        """Kind, and position where there is one: `detector (wall)`."""
        label = str(ComponentKind(self.kind).label)
        return f"{label} ({self.position})" if self.position else label

    @property
    def make(self) -> str:
        """Manufacturer and model."""
        return f"{self.manufacturer} {self.model_name}".strip()
