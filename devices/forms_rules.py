"""Forms of rules: they collect what was typed; `devices.rule_kinds.clean` judges it."""

from __future__ import annotations

from typing import Any

from django import forms

from devices.models import Device, DeviceModel, Metric, Rule
from devices.rule_kinds.clean import LIMITS, TIMING
from devices.rule_kinds.spec import (
    BY_HAND,
    OF_MACHINE,
    PARAMETERS,
    WITH_KEEPING,
    WITH_LIMITS,
    Parameter,
)
from twinhealth.errors import DomainError
from twinhealth.web.ucum import unit_text

SPANS = (("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("1096", "three years"))


class WhatForm(forms.Form):
    """Which kind of rule, on what."""

    kind = forms.ChoiceField(choices=list(BY_HAND.items()))
    metric = forms.ModelChoiceField(
        Metric.objects.none(), required=False, empty_label="the machine as a whole"
    )

    def __init__(self, *args: Any, model: DeviceModel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["metric"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = model.metrics.order_by("label")

    def clean(self) -> dict[str, Any]:
        """A metric for kinds that need one, none for the others."""
        data = super().clean() or {}
        machine = data.get("kind") in OF_MACHINE
        if machine:
            data["metric"] = None
        elif "kind" in data and not data.get("metric") and "metric" not in self.errors:
            self.add_error("metric", "This kind is of a metric: choose one.")
        return data


def _field(parameter: Parameter, unit: str = "") -> forms.Field:
    label = f"{parameter.label}, {unit}" if unit else parameter.label
    if parameter.choices:
        return forms.ChoiceField(
            choices=[(c, c.upper() if c in {"cusum", "ewma"} else c) for c in parameter.choices],
            required=False, label=label, help_text=parameter.help, initial=parameter.default,
        )  # fmt: skip
    return forms.CharField(
        required=False,
        max_length=32,
        label=label,
        help_text=parameter.help,
        initial=parameter.default,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class RuleForm(forms.Form):
    """The values of one rule; which fields there are hangs on its kind."""

    name = forms.CharField(max_length=128)
    severity = forms.ChoiceField(choices=[("watch", "watch"), ("act", "act")])

    def __init__(
        self, *args: Any, kind: str, metric: Metric | None, reason: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.metric = kind, metric
        unit = unit_text(metric.unit) if metric else ""
        shown = [p for p in TIMING if kind in WITH_KEEPING or p.key == "for_seconds"]
        if kind == "silence":
            shown = []
        if kind in {"drift", "anomaly"}:
            shown = [p for p in shown if p.key != "hysteresis"]
        if kind in WITH_LIMITS:
            for parameter in LIMITS:
                self.fields[parameter.key] = _field(parameter, unit if kind != "rate" else "")
        for parameter in PARAMETERS[kind]:
            self.fields[f"p_{parameter.key}"] = _field(parameter)
        for parameter in shown:
            self.fields[parameter.key] = _field(parameter)
        self.fields["affects_image"] = forms.BooleanField(
            required=False, initial=True, label="A failing check makes images less trustworthy"
        )
        self.fields["marks_degraded"] = forms.BooleanField(
            required=False,
            label="Its alert marks the machine as degraded",
            help_text="Since the first bad reading; films taken since are to be re-read.",
        )
        if reason:
            self.fields["reason"] = forms.CharField(
                max_length=300, label="Why", help_text="Kept with the version.", required=False
            )
        self.fields["version"] = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def given(self) -> dict[str, Any]:
        """As `devices.services.rules` takes it."""
        data = self.cleaned_data
        params = {p.key: data.get(f"p_{p.key}", "") for p in PARAMETERS[self.kind]}
        names = [p.key for p in (*LIMITS, *TIMING)]
        return {
            "name": data.get("name", ""),
            "severity": data.get("severity", ""),
            "affects_image": data.get("affects_image", False),
            "marks_degraded": data.get("marks_degraded", False),
            "params": params,
            **{name: data[name] for name in names if name in data},
        }

    def told(self, error: DomainError) -> None:
        """Say at each field what is wrong with it."""
        fields = error.extra.get("fields")
        if not fields:
            self.add_error(None, error.message)
            return
        for name, text in fields.items():
            own = name if name in self.fields else f"p_{name}"
            self.add_error(own if own in self.fields else None, text)


def initial_of(rule: Rule) -> dict[str, Any]:
    """A saved rule's values for the form; numbers as short as they are."""
    flags = ("affects_image", "marks_degraded")
    names = ("name", "severity", *flags, *(p.key for p in (*LIMITS, *TIMING)))
    values = {name: getattr(rule, name) for name in names}
    values |= {f"p_{key}": value for key, value in rule.params.items() if value is not None}
    short = {k: f"{v:.12g}" if isinstance(v, float) else v for k, v in values.items()}
    return {**short, "version": rule.current.number if rule.current else None}


class ReplayForm(forms.Form):
    """Over which machine's past."""

    device = forms.ModelChoiceField(Device.objects.none(), empty_label=None, label="Machine")
    days = forms.ChoiceField(choices=SPANS, initial="365", label="Span")

    def __init__(self, *args: Any, model: DeviceModel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["device"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = model.devices.order_by("name")


class SwitchForm(forms.Form):
    """Why it is switched off or on."""

    reason = forms.CharField(max_length=300, label="Why")
