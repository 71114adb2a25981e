"""Forms of re-read lists: shapes only, services check rules."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from detection.models import ReReadResult
from detection.selectors_rereads import readers
from detection.services.rereads import MAX_NOTE

_NUMBER = forms.RegexField(regex=r"^[0-9]{1,18}\Z")


class ChosenField(forms.Field):
    """The ticked films."""

    def to_python(self, value: Any) -> list[int]:
        """Numbers of rows."""
        return [int(_NUMBER.clean(text)) for text in value or ()]


class AssignForm(forms.Form):
    """To whom; nobody takes films back."""

    items = ChosenField(required=False, widget=forms.MultipleHiddenInput)
    assignee = forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="nobody", label="Assign to"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["assignee"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = readers()


class DoneForm(forms.Form):
    """Several films done at once; what changed is said film by film."""

    items = ChosenField(required=False, widget=forms.MultipleHiddenInput)
    result = forms.ChoiceField(
        choices=[c for c in ReReadResult.choices if c[0] != ReReadResult.CHANGED], label="Done as"
    )
    note = forms.CharField(max_length=MAX_NOTE, required=False, label="Why, or a remark")


class RecordForm(forms.Form):
    """What came of one film."""

    result = forms.ChoiceField(
        choices=ReReadResult.choices, widget=forms.RadioSelect, label="What came of it"
    )
    text = forms.CharField(
        max_length=MAX_NOTE,
        required=False,
        label="What changed, or why not re-read",
        help_text="With a change it becomes an addendum under the signed report.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReopenForm(forms.Form):
    """Why it is open again."""

    reason = forms.CharField(max_length=MAX_NOTE, label="Why it is open again")
