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


def _worker_field(label: str = "For") -> forms.ModelChoiceField[User]:
    return forms.ModelChoiceField(
        selectors_maintenance.workers(), required=False, label=label, empty_label="nobody yet"
    )


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
    assigned_to = _worker_field()
    checklist = ChecklistField(rows=4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["device"].queryset = selectors_maintenance.machines()  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        data = dict(self.cleaned_data)
        data["grace_days"] = data["grace_days"] or 0
        return data


class ScheduleForm(Described):
    """When, and by whom."""

    scheduled_for = forms.DateTimeField(widget=MomentInput(), label="When", required=False)
    assigned_to = _worker_field()


class AssignForm(Described):
    """Who."""

    assigned_to = _worker_field()


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
