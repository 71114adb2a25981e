"""What the forms of maintenance share, and the filters of its page."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from twinhealth.errors import InvalidInputError

from . import checklist_steps, schedule, selectors_maintenance
from .fields import LARGEST_ID


class Described(forms.Form):
    """Wrong fields say so to screen readers as well."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class DateInput(forms.DateInput):
    """The browser's own date field."""

    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class MomentInput(forms.DateTimeInput):
    """The browser's own date and time field, in the hospital's zone."""

    input_type = "datetime-local"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", **kwargs)


class ChecklistField(forms.CharField):
    """Steps, one a line, with their kind in brackets; gives what services take."""

    def __init__(self, *, rows: int) -> None:
        super().__init__(
            widget=forms.Textarea(attrs={"rows": rows}),
            required=False,
            max_length=checklist_steps.MAX_STEPS * (checklist_steps.MAX_STEP + 40),
            label="Checklist",
            help_text="One step a line. It passes or fails, unless its end says otherwise: "
            "[number kV 68..72], [photo], [text].",
        )

    def clean(self, value: Any) -> Any:
        """The steps."""
        try:
            return checklist_steps.steps(
                [checklist_steps.from_line(line) for line in super().clean(value).splitlines()]
            )
        except InvalidInputError as error:
            raise forms.ValidationError(error.message) from error


class FilterForm(Described):
    """What stands in the address of the page; what can't be read is left out."""

    show = forms.CharField(required=False, max_length=32)
    machine = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    assignee = forms.CharField(required=False, max_length=18)
    state = forms.CharField(required=False, max_length=16)
    plan = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    on = forms.DateField(required=False)

    def chosen(self) -> selectors_maintenance.OrderFilter:
        """The filters."""
        self.is_valid()
        data = {name: value for name, value in self.cleaned_data.items() if value}
        return selectors_maintenance.OrderFilter(**data)


def month_of(text: str, today: date) -> date:
    """First day of the month `2026-11`; this month for anything else."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    within = schedule.FIRST_YEAR <= first.year <= schedule.LAST_YEAR
    return first if within else today.replace(day=1)
