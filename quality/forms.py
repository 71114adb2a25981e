"""Forms of the quality pages: shapes only, the services hold the rules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from devices.fields import row_ids
from devices.forms_degraded import MomentField, typed
from devices.models import Device, DeviceModel, MaintenancePlan, ModelPlan
from devices.models.device import Lifecycle
from quality.models import Instrument, Protocol, QASession
from quality.tests_of import MAX_TESTS, ProtocolTest

TEST_FIELDS = (
    "key", "name", "kind", "unit", "reference", "tolerance", "action", "mode", "side", "metric",
    "instructions",
)  # fmt: skip
BLANKS = 3  # empty rows below the tests, for browsers without scripts


class PlainForm(forms.Form):
    """Labels without a colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class SessionForm(PlainForm):
    """What a session says besides its tests."""

    performed_at = MomentField(label="Measured at", required=False)
    instrument = forms.ModelChoiceField(
        Instrument.objects.none(), required=False, empty_label="none", label="Instrument"
    )
    instrument_reason = forms.CharField(
        max_length=300,
        required=False,
        label="Why it is used beyond its date",
        help_text="Only for an instrument whose own calibration is over.",
    )
    comment = forms.CharField(
        max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 2}), label="Comment"
    )

    def __init__(self, *args: Any, session: QASession, **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {
                "performed_at": typed(session.performed_at),
                "instrument": session.instrument_id,
                "instrument_reason": session.instrument_reason,
                "comment": session.comment,
            },
        )
        super().__init__(*args, **kwargs)
        field = self.fields["instrument"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = Instrument.objects.filter(retired_at=None)


class SignForm(PlainForm):
    """The signature and what goes with it."""

    signature = forms.CharField(
        max_length=200, required=False, label="Your name, as a signature",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    counts_for = forms.ModelChoiceField(
        MaintenancePlan.objects.none(),
        required=False,
        empty_label="no plan: an extra check moves no due date",
        label="Counts for",
    )
    close_order = forms.BooleanField(required=False, label="Complete the order with it")
    keep_version = forms.BooleanField(required=False, label="Sign by the version it was begun with")

    def __init__(self, *args: Any, session: QASession, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["counts_for"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = countable(session)


def countable(session: QASession) -> Any:
    """Plans that an extra check may count for."""
    if session.order_id is not None or session.supersedes_id is not None:
        return MaintenancePlan.objects.none()
    plans = MaintenancePlan.objects.filter(device=session.device_id, active=True)
    return plans.exclude(timing="fixed").order_by("title")


class ProtocolForm(PlainForm):
    """What a protocol is called and of what it is; its tests are read by `tests_given`."""

    name = forms.CharField(max_length=120, label="Name")
    device_model = forms.ModelChoiceField(
        DeviceModel.objects.none(), required=False, empty_label="one machine", label="Model"
    )
    device = forms.ModelChoiceField(
        Device.objects.none(), required=False, empty_label="all of the model", label="Machine"
    )
    instructions = forms.CharField(
        max_length=4000, required=False, label="Before the first test",
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    reason = forms.CharField(
        max_length=300, required=False, label="Why", help_text="Stands beside the version."
    )

    def __init__(self, *args: Any, protocol: Protocol | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if protocol is not None:
            del self.fields["device_model"], self.fields["device"]
            return
        machines = Device.objects.exclude(lifecycle=Lifecycle.RETIRED).order_by("name")
        models = DeviceModel.objects.order_by("manufacturer", "name")
        for name, rows in (("device_model", models), ("device", machines)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
            field.queryset = rows


def tests_given(post: QueryDict) -> list[dict[str, Any]]:
    """The tests of an editor's rows, in their order; a row without a name is none."""
    found = []
    for place in range(MAX_TESTS + BLANKS + 1):
        row: dict[str, Any] = {
            name: post.get(f"{name}-{place}", "").strip() for name in TEST_FIELDS
        }
        if row["name"]:
            row["choices"] = choices_given(post.get(f"choices-{place}", ""))
            found.append(row)
    return found


_MARKS = {"!!": "action", "!": "tolerance"}


def choices_given(text: str) -> list[dict[str, str]]:
    """A line each: `faint !` is beyond tolerance, `disturbing !!` fails, any other passes."""
    found = []
    for line in text.splitlines():
        said = line.strip()
        verdict = "pass"
        for mark, worse in _MARKS.items():
            if said.endswith(mark):
                said, verdict = said.removesuffix(mark).strip(), worse
                break
        if said:
            found.append({"text": said, "verdict": verdict})
    return found


def choices_text(test: ProtocolTest) -> str:
    """The lines that `choices_given` takes."""
    ends = {"action": " !!", "tolerance": " !"}
    return "\n".join(f"{text}{ends.get(verdict, '')}" for text, verdict in test.choices)


class InstrumentForm(PlainForm):
    """A new instrument."""

    name = forms.CharField(max_length=120, label="What it is")
    serial = forms.CharField(max_length=64, label="Serial number")
    calibrated_until = forms.DateField(
        label="Calibrated until", widget=forms.DateInput(attrs={"type": "date"})
    )


class TieForm(PlainForm):
    """A plan whose orders ask for the protocol."""

    plan = forms.ModelChoiceField(MaintenancePlan.objects.none(), required=False)
    model_plan = forms.ModelChoiceField(ModelPlan.objects.none(), required=False)

    def __init__(self, *args: Any, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans = MaintenancePlan.objects.select_related("device").filter(
            active=True, qa_protocol_link=None
        )
        models = ModelPlan.objects.filter(qa_protocol_link=None)
        if protocol.device_id is not None:
            plans, models = plans.filter(device=protocol.device_id), models.none()
        else:
            plans = plans.filter(device__model=protocol.device_model_id, model_plan=None)
            models = models.filter(device_model=protocol.device_model_id)
        for name, rows in (("plan", plans.order_by("title", "pk")), ("model_plan", models)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
            field.queryset = rows
        self.fields["plan"].label_from_instance = (  # type: ignore[attr-defined]
            lambda plan: f"{plan.title} · {plan.device.name}"
        )


class StartForm(PlainForm):
    """Which machine, which protocol, of which order."""

    device = forms.ModelChoiceField(Device.objects.all())
    protocol = forms.ModelChoiceField(Protocol.objects.all())
    order = forms.CharField(required=False, max_length=19)

    def clean_order(self) -> int | None:
        """The order's number."""
        return next(iter(row_ids([self.cleaned_data["order"]])), None)
