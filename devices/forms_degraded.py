"""Forms of marks as degraded: shapes only, the service checks rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from devices import moments
from twinhealth.errors import InvalidInputError


def typed(at: datetime | None) -> str:
    """A moment as a datetime-local field takes it, to the second, in the hospital's zone."""
    return timezone.localtime(at).strftime("%Y-%m-%dT%H:%M:%S") if at else ""


class MomentField(forms.CharField):
    """A moment in the hospital's zone, or ISO 8601 with its offset."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"})
        super().__init__(max_length=64, widget=widget, **kwargs)

    def clean(self, value: Any) -> Any:
        """Text to a moment in UTC; `None` for an empty one."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return moments.moment(text, zone=timezone.get_current_timezone())
        except InvalidInputError as error:
            raise forms.ValidationError(error.message) from None


class DegradedForm(forms.Form):
    """Since when, until when, and why."""

    since = MomentField(label="Since", help_text="The first film that you doubt lies after it.")
    until = MomentField(
        label="Until", required=False, help_text="Empty while it lasts; it is ended here later."
    )
    reason = forms.CharField(
        max_length=300, label="Why", help_text="Readers see it beside each film from then on."
    )
    alert = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1)


class EndForm(forms.Form):
    """When it was good again."""

    until = MomentField(label="Good again since", required=False, help_text="Empty: now.")
    reason = forms.CharField(max_length=300, label="What was done")


class WithdrawForm(forms.Form):
    """Why the mark was a mistake."""

    reason = forms.CharField(max_length=300, label="Why it was a mistake")
