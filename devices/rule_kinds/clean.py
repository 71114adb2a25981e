"""A rule as somebody gives it: complete values, or what is wrong with them by field. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .spec import BY_HAND, DAY, KEEP, WITH_KEEPING, WITH_LIMITS, Parameter, complete

SEVERITIES = ("watch", "act")
LARGEST = 1e15
# fields besides the kind's own
TIMING = (
    Parameter("hysteresis", "Clears inside by", None, 0, LARGEST,
              help="In the unit of what is judged; empty: a twentieth of the limit."),
    Parameter("for_seconds", "Must last, in seconds", 0, 0, 90 * DAY, whole=True),
    Parameter("min_samples", "Values in a row", 1, 1, 1000, whole=True),
    Parameter("keep_seconds", "Kept for, in seconds", None, 0, 90 * DAY, whole=True,
              help="So long after the last bad value it stands at least; empty: the usual."),
)  # fmt: skip
LIMITS = (
    Parameter("low", "Lower limit", None, -LARGEST, LARGEST),
    Parameter("high", "Upper limit", None, -LARGEST, LARGEST),
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Values of a rule (columns of `devices.models.Rule`), and sentences by field."""

    values: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)


def clean(kind: str, given: Mapping[str, Any]) -> Cleaned:
    """Judge what somebody gave.

    Args:
        kind: one of `BY_HAND`.
        given: `name`, `severity`, `low`, `high`, `hysteresis`, `for_seconds`, `min_samples`,
            `keep_seconds`, `affects_image`, `marks_degraded`, `params`; what is missing has its
            default.
    """
    errors: dict[str, str] = {}
    if kind not in BY_HAND:
        return Cleaned({}, {"kind": f"Choose one of: {', '.join(BY_HAND)}."})
    name = " ".join(str(given.get("name") or "").split())
    if not name or len(name) > 128 or not name.isprintable():
        errors["name"] = "A name of at most 128 characters is needed."
    severity = given.get("severity")
    if severity not in SEVERITIES:
        errors["severity"] = "Choose watch or act."
    values: dict[str, Any] = {"kind": kind, "name": name, "severity": severity}
    for parameter in (*LIMITS, *TIMING):
        try:
            values[parameter.key] = parameter.take(given.get(parameter.key))
        except ValueError as error:
            errors[parameter.key] = str(error)
            values[parameter.key] = parameter.default
    given_params = given.get("params") or {}
    if isinstance(given_params, Mapping):
        values["params"], wrong = complete(kind, given_params)
        errors |= wrong
    else:
        errors["params"] = "Give the kind's parameters by name."
    affects = given.get("affects_image")
    values["affects_image"] = True if affects is None else bool(affects)
    values["marks_degraded"] = bool(given.get("marks_degraded"))
    _limits(kind, values, errors)
    if values["keep_seconds"] is None:
        values["keep_seconds"] = KEEP.get(kind, 0)
    return Cleaned(values, errors)


def _limits(kind: str, values: dict[str, Any], errors: dict[str, str]) -> None:
    low, high = values["low"], values["high"]
    if kind in WITH_LIMITS:
        if low is None and high is None:
            errors.setdefault("high", "A lower or an upper limit is needed.")
        elif low is not None and high is not None and low >= high:
            errors["high"] = "The upper limit must lie above the lower one."
        elif values["hysteresis"] is None:
            both = low is not None and high is not None
            size = (high - low) / 2 if both else abs(high if low is None else low)
            values["hysteresis"] = size / 20
    else:
        for key in ("low", "high"):
            if values[key] is not None:
                errors[key] = "This kind has no limits of its own."
    if values["hysteresis"] is None:
        values["hysteresis"] = 0.0
    if kind not in WITH_KEEPING and values["keep_seconds"]:
        errors["keep_seconds"] = "This kind is judged as it stands; nothing is kept."
