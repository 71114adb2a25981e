"""Shapes of maintenance in REST: they check form; services check rules."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User

from . import checklist_steps, order_steps, selectors_due, selectors_maintenance
from .fields import LARGEST_ID
from .models import (
    Alert,
    Cost,
    Device,
    Downtime,
    Labour,
    MaintenancePlan,
    Metric,
    OrderFile,
    WorkOrder,
    WorkOrderEvent,
)
from .models.maintenance import Extent, Timing
from .selectors import evidence


@extend_schema_field(
    {"oneOf": [{"type": "integer"}, {"type": "string"}], "description": "number or serial"}
)
class DeviceField(serializers.Field[Device, Any, int, Any]):
    """A machine by its number, or by its serial."""

    default_error_messages = {
        "type": "Give the machine's number or its serial.",
        "unknown": "There is no such machine.",
    }

    def to_internal_value(self, data: Any) -> Device:
        """A whole number is the machine's own; text is a serial first."""
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("type")
        found = None
        if isinstance(data, str) and "\0" not in data:
            found = Device.objects.filter(serial=data.strip()).first()
        if found is None and str(data).isdecimal() and int(data) <= LARGEST_ID:
            found = Device.objects.filter(pk=int(data)).first()
        if found is None:
            self.fail("unknown")
        return found

    def to_representation(self, value: Device) -> int:
        """Its number."""
        return value.pk


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "maxLength": checklist_steps.MAX_STEP},
            {
                "type": "object",
                "properties": {
                    "step": {"type": "string"},
                    "kind": {"type": "string", "enum": list(checklist_steps.Kind)},
                    "unit": {"type": "string", "description": "UCUM"},
                    "low": {"type": "number", "nullable": True},
                    "high": {"type": "number", "nullable": True},
                },
                "required": ["step", "kind"],
            },
        ]
    }
)
class StepField(serializers.JSONField):
    """A step's text where it passes or fails; else with its kind, a number with its limits."""

    text = serializers.CharField(max_length=checklist_steps.MAX_STEP, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        """Texts are looked at here, the rest by `checklist_steps.steps`."""
        if not isinstance(data, dict):
            return self.text.run_validation(data)
        if not data.keys() >= {"step", "kind"}:
            raise serializers.ValidationError("A step is a text, or has `step` and `kind`.")
        return super().to_internal_value(data)


class StepsField(serializers.ListField):
    """A checklist's steps."""

    child = StepField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=checklist_steps.MAX_STEPS, **kwargs)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "boolean"},
            {
                "type": "object",
                "properties": {
                    "step": {"type": "string"},
                    "done": {"type": "boolean"},
                    "value": {"oneOf": [{"type": "number"}, {"type": "string"}]},
                    "note": {"type": "string"},
                },
            },
        ]
    }
)
class AnswerField(serializers.JSONField):
    """`true`, `false`, `{"step"?, "done", "note"?}`; of number and text `{"value", "note"?}`."""


class AnswersSerializer(serializers.Serializer[Any]):
    """Answers: one per step in order, or by the step's text."""

    checklist = serializers.ListField(
        child=AnswerField(), max_length=checklist_steps.MAX_STEPS, required=False
    )


class CompletionSerializer(AnswersSerializer):
    """What closes an order."""

    signature = serializers.CharField(allow_blank=True, default="", max_length=1000)
    counts_for = serializers.PrimaryKeyRelatedField(
        queryset=MaintenancePlan.objects.all(), required=False, allow_null=True
    )


class ReasonSerializer(serializers.Serializer[Any]):
    """Why; needed."""

    reason = serializers.CharField(allow_blank=True, default="", max_length=2000)


class OrderCommentSerializer(serializers.Serializer[Any]):
    """A remark."""

    text = serializers.CharField(allow_blank=True, default="", max_length=2000)


def _worker_field(**kwargs: Any) -> serializers.SlugRelatedField[User]:
    return serializers.SlugRelatedField(
        slug_field="username", queryset=selectors_maintenance.workers(), **kwargs
    )


