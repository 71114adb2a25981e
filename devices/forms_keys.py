"""Forms of a machine's own keys."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone

LIFE_DAYS = (("", "never"), ("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"))
OVERLAP_HOURS = (
    ("168", "7 days"),
    ("24", "1 day"),
    ("1", "1 hour"),
    ("720", "30 days"),
    ("0", "no time: it ends now"),
)


class NewKeyForm(forms.Form):
    """A key to be made."""

    name = forms.CharField(
        max_length=64, label="Name", help_text="Where the key is installed: gateway, console."
    )
    days = forms.ChoiceField(choices=LIFE_DAYS, required=False, label="Expires")

    def expires_at(self) -> datetime | None:
        """Of a valid form."""
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class RotateKeyForm(forms.Form):
    """A key's successor."""

    hours = forms.ChoiceField(choices=OVERLAP_HOURS, label="The old key goes on for")

    def overlap(self) -> timedelta:
        """Of a valid form."""
        return timedelta(hours=int(self.cleaned_data["hours"]))
