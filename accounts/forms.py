"""Forms of the account pages: they check shapes; services check rules."""

from __future__ import annotations

from typing import Any

from django import forms

from .models import User
from .permissions import Role
from .selectors import AuditFilter

# longer ones are refused before they are hashed
PASSWORD_MAX = 256


def _password(label: str, autocomplete: str, **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=PASSWORD_MAX,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        **kwargs,
    )


class SignInForm(forms.Form):
    """Name and password."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )
    password = _password("Password", "current-password")


class PasswordForm(forms.Form):
    """The owner's new password."""

    old_password = _password("Present password", "current-password")
    new_password = _password(
        "New password",
        "new-password",
        help_text="At least 10 characters; not a common word, not only digits, not like your name.",
    )
    repeated = _password("New password again", "new-password")

    def clean(self) -> dict[str, Any]:
        """Both entries of the new password are the same."""
        data = super().clean() or {}
        if data.get("new_password") != data.get("repeated") and "repeated" in data:
            self.add_error("repeated", "This is not the same as the new password above.")
        return data


class UserForm(forms.Form):
    """An existing account."""

    display_name = forms.CharField(
        label="Name",
        max_length=128,
        required=False,
        help_text="Whole name as it stands under reports.",
    )
    role = forms.ChoiceField(label="Role", choices=Role.choices)


class ChangeUserForm(UserForm):
    """Name, role and whether a clinician leads the reading room."""

    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        required=False,
        help_text="Told there, too, that a critical result waits; nothing of a patient is sent.",
    )
    is_reading_lead = forms.BooleanField(
        label="Leads the reading room",
        required=False,
        help_text="A clinician who decides where two readers differ, sees the agreement of every "
        "reader and keeps the shared text blocks.",
    )


class NewUserForm(UserForm):
    """A new account."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        validators=User._meta.get_field("username").validators,  # noqa: SLF001 - Django's API
        help_text="Letters, digits and @ . + - _; upper and lower case are the same.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    field_order = ["username", "display_name", "role"]


def _date(label: str) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


class AuditForm(forms.Form):
    """The audit page's filters."""

    actor = forms.CharField(label="Who", max_length=150, required=False)
    verb = forms.CharField(label="What", max_length=64, required=False)
    object_type = forms.CharField(label="Kind of object", max_length=64, required=False)
    object_id = forms.CharField(label="Object number", max_length=64, required=False)
    patient = forms.IntegerField(
        label="Patient (internal number)", min_value=0, max_value=2**63 - 1, required=False
    )
    since = _date("From")
    until = _date("To")
    request_id = forms.CharField(label="Request", max_length=64, required=False)

    def chosen(self) -> AuditFilter:
        """The filters; those that can't be understood are left out and shown as errors."""
        self.full_clean()
        return AuditFilter(**{k: v for k, v in self.cleaned_data.items() if v not in (None, "")})
