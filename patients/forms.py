"""The patient page's form: it knows shapes and the hospital's zone; the service knows the rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone

from .codes import BY_CODE, DIASTOLIC, KINDS, SYSTOLIC
from .services.observations import ObservationIn

BLOOD_PRESSURE = "blood-pressure"
_PAIR = {SYSTOLIC.code, DIASTOLIC.code}


def _choices() -> list[tuple[str, str]]:
    single = [(k.code, f"{k.name} ({k.unit})") for k in KINDS if k.code not in _PAIR]
    return [(BLOOD_PRESSURE, f"blood pressure ({SYSTOLIC.unit})"), *single]


class ObservationForm(forms.Form):
    """One value, or the two of a blood pressure."""

    kind = forms.ChoiceField(label="What", choices=_choices)
    value = forms.DecimalField(
        label="Value",
        max_digits=14,
        decimal_places=4,
        help_text="For blood pressure the upper (systolic) one.",
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    lower = forms.DecimalField(
        label="Lower value",
        max_digits=14,
        decimal_places=4,
        required=False,
        help_text="Only for blood pressure: the diastolic one.",
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    unit = forms.CharField(
        label="Unit",
        max_length=32,
        required=False,
        help_text="UCUM; left empty: the unit named with the kind.",
        widget=forms.TextInput(
            attrs={
                "list": "units",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    effective_at = forms.DateTimeField(
        label="Time of the measurement",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        self.fields["effective_at"].help_text = f"In the hospital's time zone, {zone}."
        self.fields["effective_at"].initial = timezone.localtime

    def clean(self) -> dict[str, Any]:
        """Blood pressure needs both values, nothing else takes the second."""
        data = super().clean() or {}
        if data.get("kind") == BLOOD_PRESSURE:
            if data.get("lower") is None and "lower" not in self.errors:
                self.add_error("lower", "Blood pressure needs both values.")
        elif data.get("lower") is not None:
            self.add_error("lower", "Only blood pressure has a second value.")
        return data

    def items(self) -> list[ObservationIn]:
        """What the valid form says."""
        data = self.cleaned_data
        at = data["effective_at"]
        if data["kind"] == BLOOD_PRESSURE:
            unit = data["unit"] or SYSTOLIC.unit
            return [
                ObservationIn(SYSTOLIC.code, data["value"], unit, at),
                ObservationIn(DIASTOLIC.code, data["lower"], unit, at),
            ]
        value: Decimal = data["value"]
        unit = data["unit"] or BY_CODE[data["kind"]].unit
        return [ObservationIn(data["kind"], value, unit, at)]
