"""Forms of this room: shapes only; what is allowed, the services say."""

from __future__ import annotations

from typing import Any

from django import forms

from twinhealth.errors import InvalidInputError


class DatasetExportForm(forms.Form):
    """Which set to write; what a name may be, the service says."""

    name = forms.CharField(
        max_length=64,
        label="Name of the set",
        initial="site",
        help_text="Small letters, digits, dot, dash, underscore. Versions are counted per name.",
    )


def cleaned(form: forms.Form) -> dict[str, Any]:
    """The form's data.

    Raises:
        InvalidInputError: `invalid`, with the first error of the form as its sentence.
    """
    if form.is_valid():
        return form.cleaned_data
    field, errors = next(iter(form.errors.items()))
    raise InvalidInputError("invalid", str(errors[0]), field=field)
