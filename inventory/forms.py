"""Forms of this room: they check shapes; services check rules."""

from __future__ import annotations

from typing import Any

from django import forms

from devices.fields import RowsField
from devices.forms_maintenance import DateInput
from devices.models import Component, Device, DeviceModel
from devices.models.component import ComponentKind

from .mds2 import QUESTIONS, SECTIONS
from .models import Answer, ContractKind, ImportKind, Vendor
from .services.edited import MAX_PRICE

_MODELS = DeviceModel.objects.order_by("manufacturer", "name")


def _money(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        min_value=0, max_value=MAX_PRICE, decimal_places=2, required=False, label=label,
        help_text="In the hospital's currency. Empty: not known.",
    )  # fmt: skip


class VendorForm(forms.Form):
    """Who, and whom to call there."""

    name = forms.CharField(max_length=128)
    contact = forms.CharField(
        max_length=128, required=False, label="Contact for service", help_text="A desk or a role."
    )
    phone = forms.CharField(max_length=32, required=False)
    email = forms.EmailField(required=False, label="E-mail")
    note = forms.CharField(max_length=300, required=False)
    active = forms.BooleanField(required=False, initial=True, label="In use")


class StockPartForm(forms.Form):
    """One entry of the catalogue."""

    number = forms.CharField(max_length=64, label="Part number")
    name = forms.CharField(max_length=128)
    unit = forms.CharField(max_length=16, initial="piece", help_text="Whole ones are counted.")
    component_kind = forms.ChoiceField(
        choices=[("", "used up by the work"), *ComponentKind.choices], required=False,
        label="Becomes a machine's",
    )  # fmt: skip
    fits = RowsField(
        _MODELS, required=False, label="Fits the models", help_text="None chosen: fits all."
    )
    vendor = forms.ModelChoiceField(
        Vendor.objects.order_by("name"), required=False, empty_label="not known"
    )
    price = _money("Price of one")
    location = forms.CharField(max_length=64, required=False, label="Where it lies")
    reorder_level = forms.IntegerField(
        min_value=0, max_value=1_000_000, initial=0, label="Reorder at",
        help_text="At so many, or fewer, it is listed to be ordered; 0: never.",
    )  # fmt: skip
    reorder_amount = forms.IntegerField(
        min_value=0, max_value=1_000_000, initial=0, label="Order so many"
    )
    active = forms.BooleanField(required=False, initial=True, label="Kept")


class ReceiptForm(forms.Form):
    """Parts came in."""

    amount = forms.IntegerField(min_value=1, max_value=100_000, label="How many")
    reason = forms.CharField(max_length=300, required=False, label="Delivery note")


class CountForm(forms.Form):
    """So many lie there."""

    counted = forms.IntegerField(min_value=0, max_value=1_000_000, label="Counted")
    reason = forms.CharField(max_length=300, label="Why it was counted")


class ContractForm(forms.Form):
    """An agreement on machines or models."""

    vendor = forms.ModelChoiceField(Vendor.objects.order_by("name"))
    number = forms.CharField(max_length=64)
    kind = forms.ChoiceField(choices=ContractKind.choices)
    starts_on = forms.DateField(widget=DateInput(), label="From")
    ends_on = forms.DateField(widget=DateInput(), label="To, that day included")
    devices = RowsField(Device.objects.order_by("name"), required=False, label="Machines")
    device_models = RowsField(
        _MODELS, required=False, label="Models", help_text="All their machines, later ones too."
    )
    notice_days = forms.IntegerField(
        min_value=0, max_value=1_000, initial=0, label="Notice, in days before the end"
    )
    response_hours = forms.IntegerField(
        min_value=0, max_value=10_000, required=False, label="Comes within, in hours"
    )
    cost_per_year = _money("Cost per year")
    phone = forms.CharField(
        max_length=32, required=False, label="Number to call", help_text="Empty: the vendor's."
    )
    note = forms.CharField(max_length=300, required=False)


class WarrantyForm(forms.Form):
    """Until when a machine or a part is repaired for nothing."""

    component = forms.ModelChoiceField(
        Component.objects.none(), required=False, empty_label="the whole machine", label="Of"
    )
    vendor = forms.ModelChoiceField(Vendor.objects.order_by("name"), label="By")
    until = forms.DateField(widget=DateInput(), label="Until, that day included")
    note = forms.CharField(max_length=300, required=False)

    def __init__(self, *args: Any, device: Device, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["component"]
        field.queryset = Component.objects.filter(device=device, removed_at=None, voided_at=None)


class AuditFileForm(forms.Form):
    """Of which machine, and when."""

    device = forms.ModelChoiceField(
        Device.objects.order_by("name"), required=False, label="Machine",
        empty_label="all machines, retired ones too",
    )  # fmt: skip
    starts_on = forms.DateField(widget=DateInput(), label="From")
    ends_on = forms.DateField(widget=DateInput(), label="To, that day included")


class TableForm(forms.Form):
    """A table, and what its rows are."""

    kind = forms.ChoiceField(choices=ImportKind.choices, label="Its rows are")
    device_model = forms.ModelChoiceField(
        _MODELS, required=False, label="MDS2 of", empty_label="only for MDS2 answers"
    )
    file = forms.FileField(label="CSV file", help_text="At most 20 MB and 10,000 rows.")


class Mds2Form(forms.Form):
    """The document and every question."""

    document = forms.CharField(
        max_length=200, required=False, label="Document", help_text="Its number or title."
    )
    document_date = forms.DateField(widget=DateInput(), required=False, label="Its date")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in QUESTIONS:
            self.fields[question.code] = forms.ChoiceField(
                choices=[("", "not answered"), *Answer.choices], required=False, label=question.text
            )
            self.fields[f"{question.code}-note"] = forms.CharField(
                max_length=500, required=False, label=f"Note on {question.code}"
            )

    def answers(self) -> dict[str, tuple[str, str]]:
        """Of a valid form: code -> (answer, note)."""
        data = self.cleaned_data
        return {q.code: (data[q.code], data[f"{q.code}-note"]) for q in QUESTIONS}

    def sections(self) -> list[tuple[str, str, list[tuple[Any, Any, Any]]]]:
        """Code and name of each section, with its questions and their two fields."""
        found = []
        for code, name in SECTIONS.items():
            fields = [
                (q, self[q.code], self[f"{q.code}-note"]) for q in QUESTIONS if q.section == code
            ]
            found.append((code, name, fields))
        return found
