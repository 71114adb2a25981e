"""Forms of skills."""

from __future__ import annotations

from django import forms

from accounts.models import User

from .forms_maintenance import DateInput, Described
from .selectors_maintenance import workers


class SkillForm(Described):
    """Who is able to do what, and until when."""

    person = forms.ModelChoiceField(User.objects.none(), label="Person")
    name = forms.CharField(
        max_length=64, label="Skill", help_text="As plans name it; capitals don't count."
    )
    valid_until = forms.DateField(
        required=False, widget=DateInput(), label="Valid until", help_text="Empty: it doesn't end."
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = workers()  # type: ignore[attr-defined]
