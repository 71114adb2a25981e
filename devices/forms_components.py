"""Forms of a machine's parts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms

from devices.models import ComponentKind, Metric
from devices.services.components import Part

from .forms_maintenance import MomentInput


class WhenAndWhy(forms.Form):
    """When it was, and why."""

    at = forms.DateTimeField(
        required=False,
        label="When",
        widget=MomentInput,
        help_text="Empty: now. In the hospital's time.",
    )
    reason = forms.CharField(max_length=300, label="Reason")

    def when(self) -> datetime | None:
        """Of a valid form."""
        found: datetime | None = self.cleaned_data["at"]
        return found


class CorrectForm(forms.Form):
    """Why the entry is a mistake."""

    reason = forms.CharField(max_length=300, label="Why the last entry is a mistake")


class PartForm(WhenAndWhy):
    """A part that comes into a place which is known; one field per counter of its kind."""

    serial = forms.CharField(max_length=64, required=False, label="Serial number")
    manufacturer = forms.CharField(max_length=128, required=False)
    model_name = forms.CharField(max_length=128, required=False, label="Model")
    udi = forms.CharField(
        max_length=128,
        required=False,
        label="UDI",
        help_text="As printed or scanned: (01)…(21)… of GS1, or +… of HIBCC.",
    )
    field_order = ("kind", "position", "serial", "manufacturer", "model_name", "udi")

    def __init__(self, *args: Any, counters: list[Metric], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._counters = counters
        for metric in counters:
            self.fields[f"counter_{metric.key}"] = forms.FloatField(
                required=False,
                min_value=0,
                label=f"{metric.label} then, in {metric.unit}",
                help_text="What the machine showed at the installation. Empty: its last reading.",
            )

    def part(self) -> Part:
        """Of a valid form."""
        data = self.cleaned_data
        given = {m.key: data.get(f"counter_{m.key}") for m in self._counters}
        return Part(
            serial=data["serial"],
            manufacturer=data["manufacturer"],
            model_name=data["model_name"],
            udi=data["udi"],
            counters={key: value for key, value in given.items() if value is not None},
        )


class NewPartForm(PartForm):
    """A part that comes into a free place."""

    kind = forms.ChoiceField(choices=ComponentKind.choices)
    position = forms.CharField(
        max_length=32,
        required=False,
        help_text="Only where the machine has several of a kind: wall, table.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False

    def part(self) -> Part:
        """Of a valid form; counters of another kind of part are left out."""
        kind = self.cleaned_data["kind"]
        self._counters = [m for m in self._counters if m.counter_of == kind]
        return super().part()
