"""Forms of skip, help, urgency and second look: shapes only."""

from __future__ import annotations

from django import forms

from imaging.models import Urgency


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(max_length=300, error_messages={"required": "Say why in a few words."})


class AnswerForm(forms.Form):
    """What another reader says."""

    answer = forms.CharField(max_length=1000, error_messages={"required": "Write an answer."})


class UrgencyForm(ReasonForm):
    """How soon a film is wanted."""

    urgency = forms.ChoiceField(choices=Urgency.choices)


class SecondLookForm(ReasonForm):
    """Whether the signature holds."""

    agrees = forms.ChoiceField(
        choices=[("yes", "holds"), ("no", "doesn't hold")],
        error_messages={"required": "Say whether the signature holds."},
    )
