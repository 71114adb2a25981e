"""Forms of plans: they check shapes; services check rules."""

from __future__ import annotations

import calendar
from typing import Any

from django import forms
from django.utils import timezone

from twinhealth.web.ucum import unit_text

from . import checklist_steps, schedule, selectors_maintenance
from .forms_maintenance import ChecklistField, DateInput, Described
from .models import Device, MaintenancePlan, Metric, ModelPlan
from .models.maintenance import Timing

DAY_OF_START = 0
LAST_DAY = -1


class MetricField(forms.ModelChoiceField):
    """A quantity of any make; the service sees that the machine has it."""

    def __init__(self) -> None:
        super().__init__(
            Metric.objects.select_related("device_model").order_by("device_model", "label"),
            required=False,
            label="Counter",
            help_text="What grows with use, as exposures or tube hours.",
        )

    def label_from_instance(self, obj: Any) -> str:
        """Its name, unit and make."""
        return f"{obj.label} ({unit_text(obj.unit) or 'count'}), {obj.device_model}"


_MONTH_DAYS = [
    (DAY_OF_START, "the same day as the start"),
    (LAST_DAY, "the last day of the month"),
    *((day, f"day {day}") for day in range(1, 31)),
]
_WEEKDAYS = [(number, calendar.day_name[number]) for number in range(7)]
_NTH = [(1, "first"), (2, "second"), (3, "third"), (4, "fourth"), (-1, "last")]
_MODES = [
    ("month_day", "every so many months, on a day of the month"),
    ("month_weekday", "every so many months, on a weekday"),
    ("weeks", "every so many weeks"),
    ("rule", "by a rule (RFC 5545)"),
]


class PlanForm(Described):
    """A plan; the simple fields write its rule."""

    title = forms.CharField(max_length=200, label="What is to be done")
    timing = forms.ChoiceField(
        choices=Timing.choices,
        initial=Timing.FIXED,
        required=False,
        label="Counted",
        help_text="By the calendar, other work never moves a date. From when it was last done, "
        "the next date follows the signature. By use, it follows a counter.",
    )
    meter = MetricField()
    meter_every = forms.FloatField(
        required=False, min_value=0, label="Every so much", help_text="In the counter's unit."
    )
    mode = forms.ChoiceField(
        choices=_MODES, initial="month_day", label="How often", widget=forms.RadioSelect
    )
    every = forms.IntegerField(min_value=1, max_value=522, initial=3, required=False, label="Every")
    month_day = forms.TypedChoiceField(
        choices=_MONTH_DAYS, coerce=int, empty_value=None, required=False, label="On"
    )
    nth = forms.TypedChoiceField(
        choices=_NTH, coerce=int, empty_value=None, required=False, label="Which"
    )
    weekday = forms.TypedChoiceField(
        choices=_WEEKDAYS, coerce=int, empty_value=None, required=False, label="Weekday"
    )
    rrule = forms.CharField(
        max_length=schedule.MAX_LENGTH,
        required=False,
        label="Rule",
        help_text="As in FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO. The day is enough: no hours.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "characters"}),
    )
    starts_on = forms.DateField(
        widget=DateInput(),
        label="Start",
        help_text="The rule counts from here. With a start in the past, the latest due date "
        "becomes an order.",
    )
    grace_days = forms.IntegerField(
        min_value=0,
        max_value=365,
        initial=7,
        label="Grace, days",
        help_text="Late only after so many days.",
    )
    lead_days = forms.IntegerField(
        min_value=0,
        max_value=90,
        initial=14,
        label="Lead, days",
        help_text="The order is made so many days before.",
    )
    checklist = ChecklistField(rows=6)
    verify_required = forms.BooleanField(
        required=False, label="Another person verifies the finished work"
    )
    skills = forms.CharField(
        max_length=1500, required=False, label="Skills needed", help_text="By commas."
    )

    def clean_timing(self) -> str:
        """By the calendar unless it says otherwise."""
        return self.cleaned_data["timing"] or Timing.FIXED

    def rule(self) -> schedule.Rule:
        """The rule that the fields say.

        Raises:
            InvalidInputError: `rrule_invalid`.
        """
        data = self.cleaned_data
        mode, every = data["mode"], data.get("every") or 1
        if mode == "month_day":
            return schedule.every_n_months(every, day=data["month_day"] or None)
        if mode == "month_weekday":
            return schedule.every_n_months_on(
                every, nth=data["nth"] or 1, weekday=data["weekday"] or 0
            )
        if mode == "weeks":
            return schedule.every_n_weeks(every, weekday=data["weekday"])
        return schedule.parse(data["rrule"], zone=timezone.get_default_timezone())

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        data = self.cleaned_data
        by_use = data["timing"] == Timing.METER
        return {
            "title": data["title"],
            "timing": data["timing"],
            "rrule": "" if by_use else str(self.rule()),
            "meter": data["meter"] if by_use else None,
            "meter_every": data["meter_every"] if by_use else None,
            "verify_required": data["verify_required"],
            "skills": data["skills"].split(","),
            "starts_on": data["starts_on"],
            "grace_days": data["grace_days"],
            "lead_days": data["lead_days"],
            "checklist": data["checklist"],
        }


