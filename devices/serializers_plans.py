"""Shapes of plans in REST: they check form; services check rules."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from . import selectors_due, selectors_plans
from .models import Device, Metric
from .models.maintenance import Timing
from .serializers_maintenance import DeviceField, StepField, StepsField


def with_meter(attrs: dict[str, Any], device: Device) -> dict[str, Any]:
    """The counter as the machine's own metric."""
    if attrs.get("meter") is not None:
        key = attrs["meter"]
        attrs["meter"] = Metric.objects.filter(device_model=device.model_id, key=key).first()
        if attrs["meter"] is None:
            raise serializers.ValidationError({"meter": ["This machine has no such metric."]})
    return attrs


class NewPlanSerializer(serializers.Serializer[Any]):
    """A plan for one machine."""

    device = DeviceField()
    title = serializers.CharField(max_length=200)
    timing = serializers.ChoiceField(Timing.choices, required=False)
    rrule = serializers.CharField(
        max_length=1000,
        required=False,
        allow_blank=True,
        help_text="needed unless it goes by use",
    )
    meter = serializers.CharField(
        max_length=64,
        required=False,
        allow_null=True,
        help_text="key of the counter's metric; by use",
    )
    meter_every = serializers.FloatField(required=False, allow_null=True)
    starts_on = serializers.DateField()
    grace_days = serializers.IntegerField(required=False)
    lead_days = serializers.IntegerField(required=False)
    checklist = StepsField(required=False)
    verify_required = serializers.BooleanField(required=False)
    skills = serializers.ListField(child=serializers.CharField(max_length=64), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A rule, or a counter of the machine."""
        if not attrs.get("rrule") and attrs.get("timing") != Timing.METER:
            raise serializers.ValidationError({"rrule": ["This field is required."]})
        return with_meter(attrs, attrs["device"])


class ChangePlanSerializer(NewPlanSerializer):
    """Changes of a plan; its machine stays."""

    device = None  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What can't be changed here is refused where it differs, not passed over."""
        plan, given = self.context["plan"], self.initial_data
        if str(given.get("device", plan.device_id)) not in {
            str(plan.device_id),
            plan.device.serial,
        }:
            raise serializers.ValidationError({"device": ["A plan stays with its machine."]})
        if given.get("active", plan.active) is not plan.active:
            raise serializers.ValidationError({"active": ["Use deactivate/ or reactivate/."]})
        return with_meter(attrs, plan.device)


class PlanSerializer(serializers.Serializer[Any]):
    """A plan with what is due of it next (`selectors_plans.PlanStatus`)."""

    id = serializers.IntegerField(source="plan.pk")
    device = serializers.IntegerField(source="plan.device_id")
    device_name = serializers.CharField(source="plan.device.name")
    title = serializers.CharField(source="plan.title")
    timing = serializers.ChoiceField(Timing.choices, source="plan.timing")
    meter = serializers.CharField(source="plan.meter.key", default=None, allow_null=True)
    meter_every = serializers.FloatField(source="plan.meter_every", allow_null=True)
    model_plan = serializers.IntegerField(source="plan.model_plan_id", allow_null=True)
    verify_required = serializers.BooleanField(source="plan.verify_required")
    skills = serializers.ListField(source="plan.skills", child=serializers.CharField())
    rrule = serializers.CharField(source="plan.rrule")
    rule = serializers.CharField(source="sentence", help_text="the rule in words")
    starts_on = serializers.DateField(source="plan.starts_on")
    grace_days = serializers.IntegerField(source="plan.grace_days")
    lead_days = serializers.IntegerField(source="plan.lead_days")
    checklist = serializers.ListField(source="plan.checklist", child=StepField())
    active = serializers.BooleanField(source="plan.active")
    next_due_on = serializers.DateField(source="due_on", allow_null=True)
    shown = serializers.ChoiceField(selectors_due.Shown.choices, allow_null=True)
    order = serializers.IntegerField(source="order.pk", default=None, allow_null=True)
    created_by = serializers.CharField(source="plan.created_by.username", default=None)
    created_at = serializers.DateTimeField(source="plan.created_at")
    is_synthetic = serializers.BooleanField(source="plan.is_synthetic")


class PlanDetailSerializer(PlanSerializer):
    """One plan, with its next days."""

    next_dates = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.DateField()))
    def get_next_dates(self, status: selectors_plans.PlanStatus) -> list[str]:
        """Five, none while it is paused."""
        if not status.plan.active:
            return []
        dates = selectors_plans.next_dates(status.plan, timezone.localdate())
        return [day.isoformat() for day in dates]
