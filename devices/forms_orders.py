"""Forms of one work order: they check shapes; services check rules."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User

from . import selectors_maintenance
from .fields import LARGEST_ID
from .forms_maintenance import ChecklistField, DateInput, Described, MomentInput
from .models import Device, MaintenancePlan
from .models.maintenance import Timing


class OrderForm(Described):
    """An order by hand."""

    device = forms.ModelChoiceField(Device.objects.none(), label="Machine")
    title = forms.CharField(max_length=200, label="What is to be done")
    description = forms.CharField(
        max_length=4000,
        required=False,
        label="Details",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    due_on = forms.DateField(required=False, widget=DateInput(), label="Due on")
    grace_days = forms.IntegerField(
        min_value=0, max_value=365, initial=0, required=False, label="Grace, days"
    )
    assigned_to = forms.ModelChoiceField(
        User.objects.none(), required=False, label="For", empty_label="nobody yet"
    )
    checklist = ChecklistField(rows=4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["device"].queryset = selectors_maintenance.machines()  # type: ignore[attr-defined]
        self.fields["assigned_to"].queryset = selectors_maintenance.workers()  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        data = dict(self.cleaned_data)
        data["grace_days"] = data["grace_days"] or 0
        return data


class WorkerField(forms.ModelChoiceField):
    """Who works on orders; of those who lack a skill it says which."""

    lacks: dict[int, list[str]] = {}

    def label_from_instance(self, obj: Any) -> str:
        """The name, and what the person lacks."""
        names = self.lacks.get(obj.pk)
        return f"{obj} (lacks {', '.join(names)})" if names else str(obj)


class OverrideForm(Described):
    """Why it goes without a skill; the service asks for it, and for the right."""

    override = forms.CharField(
        max_length=300,
        required=False,
        label="Reason, where a skill is missing",
        help_text="Kept on the time line.",
    )


class AssignForm(OverrideForm):
    """Who."""

    assigned_to = WorkerField(
        User.objects.none(), required=False, label="For", empty_label="nobody yet"
    )
    field_order = ["scheduled_for", "assigned_to", "override"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assigned_to"].queryset = selectors_maintenance.workers()  # type: ignore[attr-defined]

    def say_lacks(self, lacks: dict[int, list[str]]) -> None:
        """What people lack, by their number."""
        self.fields["assigned_to"].lacks = lacks  # type: ignore[attr-defined]


class ScheduleForm(AssignForm):
    """When, and by whom."""

    scheduled_for = forms.DateTimeField(widget=MomentInput(), label="When", required=False)


class ReasonForm(Described):
    """Why; the service asks for it."""

    reason = forms.CharField(max_length=300, required=False, label="Reason")


class SignatureForm(Described):
    """The name typed by who signs; the answers of the checklist stand beside it."""

    signature = forms.CharField(
        max_length=200,
        required=False,
        label="Signature: type your name",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    revision = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_ID)
    counts_for = forms.ModelChoiceField(
        MaintenancePlan.objects.exclude(timing=Timing.FIXED),
        required=False,
        label="Counts for the plan",
        empty_label="no plan: its dates stay",
    )


class CommentForm(Described):
    """A remark."""

    text = forms.CharField(
        max_length=1000, required=False, label="Comment", widget=forms.Textarea(attrs={"rows": 2})
    )
