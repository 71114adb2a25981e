"""Plans of a make for all its machines, and days on which no maintenance is due."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from .maintenance import MaintenancePlan, Timing


class ModelPlan(models.Model):
    """What is to be done to every machine of a make; each machine has its own plan made from it."""

    device_model = models.ForeignKey(
        "devices.DeviceModel", models.PROTECT, related_name="model_plans"
    )
    title = models.CharField(max_length=200)
    timing = models.CharField(
        max_length=8,
        choices=[(each.value, each.label) for each in (Timing.FIXED, Timing.FLOATING)],
        default=Timing.FIXED,
    )
    rrule = models.CharField(max_length=300)
    starts_on = models.DateField()
    grace_days = models.PositiveSmallIntegerField(default=7)
    lead_days = models.PositiveSmallIntegerField(default=14)
    checklist = models.JSONField(default=list, blank=True)
    verify_required = models.BooleanField(default=False)
    skills = models.JSONField(default=list, blank=True)
    # the longest interval that the manufacturer allows; empty: no longer than the rule's own
    longest_months = models.PositiveSmallIntegerField(null=True, blank=True)
    active = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["device_model", "title", "pk"]

    def __str__(self) -> str:
        return self.title


class ModelPlanException(models.Model):
    """A machine that has a model's plan not at all, or at another interval."""

    model_plan = models.ForeignKey(ModelPlan, models.CASCADE, related_name="exceptions")
    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="plan_exceptions")
    rrule = models.CharField(max_length=300, blank=True)  # empty: left out
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["device__name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["model_plan", "device"],
                name="plan_exception_one_per_machine",
                violation_error_message="This machine has an exception already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device}: {self.rrule or 'left out'}"


class Blackout(models.Model):
    """Days on which nothing becomes due: of one plan, or of the whole hospital."""

    plan = models.ForeignKey(
        MaintenancePlan, models.CASCADE, null=True, blank=True, related_name="blackouts"
    )
    starts_on = models.DateField()
    ends_on = models.DateField()  # included
    yearly = models.BooleanField(default=False)
    reason = models.CharField(max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="blackout_ends_after_it_starts",
                violation_error_message="It ends after it starts.",
            ),
        ]

    def __str__(self) -> str:
        return self.reason
