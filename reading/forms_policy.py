"""The form of the reading policy: shapes only."""

from __future__ import annotations

from django import forms

from reading.models import Twice
from reading.models.policy import LONGEST, SHORTEST


class PolicyForm(forms.Form):
    """What is settled."""

    ceiling_minutes = forms.IntegerField(
        label="Waiting ceiling, in minutes",
        min_value=SHORTEST,
        max_value=LONGEST,
        help_text=f"{SHORTEST} to {LONGEST}. Past it no later film overtakes.",
    )
    twice = forms.ChoiceField(label="Films read by two readers", choices=Twice.choices)
    twice_percent = forms.IntegerField(
        label="Share, in percent",
        min_value=1,
        max_value=100,
        required=False,
        help_text="Only for a share.",
    )
    reason = forms.CharField(
        label="Why", max_length=300, error_messages={"required": "Say why in a few words."}
    )
    seen = forms.IntegerField(
        widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1
    )

    def clean(self) -> dict[str, object]:
        """A percentage left in the field counts for a share alone."""
        data: dict[str, object] = super().clean() or {}
        if data.get("twice") != Twice.SHARE:
            data["twice_percent"] = None
        return data
