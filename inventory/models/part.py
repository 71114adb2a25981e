"""Parts on the shelf: what there is of each, and every movement that made it so."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from devices.models.component import ComponentKind


class Part(models.Model):
    """One entry of the catalogue, by the vendor's or the hospital's number.

    `stock` is the sum of its movements. A trigger of the database keeps it (migration 0002) and a
    check refuses less than nothing, so that no writer can issue what another one has taken.
    """

    number = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=128)
    unit = models.CharField(max_length=16, default="piece")  # whole ones are counted
    # what it becomes in a machine (`devices.Component`); empty: it is used up
    component_kind = models.CharField(max_length=16, choices=ComponentKind.choices, blank=True)
    fits = models.ManyToManyField("devices.DeviceModel", related_name="parts", blank=True)
    vendor = models.ForeignKey(
        "inventory.Vendor", models.PROTECT, null=True, blank=True, related_name="parts"
    )
    # of one unit, in the hospital's currency as `devices.Cost` has it; unknown: nothing is booked
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    location = models.CharField(max_length=64, blank=True)
    stock = models.IntegerField(default=0, editable=False)
    reorder_level = models.PositiveIntegerField(default=0)
    reorder_amount = models.PositiveIntegerField(default=0)
    active = models.BooleanField(default=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(number="") & ~Q(name=""),
                name="part_has_number_and_name",
                violation_error_message="A part needs a number and a name.",
            ),
            models.CheckConstraint(
                condition=Q(stock__gte=0),
                name="part_stock_not_below_zero",
                violation_error_message="There isn't so much in stock.",
            ),
            models.CheckConstraint(
                condition=Q(price=None) | Q(price__gte=0),
                name="part_price_not_below_zero",
                violation_error_message="A price isn't below zero.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    @property
    def is_low(self) -> bool:
        """At or below the level at which it is ordered again; a level of 0 asks for nothing."""
        return self.active and 0 < self.reorder_level >= self.stock


class MovementKind(models.TextChoices):
    """Why the stock changed."""

    RECEIPT = "receipt", "received"
    ISSUE = "issue", "issued"
    RETURN = "return", "returned"
    COUNT = "count", "counted"


class StockMovement(models.Model):
    """One change of a stock; rows are only ever added (migration 0002)."""

    part = models.ForeignKey(Part, models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=8, choices=MovementKind.choices)
    amount = models.IntegerField()  # in the part's unit; below zero: it went
    order = models.ForeignKey(
        "devices.WorkOrder", models.PROTECT, null=True, blank=True, related_name="parts"
    )
    # of a return: the issue that it takes back
    issue = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="returns")
    unit_price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["at"], name="movement_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="receipt", amount__gt=0, order=None, issue=None)
                | Q(kind="issue", amount__lt=0, order__isnull=False, issue=None)
                | Q(kind="return", amount__gt=0, order__isnull=False, issue__isnull=False)
                | Q(kind="count", order=None, issue=None) & ~Q(reason=""),
                name="movement_is_of_its_kind",
                violation_error_message="This isn't how such a movement looks.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount:+d}"
