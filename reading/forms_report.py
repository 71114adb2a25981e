"""Forms of the report and of text blocks: shapes only."""

from __future__ import annotations

from django import forms

from reading.forms import LinesField, SignForm
from reading.report_text import SECTIONS

# the impression is the form's `text`, its name since before there were sections
NAMES = {key: "text" if key == "impression" else key for key in SECTIONS}


def _section() -> LinesField:
    return LinesField(max_length=4000, required=False)


class ReportSignForm(SignForm):
    """Conclusion and sections; beside each the text that the page had drafted for it."""

    clinical, base_clinical = _section(), LinesField(required=False)
    technique, base_technique = _section(), LinesField(required=False)
    comparison, base_comparison = _section(), LinesField(required=False)
    findings, base_findings = _section(), LinesField(required=False)
    text, base_text = _section(), LinesField(required=False)

    def edited(self) -> dict[str, str]:
        """Sections that differ from what was drafted: the reader's own words."""
        data = self.cleaned_data
        said = {
            key: (data.get(name, ""), data.get(f"base_{name}", "")) for key, name in NAMES.items()
        }
        return {key: text for key, (text, base) in said.items() if text and text != base}


class TextBlockForm(forms.Form):
    """A text block."""

    title = forms.CharField(max_length=60)
    code = forms.CharField(
        max_length=21, help_text="Typed as /code: small letters, digits, hyphens."
    )
    section = forms.ChoiceField(choices=list(SECTIONS.items()))
    text = LinesField(max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    shared = forms.BooleanField(required=False, label="Shared with every reader")
