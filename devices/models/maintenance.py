"""Maintenance: the plan, the order that carries out one due date, the time a machine is down."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class MaintenancePlan(models.Model):
    """What is to be done to one machine, and how often (RFC 5545 RRULE in the hospital's zone)."""

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="plans")
    title = models.CharField(max_length=200)
    rrule = models.CharField(max_length=300)
    starts_on = models.DateField()
    grace_days = models.PositiveSmallIntegerField(default=7)
    # how many days before the due date its order is made
    lead_days = models.PositiveSmallIntegerField(default=14)
    checklist = models.JSONField(default=list, blank=True)  # list of step texts
    active = models.BooleanField(default=True)
    # the first due date that has no order yet, kept by `devices.services.plans`; none: rule ended
    next_due_on = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["active", "next_due_on"], name="plan_next_due")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title="") & ~Q(rrule=""),
                name="plan_has_a_title_and_a_rule",
                violation_error_message="A plan needs a title and a rule.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class OrderState(models.TextChoices):
    """Stored states; transitions stand in `devices.services.orders`."""

    REQUESTED = "requested", "requested"
    PLANNED = "planned", "planned"
    SCHEDULED = "scheduled", "scheduled"
    IN_PROGRESS = "in_progress", "in progress"
    ON_HOLD = "on_hold", "on hold"
    DONE = "done", "done"
    VERIFIED = "verified", "verified"
    CANCELLED = "cancelled", "cancelled"


class WorkOrder(models.Model):
    """One piece of work on one machine."""

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="orders")
    plan = models.ForeignKey(
        MaintenancePlan, models.PROTECT, null=True, blank=True, related_name="orders"
    )
    alert = models.ForeignKey(
        "devices.Alert", models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=4000, blank=True)
    state = models.CharField(
        max_length=16, choices=OrderState.choices, default=OrderState.REQUESTED
    )
    due_on = models.DateField(null=True, blank=True)
    grace_days = models.PositiveSmallIntegerField(default=0)
    scheduled_for = models.DateTimeField(null=True, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # one entry a step: its text, whether it was done, a note (`devices.checklist`)
    checklist = models.JSONField(default=list, blank=True)
    hold_reason = models.CharField(max_length=300, blank=True)
    cancel_reason = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    completed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    signature = models.CharField(max_length=200, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "due_on"],
                # one withdrawn when its plan was paused or changed must not block a new one
                condition=Q(plan__isnull=False) & ~Q(state="cancelled"),
                name="order_one_per_plan_and_due_date",
                violation_error_message="This due date has its order already.",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "verified"])
                | (Q(completed_at__isnull=False) & ~Q(signature="")),
                name="order_done_is_signed",
                violation_error_message="A finished order has a time and a signature.",
            ),
            models.CheckConstraint(
                condition=~Q(state="verified") | Q(verified_at__isnull=False),
                name="order_verified_has_a_time",
                violation_error_message="A verified order has a time.",
            ),
            models.CheckConstraint(
                condition=Q(verified_by=None)
                | Q(completed_by=None)
                | ~Q(verified_by=F("completed_by")),
                name="order_verified_by_another_person",
                violation_error_message="Nobody verifies the own work.",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_on"], name="order_state_due"),
            models.Index(fields=["device", "state"], name="order_device_state"),
            models.Index(fields=["completed_at"], name="order_completed"),
        ]

    def __str__(self) -> str:
        return f"WO-{self.pk} {self.title}"


class WorkOrderEvent(models.Model):
    """One step of an order's life, kept for the inspector."""

    order = models.ForeignKey(WorkOrder, models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    from_state = models.CharField(max_length=16, blank=True)
    to_state = models.CharField(max_length=16)
    note = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.from_state} -> {self.to_state}"

    @property
    def label(self) -> str:
        """The state it led to in words; a remark leads nowhere."""
        if self.from_state == self.to_state:
            return "note"
        return str(OrderState(self.to_state).label)


class Extent(models.TextChoices):
    """How much of a machine could not be used."""

    FULL = "full", "full"
    PARTIAL = "partial", "partial"


class Downtime(models.Model):
    """An interval in which a machine could not be used; open while `ends_at` is empty."""

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="downtimes")
    order = models.ForeignKey(
        WorkOrder, models.SET_NULL, null=True, blank=True, related_name="downtimes"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    planned = models.BooleanField(default=False)
    # partial: usable with limits; it doesn't count against uptime
    extent = models.CharField(max_length=8, choices=Extent.choices, default=Extent.FULL)
    reason = models.CharField(max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        # on PostgreSQL `downtime_no_overlap` besides: migration 0023
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="downtime_ends_after_it_starts",
                violation_error_message="A downtime ends after it starts.",
            ),
            models.UniqueConstraint(
                fields=["device"],
                condition=Q(ends_at=None),
                name="downtime_one_open_per_device",
                violation_error_message="This machine is down already.",
            ),
        ]
        indexes = [models.Index(fields=["device", "starts_at"], name="downtime_device_start")]

    def __str__(self) -> str:
        return self.reason
