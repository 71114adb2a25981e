"""The form of the retention policy: shapes only."""

from __future__ import annotations

from typing import Any

from django import forms

from devices.models.retention import LENGTHS, LONGEST, SHORTEST

_HELP = "Full months before this one. Empty: for ever."


class _Months(forms.IntegerField):
    def __init__(self, label: str) -> None:
        super().__init__(
            label=label,
            min_value=SHORTEST,
            max_value=LONGEST,
            required=False,
            help_text=_HELP,
            widget=forms.NumberInput(attrs={"placeholder": "for ever"}),
        )


class MonthsForm(forms.Form):
    """What a dry run is asked about."""

    raw_months = _Months("Every reading, months")
    five_minute_months = _Months("5-minute values, months")
    hour_months = _Months("Hour values, months")
    day_months = _Months("Day values, months")


class RetentionForm(MonthsForm):
    """What is settled, after its dry run: the lengths are those that were tried."""

    reason = forms.CharField(
        label="Why", max_length=300, error_messages={"required": "Say why in a few words."}
    )
    seen = forms.IntegerField(
        widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in LENGTHS:
            self.fields[name].widget = forms.HiddenInput()


class ApplyForm(forms.Form):
    """Which policy's dry run was looked at."""

    seen = forms.IntegerField(min_value=0, max_value=2**31 - 1)


def months_of(data: dict[str, Any]) -> dict[str, Any]:
    """The four lengths of a form's cleaned data, as services take them."""
    return {name: data.get(name) for name in LENGTHS}
