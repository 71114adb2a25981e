"""Forms of downtime: they check shapes; the service checks rules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from . import selectors_maintenance
from .fields import LARGEST_ID
from .forms_maintenance import MomentInput
from .models import Device, Downtime, WorkOrder
from .models.maintenance import Extent


class OrderField(forms.IntegerField):
    """A work order by its number, with or without `WO-`."""

    def to_python(self, value: Any) -> Any:
        """The order; `None` where nothing was typed."""
        text = str(value or "").strip().upper().removeprefix("WO-")
        number = super().to_python(text)
        if number is None:
            return None
        found = None
        if 0 < number <= LARGEST_ID:
            found = WorkOrder.objects.filter(pk=number).first()
        if found is None:
            raise ValidationError("There is no such work order.", code="unknown")
        return found

    def validate(self, value: Any) -> None:
        """It exists: nothing more to check."""

    def run_validators(self, value: Any) -> None:
        """Those of numbers don't concern an order."""


class _Interval(forms.Form):
    reason = forms.CharField(max_length=300, label="Why is it down?")
    starts_at = forms.DateTimeField(
        required=False, widget=MomentInput(), label="Since", help_text="Now, if left empty."
    )
    ends_at = forms.DateTimeField(
        required=False, widget=MomentInput(), label="Until", help_text="Empty while it lasts."
    )
    extent = forms.ChoiceField(
        choices=[
            (Extent.FULL, "full: it can't be used"),
            (Extent.PARTIAL, "partial: it can be used with limits"),
        ],
        required=False,
        label="How far",
    )
    order = OrderField(
        required=False,
        label="Work order",
        widget=forms.TextInput(attrs={"placeholder": "WO-17"}),
        help_text="For which it is down; leave it empty where there is none.",
    )
    planned = forms.BooleanField(required=False, label="Planned beforehand")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""

    def clean_extent(self) -> str:
        """Full unless chosen."""
        return self.cleaned_data.get("extent") or Extent.FULL


class DowntimeForm(_Interval):
    """When a machine could not be used."""

    device = forms.ModelChoiceField(Device.objects.none(), label="Machine")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["device"].queryset = selectors_maintenance.machines()  # type: ignore[attr-defined]


class CorrectionForm(_Interval):
    """What the record should have said, and what was wrong with it."""

    why = forms.CharField(
        max_length=300,
        label="What was wrong",
        help_text="Kept in the audit trail with what it said before.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["starts_at"].required = True
        self.fields["starts_at"].help_text = ""

    @staticmethod
    def of(downtime: Downtime) -> dict[str, Any]:
        """What it says now."""
        return {
            "reason": downtime.reason,
            "starts_at": downtime.starts_at,
            "ends_at": downtime.ends_at,
            "extent": downtime.extent,
            "order": f"WO-{downtime.order_id}" if downtime.order_id else "",
            "planned": downtime.planned,
        }

    def values(self, downtime: Downtime) -> dict[str, Any]:
        """What the service takes.

        The fields show minutes: one that wasn't changed keeps its seconds.
        """
        data = dict(self.cleaned_data)
        for name in ("starts_at", "ends_at"):
            stored = getattr(downtime, name)
            shown = timezone.localtime(stored).replace(second=0, microsecond=0) if stored else None
            if data[name] == shown:
                data[name] = stored
        return data
