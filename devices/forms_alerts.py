"""Forms of supplies, subscriptions, webhooks and figures: shapes only."""

from __future__ import annotations

from typing import Any

from django import forms

from devices.fields import RowsField
from devices.models import Device, Supply
from devices.models.device_model import Severity
from devices.models.relation import SupplyKind
from devices.selectors.notifications import rooms

OVERLAP_HOURS = (("168", "7 days"), ("24", "1 day"), ("0", "no time: it ends now"))
_TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class SupplyForm(forms.Form):
    """A supply and the machines on it."""

    name = forms.CharField(max_length=64, help_text="What people call it: Panel 2B, switch 14.")
    kind = forms.ChoiceField(choices=SupplyKind.choices, label="What is shared")
    note = forms.CharField(
        max_length=300, required=False, help_text="Where to switch it, whom to call."
    )
    devices = RowsField(
        Device.objects.order_by("name"), required=False, label="Machines on it",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip


class RelationsForm(forms.Form):
    """What one machine shares, and which others stand in for it."""

    supplies = RowsField(
        Supply.objects.order_by("name"), required=False, label="Hangs on",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    spares = RowsField(
        Device.objects.none(), required=False, label="Can be replaced by",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def __init__(self, *args: Any, device: Device, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["spares"]
        assert isinstance(field, RowsField)  # noqa: S101 - declared above
        field.queryset = Device.objects.exclude(pk=device.pk).order_by("name")


class SubscriptionForm(forms.Form):
    """Of what to be told, and how."""

    act = forms.BooleanField(required=False, label="Act: somebody must go there")
    watch = forms.BooleanField(required=False, label="Watch: look at it when there is time")
    escalations = forms.BooleanField(
        required=False, label="Act alerts that nobody acknowledged in time"
    )
    in_app = forms.BooleanField(required=False, label="Behind the bell")
    email = forms.BooleanField(required=False, label="By e-mail")
    rooms = forms.MultipleChoiceField(
        required=False, label="Only these rooms", widget=forms.CheckboxSelectMultiple
    )
    devices = RowsField(
        Device.objects.order_by("name"), required=False, label="Only these machines",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    quiet_from = forms.TimeField(
        required=False, widget=_TIME, label="Quiet from",
        help_text="E-mails of watch alerts wait until the quiet hours are over.",
    )  # fmt: skip
    quiet_to = forms.TimeField(required=False, widget=_TIME, label="Quiet until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["rooms"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - declared above
        known = set(rooms()) | set(self.initial.get("rooms", ()))
        field.choices = [(room, room) for room in sorted(known)]


class WebhookForm(forms.Form):
    """A program that is told."""

    name = forms.CharField(max_length=64, help_text="The other program: helpdesk, chat.")
    url = forms.CharField(max_length=500, label="Address", help_text="Begins with https://")
    severity = forms.ChoiceField(
        choices=Severity.choices, label="The least it is told", initial=Severity.WATCH
    )


class WebhookChangeForm(WebhookForm):
    """The same, and whether it is switched on."""

    active = forms.BooleanField(required=False, label="Switched on")


class RotateForm(forms.Form):
    """A new secret."""

    hours = forms.ChoiceField(choices=OVERLAP_HOURS, label="The old secret goes on for")
