"""A rule in words. Pure."""

from __future__ import annotations

from datetime import timedelta

from devices.rules import amount, limits_text, number, span_text

from .spec import WITH_LIMITS, Spec


def sentence(spec: Spec) -> str:
    """What it looks at and when it fires: `act where a reading is above 42 °C, for 2 h`."""
    limit, p = spec.limit, spec.params
    parts = [f"{limit.severity} where {_what(spec)}"]
    if limit.for_seconds:
        parts.append(f"for {_span(limit.for_seconds)}")
    if limit.min_samples > 1:
        parts.append(f"{limit.min_samples} values in a row")
    text = ", ".join(parts)
    again = []
    if spec.kind in WITH_LIMITS and limit.hysteresis:
        again.append(limits_text(limit.clear_low, limit.clear_high, spec.unit))
    if limit.keep_seconds:
        again.append(f"{_span(limit.keep_seconds)} after the last bad one")
    if again:
        text += f"; good again with {', '.join(again)}"
    if p.get("least_spread"):
        text += f"; less than {amount(p['least_spread'], limit.unit)} counts as no deviation"
    return f"{text}."


def _beyond(spec: Spec) -> str:
    """Where it fails: `above 42 °C`, `outside 25 to 70 %`."""
    low, high = spec.limit.low, spec.limit.high
    if low is not None and high is not None:
        return f"outside {limits_text(low, high, spec.unit)}"
    if high is not None:
        return f"above {amount(high, spec.unit)}"
    return f"below {amount(low or 0.0, spec.unit)}"


def _what(spec: Spec) -> str:
    said = {
        "limit": f"a reading is {_beyond(spec)}",
        "config": "the reported configuration differs from the wanted one",
        "clock": "its clock is more than 5 minutes off",
        "qa": "the newest signed session of the QA protocol fails",
    }.get(spec.kind)
    return said or _reckoned(spec, _beyond(spec))


def _reckoned(spec: Spec, beyond: str) -> str:
    p = spec.params
    if spec.kind == "image_quality":
        if p["share_above"] is None:
            return f"the median of the last {p['n']} images is {beyond}"
        above = amount(p["share_above"], spec.limit.unit)
        return f"the share of the last {p['n']} images above {above} is {beyond}"
    said = {
        "rate": lambda: f"the slope over {_span(p['window_seconds'])} is {beyond}",
        "drift": lambda: _drift(spec),
        "anomaly": lambda: (
            f"{f'means over {_span(step)}' if (step := p['step_seconds']) else 'readings'} behave "
            f"unlike before (strictness {number(p['strictness'])})"
        ),
        "silence": lambda: f"no reading comes for {_span(spec.longest_silence)}",
        "reject_rate": lambda: f"the mean of {p['window_days']} days is {beyond}",
    }
    return said[spec.kind]()


def _drift(spec: Spec) -> str:
    p = spec.params
    way = {"both": "", "up": " upwards", "down": " downwards"}[p["direction"]]
    return (
        f"daily means move{way} from the {p['baseline_days']} days before the last "
        f"{p['lag_days']}: {p['method'].upper()} beyond {number(p['threshold'])} SD"
    )


def _span(seconds: float) -> str:
    return span_text(timedelta(seconds=seconds))