class NewPlanForm(PlanForm):
    """A plan for a machine."""

    device = forms.ModelChoiceField(Device.objects.none(), label="Machine")
    field_order = ["device", "title"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["device"].queryset = selectors_maintenance.machines()  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        return {"device": self.cleaned_data["device"], **super().values()}


class PreviewForm(PlanForm):
    """The part of the form that decides the dates."""

    meter = None  # type: ignore[assignment]
    meter_every = None  # type: ignore[assignment]
    verify_required = None  # type: ignore[assignment]
    skills = None  # type: ignore[assignment]
    title = None  # type: ignore[assignment]
    grace_days = None  # type: ignore[assignment]
    lead_days = None  # type: ignore[assignment]
    checklist = None  # type: ignore[assignment]


def plan_initial(plan: MaintenancePlan) -> dict[str, Any]:
    """The form's values for a stored plan: simple fields where they can say its rule."""
    initial = {
        "title": plan.title,
        "timing": plan.timing,
        "meter": plan.meter_id,
        "meter_every": plan.meter_every,
        "verify_required": plan.verify_required,
        "skills": ", ".join(plan.skills),
        "starts_on": plan.starts_on,
        "grace_days": plan.grace_days,
        "lead_days": plan.lead_days,
        "checklist": "\n".join(map(checklist_steps.as_line, plan.checklist)),
    }
    return {**initial, **(rule_initial(plan) if plan.rrule else {})}


def rule_initial(plan: MaintenancePlan | ModelPlan) -> dict[str, Any]:
    """The rule as simple fields where they can say it."""
    rule = schedule.parse(plan.rrule, zone=timezone.get_default_timezone())
    initial = {"mode": "rule", "every": rule.interval, "rrule": plan.rrule}
    nth, weekday = rule.byday[0] if len(rule.byday) == 1 else (0, plan.starts_on.weekday())
    day = rule.bymonthday[-1] if rule.bymonthday else DAY_OF_START
    simple: list[tuple[schedule.Rule, dict[str, Any]]] = []
    if rule.freq == "MONTHLY" and (day == LAST_DAY or day >= 0):
        month_day = schedule.every_n_months(rule.interval, day=day or None)
        simple.append((month_day, {"mode": "month_day", "month_day": day}))
    if rule.freq == "MONTHLY" and nth in {number for number, _ in _NTH}:
        on_weekday = schedule.every_n_months_on(rule.interval, nth=nth, weekday=weekday)
        simple.append((on_weekday, {"mode": "month_weekday", "nth": nth, "weekday": weekday}))
    if rule.freq == "WEEKLY":
        weekly = schedule.every_n_weeks(rule.interval, weekday=weekday)
        if not rule.byday:
            rule = schedule.every_n_weeks(rule.interval, weekday=weekday)
        simple.append((weekly, {"mode": "weeks", "weekday": weekday}))
    for candidate, fields in simple:
        if candidate == rule:
            return {**initial, **fields}
    return initial
