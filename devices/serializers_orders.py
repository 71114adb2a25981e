"""Shapes of work orders in REST: they check form; services check rules."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from . import checklist_steps, order_steps, selectors_due
from .fields import LARGEST_ID
from .models import Alert, Cost, Labour, MaintenancePlan, OrderFile, WorkOrder, WorkOrderEvent
from .models.maintenance import OrderState
from .selectors import evidence, order_people
from .serializers_downtimes import DowntimeSerializer
from .serializers_maintenance import DeviceField, StepsField, worker_field


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
    """Answers: one per step in order, or by the step's text; `revision`: of the order seen."""

    revision = serializers.IntegerField(min_value=0, max_value=LARGEST_ID, required=False)
    checklist = serializers.ListField(
        child=AnswerField(), max_length=checklist_steps.MAX_STEPS, required=False
    )


class CompletionSerializer(AnswersSerializer):
    """What closes an order."""

    signature = serializers.CharField(allow_blank=True, default="", max_length=1000)
    counts_for = serializers.PrimaryKeyRelatedField(
        queryset=MaintenancePlan.objects.all(), required=False, allow_null=True
    )


class ChangeSerializer(serializers.Serializer[Any]):
    """One field of one step: what stood in it when the person began, and what it is now."""

    place = serializers.IntegerField(min_value=0, max_value=checklist_steps.MAX_STEPS)
    step = serializers.CharField(max_length=checklist_steps.MAX_STEP, trim_whitespace=False)
    kind = serializers.ChoiceField(list(checklist_steps.Kind))
    name = serializers.ChoiceField(["done", "value", "note"])
    base = serializers.JSONField(allow_null=True)
    mine = serializers.JSONField(allow_null=True)


class SentAnswersSerializer(serializers.Serializer[Any]):
    """Answers that were kept until there was network, and the order as the person saw it."""

    key = serializers.UUIDField(help_text="made by the sender; sent again, nothing changes")
    person = serializers.IntegerField(
        required=False, help_text="whose answers they are; refused where somebody else is signed in"
    )
    revision = serializers.IntegerField(
        min_value=0, max_value=LARGEST_ID, required=False, help_text="any other one is refused"
    )
    state = serializers.ChoiceField(OrderState.choices)
    assigned_to = serializers.CharField(max_length=150, allow_null=True)
    changes = ChangeSerializer(many=True)
    as_remark = serializers.BooleanField(
        default=False, help_text="put them on the time line: they can't be entered any more"
    )


class KeptAnswersSerializer(serializers.Serializer[Any]):
    """What came of answers."""

    revision = serializers.IntegerField()
    state = serializers.ChoiceField(OrderState.choices)
    assigned_to = serializers.CharField(allow_null=True)
    checklist = serializers.ListField(child=serializers.JSONField())
    out_of_limits = serializers.ListField(child=serializers.CharField(), help_text="steps")
    again = serializers.BooleanField(help_text="they had come before")
    refused = serializers.ListField(child=serializers.JSONField())
    at = serializers.DateTimeField()


class OverrideSerializer(serializers.Serializer[Any]):
    """Why it goes without a skill that the order asks for; admins alone."""

    override = serializers.CharField(
        allow_blank=True, required=False, max_length=1000, help_text="admins alone"
    )


class ReasonSerializer(serializers.Serializer[Any]):
    """Why; needed."""

    reason = serializers.CharField(allow_blank=True, default="", max_length=2000)


class OrderCommentSerializer(serializers.Serializer[Any]):
    """A remark."""

    text = serializers.CharField(allow_blank=True, default="", max_length=2000)


class AssignmentSerializer(OverrideSerializer):
    """A user name, or null for nobody."""

    assigned_to = worker_field(allow_null=True)


class ScheduleSerializer(OverrideSerializer):
    """When, and by whom."""

    scheduled_for = serializers.DateTimeField(default=None, allow_null=True)
    assigned_to = worker_field(default=None, allow_null=True)


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
    assigned_to = worker_field(required=False, allow_null=True)

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
            "revision",
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


class KeptFileSerializer(OrderFileSerializer):
    """The same, with the revision that the order has by it."""

    order_revision = serializers.IntegerField(source="order.revision", read_only=True)

    class Meta(OrderFileSerializer.Meta):
        fields = [*OrderFileSerializer.Meta.fields, "order_revision"]
        read_only_fields = fields


class NewOrderFileSerializer(serializers.Serializer[Any]):
    """A file in the part `file`."""

    file = serializers.FileField()
    step = serializers.IntegerField(min_value=0, max_value=99, required=False, allow_null=True)
    key = serializers.UUIDField(
        required=False, help_text="of a photo kept until there was network; sent again: the first"
    )
    text = serializers.CharField(
        max_length=checklist_steps.MAX_STEP, default="", help_text="with key: the step's text"
    )
    seen = serializers.IntegerField(
        required=False, allow_null=True, help_text="with key: number of the photo it had"
    )
    person = serializers.IntegerField(required=False, help_text="with key: whose photo it is")


class LabourSerializer(serializers.ModelSerializer[Labour]):
    """Minutes of one person."""

    person = worker_field(required=False)
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
    skills_missing = serializers.SerializerMethodField()
    able = serializers.SerializerMethodField()

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
            "skills_missing",
            "able",
        ]
        read_only_fields = fields

    def get_evidence_missing(self, order: WorkOrder) -> str:
        """What its alert waits for; empty where nothing is waited for."""
        found = evidence.of_order(order, timezone.now())
        return found.missing if found else ""

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_skills_missing(self, order: WorkOrder) -> list[str]:
        """What whom it is given to lacks."""
        return order_people.missing_of([order]).get(order.pk, [])

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_able(self, order: WorkOrder) -> list[str]:
        """Who has all skills that it asks for; empty where it asks for none."""
        if not order.skills:
            return []
        return [each.person.username for each in order_people.candidates(order) if not each.lacks]
