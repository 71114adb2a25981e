"""Forms of reading groups: shapes only."""

from __future__ import annotations

from django import forms


class ReadingGroupForm(forms.Form):
    """A group: its name, its readers, and whether they read blind."""

    group = forms.IntegerField(
        required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput
    )
    name = forms.CharField(max_length=64)
    people = forms.CharField(
        label="Readers",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="User names, one a line.",
    )
    blinded = forms.BooleanField(
        label="Blinded: the model is hidden until the reader's first read", required=False
    )

    def clean_people(self) -> list[str]:
        """The user names."""
        return [name for line in self.cleaned_data["people"].splitlines() if (name := line.strip())]
