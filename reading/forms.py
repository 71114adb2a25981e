"""Forms of the film page: shapes only; what is allowed, the services say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from detection.models import Conclusion, Label, RejectReason, Verdict

from .models import Choice
from .selectors_agreement import BY, Span, lately


class LinesField(forms.CharField):
    """Text of several lines; a line end counts as one character, as in the browser's own count."""

    def to_python(self, value: Any) -> str:
        """With line ends as they are stored."""
        return str(super().to_python(value)).replace("\r\n", "\n")


class VerdictForm(forms.Form):
    """One verdict, with a box in film pixels where it has one."""

    verdict = forms.ChoiceField(choices=Verdict.choices)
    label = forms.ChoiceField(choices=[("", ""), *Label.choices], required=False)
    reason_code = forms.ChoiceField(choices=[("", ""), *RejectReason.choices], required=False)
    reason = forms.CharField(max_length=300, required=False)
    x = forms.FloatField(required=False)
    y = forms.FloatField(required=False)
    w = forms.FloatField(required=False)
    h = forms.FloatField(required=False)

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """Left, top, width, height; `None` where none was sent."""
        found = [self.cleaned_data.get(side) for side in "xywh"]
        if any(side is None for side in found):
            return None
        x, y, w, h = found
        return (float(x), float(y), float(w), float(h))  # type: ignore[arg-type]


class AddendumForm(forms.Form):
    """Text under a signature."""

    text = LinesField(max_length=4000, error_messages={"required": "Write what the addendum says."})


class SignForm(forms.Form):
    """Conclusion and text of a report."""

    conclusion = forms.ChoiceField(
        choices=Conclusion.choices, error_messages={"required": "Choose a conclusion."}
    )
    text = LinesField(max_length=4000, required=False)


class AgreementForm(forms.Form):
    """Which films count, and what a row is; what can't be understood falls back to the default."""

    by = forms.ChoiceField(choices=list(BY.items()), required=False, widget=forms.HiddenInput)
    since = forms.DateField(
        label="Signed from", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label="to", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def chosen(self) -> tuple[str, Span]:
        """A key of `BY`, and the days; ten years at most."""
        self.full_clean()
        usual = lately(timezone.localdate())
        last = self.cleaned_data.get("until") or usual.last
        first = self.cleaned_data.get("since") or min(usual.first, last)
        first = max(first, last - timedelta(days=3653)) if last.year > 11 else first
        return self.cleaned_data.get("by") or "week", Span(first, max(first, last))


class CriticalForm(forms.Form):
    """A critical result and who must know."""

    text = LinesField(max_length=1000)
    on_call_id = forms.IntegerField(min_value=1, max_value=2**62)


class OnCallForm(forms.Form):
    """A list: one person a line."""

    name = forms.CharField(max_length=64, help_text="A name that exists replaces that list.")
    people = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
        help_text="One a line: user name, then minutes until the next is told.",
    )

    def clean_people(self) -> list[tuple[str, int]]:
        """User name and minutes of each line."""
        found = []
        for line in self.cleaned_data["people"].splitlines():
            name, _, minutes = line.strip().rpartition(" ")
            if not line.strip():
                continue
            if not name or not minutes.isdecimal() or len(minutes) > 4:
                raise forms.ValidationError("Each line is a user name and a number of minutes.")
            found.append((name.strip(), int(minutes)))
        return found


class AdjudicationForm(forms.Form):
    """A reading lead's decision; conclusion and text of an own report."""

    choice = forms.ChoiceField(
        choices=Choice.choices, error_messages={"required": "Choose whose reading is signed."}
    )
    conclusion = forms.ChoiceField(choices=[("", ""), *Conclusion.choices], required=False)
    text = LinesField(max_length=4000, required=False)

    def clean(self) -> dict[str, object]:
        """An own report has a conclusion."""
        data: dict[str, object] = super().clean() or {}
        if data.get("choice") == Choice.OWN and not data.get("conclusion"):
            self.add_error("conclusion", "Choose a conclusion.")
        return data
