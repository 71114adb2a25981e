"""A rule in words. Pure."""

from __future__ import annotations

from datetime import timedelta

from devices.rules import amount, limits_text, number, span_text

from .spec import Spec


def sentence(spec: Spec) -> str:
    """What it looks at and when it fires: `act where the reading isn't at most 42 °C, for 2 h`."""
    limit, p = spec.limit, spec.params
    allowed = limits_text(limit.low, limit.high, spec.unit)
    what = {
        "limit": f"the reading isn't {allowed}",
        "config": "the reported configuration differs from the wanted one",
        "clock": "its clock is more than 5 minutes off",
    }.get(spec.kind)
    if what is None:
        what = _reckoned(spec, allowed)
    parts = [f"{limit.severity} where {what}"]
    if limit.for_seconds:
        parts.append(f"for {_span(limit.for_seconds)}")
    if limit.min_samples > 1:
        parts.append(f"{limit.min_samples} values in a row")
    text = ", ".join(parts)
    if spec.kind in {"config", "clock", "silence", "drift", "anomaly"}:
        clears = ""
    else:
        clears = limits_text(limit.clear_low, limit.clear_high, spec.unit)
    if clears:
        text += f"; good again at {clears}"
    if limit.keep_seconds:
        kept = _span(limit.keep_seconds)
        text += f"{',' if clears else '; good again'} at the earliest {kept} after the last bad one"
    if p.get("least_spread"):
        text += f"; less than {amount(p['least_spread'], limit.unit)} is no deviation"
    return f"{text}."


def _reckoned(spec: Spec, allowed: str) -> str:
    p = spec.params
    if spec.kind == "image_quality":
        if p["share_above"] is None:
            return f"the median of the last {p['n']} images isn't {allowed}"
        above = amount(p["share_above"], spec.limit.unit)
        return f"the share of the last {p['n']} images above {above} isn't {allowed}"
    said = {
        "rate": lambda: f"the slope over {_span(p['window_seconds'])} isn't {allowed}",
        "drift": lambda: _drift(spec),
        "anomaly": lambda: (
            f"{f'means over {_span(step)}' if (step := p['step_seconds']) else 'readings'} behave "
            f"unlike before (strictness {number(p['strictness'])})"
        ),
        "silence": lambda: f"no reading comes for {_span(spec.longest_silence)}",
        "reject_rate": lambda: f"the mean of {p['window_days']} days isn't {allowed}",
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
