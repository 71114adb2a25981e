"""Maintenance: the plan, the order that carries out one due date, the time a machine is down."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Timing(models.TextChoices):
    """From where the next due date is counted."""

    FIXED = "fixed", "by the calendar"
    FLOATING = "floating", "from when it was last done"
    METER = "meter", "by use"


class MaintenancePlan(models.Model):
    """What is to be done to one machine, and how often (RFC 5545 RRULE in the hospital's zone)."""

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="plans")
    # the model's plan that put it here, where it isn't of this machine alone
    model_plan = models.ForeignKey(
        "devices.ModelPlan", models.PROTECT, null=True, blank=True, related_name="plans"
    )
    title = models.CharField(max_length=200)
    timing = models.CharField(max_length=8, choices=Timing.choices, default=Timing.FIXED)
    rrule = models.CharField(max_length=300, blank=True)  # empty: by use
    # by use: so much of a counter, counted from what it showed at a moment
    meter = models.ForeignKey(
        "devices.Metric", models.PROTECT, null=True, blank=True, related_name="plans"
    )
    meter_every = models.FloatField(null=True, blank=True)
    meter_base = models.FloatField(null=True, blank=True)
    meter_since = models.DateTimeField(null=True, blank=True)
    starts_on = models.DateField()
    grace_days = models.PositiveSmallIntegerField(default=7)
    # how many days before the due date its order is made
    lead_days = models.PositiveSmallIntegerField(default=14)
    checklist = models.JSONField(default=list, blank=True)  # `devices.checklist_steps.Step`s
    active = models.BooleanField(default=True)
    # another person looks at the finished work
    verify_required = models.BooleanField(default=False)
    skills = models.JSONField(
        default=list, blank=True
    )  # what whoever works on it must be able to do
    # the first due date that has no order yet, kept by `devices.services.plans`; none: rule ended,
    # or (floating, by use) its order isn't done yet
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
                condition=~Q(title="")
                & (
                    ~Q(timing="meter") & ~Q(rrule="") & Q(meter=None)
                    | Q(timing="meter", rrule="", meter__isnull=False, meter_every__gt=0)
                ),
                name="plan_has_a_title_and_a_rule",
                violation_error_message="A plan needs a title and a rule, or a counter.",
            ),
            models.UniqueConstraint(
                fields=["model_plan", "device"],
                name="plan_one_per_model_plan_and_machine",
                violation_error_message="This machine has the model's plan already.",
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


class Evidence(models.TextChoices):
    """Whether the work on an alert did what it was for; `devices.services.closed_loop`."""

    NONE = "", "not asked for"
    WAITING = "waiting", "waiting for evidence"
    SHOWN = "shown", "shown"
    FAILED = "failed", "not shown"
    PERSON = "person", "a person resolved the alert"


class WorkOrder(models.Model):
    """One piece of work on one machine."""

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="orders")
    plan = models.ForeignKey(
        MaintenancePlan, models.PROTECT, null=True, blank=True, related_name="orders"
    )
    alert = models.ForeignKey(
        "devices.Alert", models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    # an extra check that, as a person said, counts for this floating plan
    counts_for = models.ForeignKey(
        MaintenancePlan, models.PROTECT, null=True, blank=True, related_name="counted"
    )
    # the rule's own day where a plan made it; `due_on` may lie beside it (blackout)
    occurs_on = models.DateField(null=True, blank=True)
    verify_required = models.BooleanField(default=False)
    skills = models.JSONField(default=list, blank=True)
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
    # grows with each change, so that who worked without network learns of it
    revision = models.PositiveIntegerField(default=1)
    # one entry a step: its text, whether it was done, a note (`devices.checklist`)
    checklist = models.JSONField(default=list, blank=True)
    # a number of the checklist lies beyond its limits
    out_of_limits = models.BooleanField(default=False)
    hold_reason = models.CharField(max_length=300, blank=True)
    cancel_reason = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    completed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    signature = models.CharField(max_length=200, blank=True)
    # of an order from an alert, once it is done: so many good readings, by then
    evidence = models.CharField(max_length=8, choices=Evidence.choices, blank=True)
    evidence_readings = models.PositiveSmallIntegerField(null=True, blank=True)
    evidence_by = models.DateTimeField(null=True, blank=True)
    evidence_text = models.CharField(max_length=300, blank=True)
    # the order whose work didn't hold
    follows = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="followed_by"
    )
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
            models.UniqueConstraint(
                fields=["plan", "occurs_on"],
                condition=Q(plan__isnull=False, occurs_on__isnull=False) & ~Q(state="cancelled"),
                name="order_one_per_plan_and_occurrence",
                violation_error_message="This occurrence has its order already.",
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
            models.CheckConstraint(
                condition=~Q(evidence="waiting")
                | Q(state__in=["done", "verified"], evidence_by__isnull=False),
                name="order_waits_for_evidence_once_done",
                violation_error_message="Evidence is waited for once the work is done.",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_on"], name="order_state_due"),
            models.Index(fields=["device", "state"], name="order_device_state"),
            models.Index(fields=["completed_at"], name="order_completed"),
            models.Index(
                fields=["device"], condition=Q(evidence="waiting"), name="order_waits_for_evidence"
            ),
        ]

    def __str__(self) -> str:
        return f"WO-{self.pk} {self.title}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it, as a new revision; callers hold the row's lock."""
        if not self._state.adding:
            self.revision += 1
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "revision"}
        super().save(*args, **kwargs)


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
    # of a completion: the answers as they were signed, which work begun again doesn't keep;
    # of a change of person or time: `assigned`, `scheduled` (with whose it was), {"from", "to"}
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["at"], name="order_event_at")]

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
