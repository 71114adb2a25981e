"""Form of a file of readings: what it doesn't say itself."""

from __future__ import annotations

from typing import Any

from django import forms

from devices.csv_readings import DECIMALS, FIELDS, FORMS
from devices.csv_text import DELIMITERS, ENCODINGS
from devices.models import Device

_ITSELF = ("", "as the file suggests")


class ImportForm(forms.Form):
    """A file, and where its own signs mislead, how it is to be read."""

    file = forms.FileField(label="CSV file", help_text="At most 100 MB.")
    device = forms.ModelChoiceField(
        Device.objects.order_by("name"),
        required=False,
        empty_label="as a column of the file says",
        label="Machine",
    )
    zone = forms.CharField(
        max_length=64, required=False, label="Zone of times without an offset",
        help_text="Empty: the hospital's. Else a name such as Europe/Berlin.",
    )  # fmt: skip
    encoding = forms.ChoiceField(choices=[_ITSELF, *ENCODINGS.items()], required=False)
    delimiter = forms.ChoiceField(
        choices=[_ITSELF, *DELIMITERS.items()], required=False, label="Cells are separated by"
    )
    decimal = forms.ChoiceField(
        choices=[_ITSELF, *DECIMALS.items()], required=False, label="Decimal sign"
    )
    form = forms.ChoiceField(choices=[_ITSELF, *FORMS.items()], required=False, label="Form")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in FIELDS:
            self.fields[f"column_{name}"] = forms.CharField(
                max_length=128, required=False, label=f"Heading of {name}"
            )

    def options(self) -> dict[str, Any]:
        """Of a valid form: only what was said."""
        data = self.cleaned_data
        names = ("zone", "encoding", "delimiter", "decimal", "form")
        found: dict[str, Any] = {name: data[name] for name in names if data[name]}
        if data["device"]:
            found["device"] = data["device"].serial
        columns = {n: data[f"column_{n}"] for n in FIELDS if data[f"column_{n}"]}
        return found | ({"columns": columns} if columns else {})