class AssignmentSerializer(serializers.Serializer[Any]):
    """A user name, or null for nobody."""

    assigned_to = _worker_field(allow_null=True)


class ScheduleSerializer(serializers.Serializer[Any]):
    """When, and by whom."""

    scheduled_for = serializers.DateTimeField(default=None, allow_null=True)
    assigned_to = _worker_field(default=None, allow_null=True)


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
    """A plan with what is due of it next (`selectors_maintenance.PlanStatus`)."""

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
    def get_next_dates(self, status: selectors_maintenance.PlanStatus) -> list[str]:
        """Five, none while it is paused."""
        if not status.plan.active:
            return []
        dates = selectors_maintenance.next_dates(status.plan, timezone.localdate())
        return [day.isoformat() for day in dates]


class NewOrderSerializer(serializers.Serializer[Any]):
    """An order by hand; with `alert` machine and title may be left out."""

    device = DeviceField(required=False)
    alert = serializers.PrimaryKeyRelatedField(
        queryset=Alert.objects.select_related("device"), required=False, allow_null=True
    )
    title = serializers.CharField(max_length=200, required=False)
    description = serializers.CharField(max_length=4000, allow_blank=True, required=False)
    due_on = serializers.DateField(required=False, allow_null=True)
    grace_days = serializers.IntegerField(required=False)
    checklist = StepsField(required=False)
    assigned_to = _worker_field(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Machine and title come from the alert where there is one."""
        alert = attrs.get("alert")
        missing = [] if alert else [name for name in ("device", "title") if name not in attrs]
        if missing:
            raise serializers.ValidationError(
                {name: ["This field is required."] for name in missing}
            )
        return attrs


class CheckItemSerializer(serializers.Serializer[Any]):
    """One step and what became of it; of a number also unit and limits."""

    step = serializers.CharField()
    kind = serializers.ChoiceField(list(checklist_steps.Kind), default=checklist_steps.Kind.CHECK)
    done = serializers.BooleanField()
    note = serializers.CharField()
    value = serializers.JSONField(required=False)
    unit = serializers.CharField(required=False)
    low = serializers.FloatField(required=False)
    high = serializers.FloatField(required=False)


class OrderSerializer(serializers.ModelSerializer[WorkOrder]):
    """A work order as lists show it."""

    number = serializers.SerializerMethodField()
    device_name = serializers.CharField(source="device.name", read_only=True)
    shown = serializers.SerializerMethodField()
    late_after = serializers.SerializerMethodField()
    assigned_to = serializers.CharField(source="assigned_to.username", default=None)
    completed_by = serializers.CharField(source="completed_by.username", default=None)
    checklist = CheckItemSerializer(many=True, read_only=True)
    possible = serializers.SerializerMethodField()

    class Meta:
        model = WorkOrder
        fields = [
            "id",
            "number",
            "device",
            "device_name",
            "plan",
            "occurs_on",
            "counts_for",
            "alert",
            "title",
            "description",
            "state",
            "shown",
            "due_on",
            "grace_days",
            "late_after",
            "scheduled_for",
            "assigned_to",
            "verify_required",
            "skills",
            "checklist",
            "out_of_limits",
            "hold_reason",
            "cancel_reason",
            "started_at",
            "completed_at",
            "completed_by",
            "signature",
            "verified_at",
            "evidence",
            "evidence_by",
            "evidence_text",
            "follows",
            "created_at",
            "is_synthetic",
            "possible",
        ]
        read_only_fields = fields

    def get_number(self, order: WorkOrder) -> str:
        """As people write it."""
        return f"WO-{order.pk}"

    @extend_schema_field(serializers.ChoiceField(selectors_due.Shown.choices))
    def get_shown(self, order: WorkOrder) -> str:
        """The derived state about its date."""
        return selectors_due.shown(order, timezone.localdate())

    @extend_schema_field(OpenApiTypes.DATE)
    def get_late_after(self, order: WorkOrder) -> str | None:
        """Last day on which it is not overdue."""
        last = selectors_due.late_after(order)
        return last.isoformat() if last else None

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(order_steps.STEPS)))
    def get_possible(self, order: WorkOrder) -> list[str]:
        """Steps that the table has from here."""
        return list(order_steps.possible(order.state))


class OrderEventSerializer(serializers.ModelSerializer[WorkOrderEvent]):
    """One step of its life."""

    by = serializers.CharField(source="by.username", default=None)

    class Meta:
        model = WorkOrderEvent
        fields = ["at", "by", "from_state", "to_state", "note", "detail"]
        read_only_fields = fields


class OrderFileSerializer(serializers.ModelSerializer[OrderFile]):
    """A photo (`step`: its place in the checklist, from 0) or a document, with its SHA-256."""

    by = serializers.CharField(source="by.username", default=None)

    class Meta:
        model = OrderFile
        fields = ["id", "step", "filename", "kind", "size", "sha256", "by", "at"]
        read_only_fields = fields


class NewOrderFileSerializer(serializers.Serializer[Any]):
    """A file in the part `file`."""

    file = serializers.FileField()
    step = serializers.IntegerField(min_value=0, max_value=99, required=False, allow_null=True)


class LabourSerializer(serializers.ModelSerializer[Labour]):
    """Minutes of one person."""

    person = _worker_field(required=False)
    by = serializers.CharField(source="by.username", default=None, read_only=True)

    class Meta:
        model = Labour
        fields = ["id", "person", "minutes", "note", "by", "at"]
        read_only_fields = ["id", "at"]


class CostSerializer(serializers.ModelSerializer[Cost]):
    """Money; a credit is negative."""

    by = serializers.CharField(source="by.username", default=None, read_only=True)

    class Meta:
        model = Cost
        fields = ["id", "what", "amount", "by", "at"]
        read_only_fields = ["id", "at"]


class DowntimeSerializer(serializers.ModelSerializer[Downtime]):
    """When a machine could not be used."""

    device_name = serializers.CharField(source="device.name", read_only=True)
    created_by = serializers.CharField(source="created_by.username", default=None)

    class Meta:
        model = Downtime
        fields = [
            "id",
            "device",
            "device_name",
            "order",
            "starts_at",
            "ends_at",
            "planned",
            "extent",
            "reason",
            "created_by",
            "is_synthetic",
        ]
        read_only_fields = fields


class OrderDetailSerializer(OrderSerializer):
    """One order with its time line and downtime."""

    verified_by = serializers.CharField(source="verified_by.username", default=None)
    created_by = serializers.CharField(source="created_by.username", default=None)
    events = OrderEventSerializer(many=True, read_only=True)
    downtimes = DowntimeSerializer(many=True, read_only=True)
    files = OrderFileSerializer(many=True, read_only=True)
    labour = LabourSerializer(many=True, read_only=True)
    costs = CostSerializer(many=True, read_only=True)
    evidence_missing = serializers.SerializerMethodField()

    class Meta(OrderSerializer.Meta):
        fields = [
            *OrderSerializer.Meta.fields,
            "verified_by",
            "created_by",
            "events",
            "downtimes",
            "files",
            "labour",
            "costs",
            "evidence_missing",
        ]
        read_only_fields = fields

    def get_evidence_missing(self, order: WorkOrder) -> str:
        """What its alert waits for; empty where nothing is waited for."""
        found = evidence.of_order(order, timezone.now())
        return found.missing if found else ""


class NewDowntimeSerializer(serializers.Serializer[Any]):
    """An interval; without `ends_at` the machine is down since `starts_at` (now unless given)."""

    device = DeviceField()
    reason = serializers.CharField(max_length=300)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    planned = serializers.BooleanField(required=False)
    extent = serializers.ChoiceField(choices=Extent.choices, required=False)
    order = serializers.PrimaryKeyRelatedField(
        queryset=WorkOrder.objects.all(), required=False, allow_null=True
    )


class EndSerializer(serializers.Serializer[Any]):
    """When it was usable again; now unless given."""

    ends_at = serializers.DateTimeField(required=False, allow_null=True)
