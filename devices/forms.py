"""Forms of the device pages: they check shapes; services check rules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import User
from devices.models import Device, DeviceModel
from devices.models.alert import ResolveReason
from devices.models.device import Criticality

from .forms_maintenance import MomentInput

SNOOZE_HOURS = (
    ("1", "1 hour"),
    ("4", "4 hours"),
    ("24", "1 day"),
    ("168", "7 days"),
    ("720", "30 days"),
)


class DeviceForm(forms.Form):
    """A machine to be registered: a known make, or a new one by its three names."""

    name = forms.CharField(max_length=128, help_text="What people call it: XR-3.")
    location = forms.CharField(max_length=64, required=False, label="Room")
    model = forms.ModelChoiceField(
        DeviceModel.objects.order_by("manufacturer", "name"),
        required=False,
        label="Make and model",
        empty_label="another one, named below",
    )
    manufacturer = forms.CharField(max_length=128, required=False, label="Another manufacturer")
    model_name = forms.CharField(max_length=128, required=False, label="Its model")
    modality = forms.CharField(
        max_length=16,
        required=False,
        label="Its modality",
        help_text="DICOM's short name: DX, CR. A new model gets the usual metrics, no limits.",
    )

    def clean(self) -> dict[str, Any]:
        """One of the two ways to name the make."""
        data = super().clean() or {}
        if not data.get("model") and "model" not in self.errors:
            for name in ("manufacturer", "model_name", "modality"):
                if not data.get(name):
                    self.add_error(name, "Choose a known model above or fill this in.")
        return data


class NewDeviceForm(DeviceForm):
    """A machine to be registered by hand."""

    serial = forms.CharField(
        max_length=64,
        label="Serial number",
        help_text="As the machine writes it into its images (Device Serial Number).",
    )
    field_order = ("serial", "name", "location", "model")


class AliasForm(forms.Form):
    """The machine that it is."""

    device = forms.ModelChoiceField(
        Device.objects.order_by("name"), label="It is", empty_label="choose a machine"
    )


class ConfigForm(forms.Form):
    """The wanted configuration, one `name = value` per line."""

    config = forms.CharField(
        required=False,
        max_length=60_000,
        label="Wanted configuration",
        help_text="One line each: name = value. An empty field wants nothing.",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )

    def clean_config(self) -> dict[str, str]:
        """Lines to names and values."""
        found: dict[str, str] = {}
        for number, line in enumerate(self.cleaned_data["config"].splitlines(), start=1):
            if not line.strip():
                continue
            key, equals, value = (part.strip() for part in line.partition("="))
            if not (key and equals and value):
                raise forms.ValidationError(f"Line {number} isn't of the form name = value.")
            if key in found:
                raise forms.ValidationError(f"Line {number} names {key!r} again.")
            found[key] = value
        return found

    @staticmethod
    def text(config: dict[str, Any]) -> str:
        """The lines of a configuration."""
        return "\n".join(f"{key} = {value}" for key, value in sorted(config.items()))


class LifecycleForm(forms.Form):
    """Take a machine out of service or back in."""

    lifecycle = forms.ChoiceField(
        choices=[("in_service", "in service"), ("out_of_service", "out of service")]
    )
    reason = forms.CharField(max_length=300, required=False)


class ResolveForm(forms.Form):
    """Why the alert is over."""

    reason = forms.ChoiceField(choices=[("", "choose why"), *ResolveReason.choices])
    text = forms.CharField(
        max_length=1000,
        required=False,
        label="What was done",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class SnoozeForm(forms.Form):
    """For how long."""

    hours = forms.ChoiceField(choices=SNOOZE_HOURS, label="Snooze for")


class AssignForm(forms.Form):
    """To whom."""

    assignee = forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="nobody", label="Assigned to"
    )

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["assignee"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = people


class CommentForm(forms.Form):
    """A remark."""

    text = forms.CharField(
        max_length=1000, label="Comment", widget=forms.Textarea(attrs={"rows": 2})
    )


class DetailsForm(forms.Form):
    """What people say of a machine."""

    name = forms.CharField(max_length=128)
    location = forms.CharField(max_length=64, required=False, label="Room")
    criticality = forms.TypedChoiceField(choices=Criticality.choices, coerce=int)
    ae_titles = forms.CharField(
        max_length=160,
        required=False,
        label="AE titles",
        help_text="Separated by commas: the names under which it sends.",
    )
    udi = forms.CharField(
        max_length=128,
        required=False,
        label="UDI",
        help_text="As printed or scanned: (01)…(21)… of GS1, or +… of HIBCC.",
    )
    noted_since = forms.DateTimeField(
        required=False,
        label="Failures noted here since",
        widget=MomentInput,
        help_text="Empty: since its registration. Counts for the risk of failure.",
    )

    def clean_ae_titles(self) -> list[str]:
        """One text to titles."""
        return [t.strip() for t in self.cleaned_data["ae_titles"].split(",") if t.strip()]
