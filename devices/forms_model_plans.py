"""Forms of plans of a make, their exceptions, and blackout dates."""

from __future__ import annotations

from typing import Any

from django import forms

from . import schedule
from .checklist_steps import as_line
from .forms_maintenance import DateInput
from .forms_plans import PlanForm, rule_initial
from .models import Device, DeviceModel, ModelPlan
from .models.maintenance import Timing


class ModelPlanForm(PlanForm):
    """A plan for all machines of a make."""

    meter = None  # type: ignore[assignment]
    meter_every = None  # type: ignore[assignment]
    timing = forms.ChoiceField(
        choices=[(each.value, each.label) for each in (Timing.FIXED, Timing.FLOATING)],
        initial=Timing.FIXED,
        required=False,
        label="Counted",
    )
    longest_months = forms.IntegerField(
        min_value=1,
        max_value=120,
        required=False,
        label="Manufacturer's interval, months",
        help_text="The longest that is permitted. Empty: what the model says, else the rule's own.",
    )

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        self.cleaned_data |= {"meter": None, "meter_every": None}
        found = super().values()
        del found["meter"], found["meter_every"]
        return {**found, "longest_months": self.cleaned_data["longest_months"]}


class NewModelPlanForm(ModelPlanForm):
    """A plan for a make."""

    device_model = forms.ModelChoiceField(
        DeviceModel.objects.order_by("manufacturer", "name"), label="Model"
    )
    field_order = ["device_model", "title"]

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        return {"device_model": self.cleaned_data["device_model"], **super().values()}


def model_plan_initial(plan: ModelPlan) -> dict[str, Any]:
    """The form's values for a stored plan."""
    return {
        "title": plan.title,
        "timing": plan.timing,
        "verify_required": plan.verify_required,
        "skills": ", ".join(plan.skills),
        "starts_on": plan.starts_on,
        "grace_days": plan.grace_days,
        "lead_days": plan.lead_days,
        "longest_months": plan.longest_months,
        "checklist": "\n".join(map(as_line, plan.checklist)),
        **rule_initial(plan),
    }


class ExceptionForm(forms.Form):
    """Which machine, why, and how often instead."""

    device = forms.ModelChoiceField(Device.objects.none(), label="Machine")
    reason = forms.CharField(max_length=300, label="Why")
    rrule = forms.CharField(
        max_length=schedule.MAX_LENGTH,
        required=False,
        label="Rule instead",
        help_text="As in FREQ=MONTHLY;INTERVAL=2. Empty: the machine is left out.",
    )

    def __init__(self, *args: Any, plan: ModelPlan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        machines = Device.objects.filter(model=plan.device_model_id).order_by("name", "pk")
        self.fields["device"].queryset = machines  # type: ignore[attr-defined]


class BlackoutForm(forms.Form):
    """Days on which nothing becomes due: of the hospital, or of the plan on whose page it is."""

    starts_on = forms.DateField(widget=DateInput(), label="From")
    ends_on = forms.DateField(widget=DateInput(), label="To", help_text="Included.")
    yearly = forms.BooleanField(required=False, label="Every year")
    reason = forms.CharField(max_length=300, label="Why")
