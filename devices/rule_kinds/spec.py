"""A rule as values: its limit, its kind, the kind's parameters, and what they may be. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from devices.rules import Limit

DAY, HOUR = 86_400, 3_600
LONGEST_DAYS = 365

Kind = Literal[
    "limit", "rate", "drift", "anomaly", "silence", "stuck", "image_quality", "reject_rate",
    "config", "clock", "qa",
]  # fmt: skip
# what it is of, in a person's words
KINDS: dict[str, str] = {
    "limit": "Limit",
    "rate": "Rate of change",
    "drift": "Drift from its own baseline",
    "anomaly": "Unusual behaviour",
    "silence": "Silence",
    "stuck": "Standing still",
    "image_quality": "Image quality",
    "reject_rate": "Reject rate",
    "config": "Configuration",
    "clock": "Clock",
    "qa": "QA protocol",
}
OF_MACHINE = frozenset({"config", "clock", "qa"})  # these watch no metric
# judged by a room above, which makes them with its own rows: nobody makes or edits one as a rule
ELSEWHERE = frozenset({"qa"})
BY_HAND = {kind: label for kind, label in KINDS.items() if kind not in ELSEWHERE}
OF_READINGS = frozenset(KINDS) - OF_MACHINE
# these keep a state from reading to reading; the others are judged from what is stored
KEPT = frozenset({"rate", "drift", "anomaly", "stuck", "image_quality", "reject_rate"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a kind.

    Attributes:
        key: in `Spec.params`.
        label: for people.
        default: where nothing is said; `None`: it may stay open.
        low: least allowed.
        high: most allowed.
        whole: an integer.
        choices: words it may be; then it is no number.
        help: a sentence.
        required: must be given.
    """

    key: str
    label: str
    default: float | int | str | None = None
    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    choices: tuple[str, ...] = ()
    help: str = ""
    required: bool = False

    def take(self, given: Any) -> float | int | str | None:
        """The value.

        Raises:
            ValueError: with a sentence for a person.
        """
        if given is None or given == "":
            if self.required and self.default is None:
                raise ValueError("This is needed.")
            return self.default
        if self.choices:
            if given not in self.choices:
                raise ValueError(f"Choose one of: {', '.join(self.choices)}.")
            return str(given)
        value = number_given(given)
        if self.whole and value != int(value):
            raise ValueError("A whole number is needed.")
        if not self.low <= value <= self.high:
            raise ValueError(f"Between {self.low:g} and {self.high:g}, please.")
        return int(value) if self.whole else value


def number_given(given: Any) -> float:
    """A finite number.

    Raises:
        ValueError: with a sentence for a person.
    """
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError("A number is needed.")  # noqa: TRY004 - one error for every bad value
    try:
        value = float(given)
    except (ValueError, OverflowError):
        raise ValueError("A number is needed.") from None
    if not math.isfinite(value):
        raise ValueError("A finite number is needed.")
    return value


_DIRECTIONS = ("both", "up", "down")
PARAMETERS: dict[str, tuple[Parameter, ...]] = {
    "limit": (),
    "rate": (
        Parameter("window_seconds", "Window in seconds", DAY, 60, 90 * DAY,
                  help="The slope is that of this much time, in twelve parts."),
        Parameter("per", "Change per", "hour", choices=("hour", "day")),
    ),
    "drift": (
        Parameter("method", "Reckoned by", "cusum", choices=("cusum", "ewma"),
                  help="CUSUM adds up small shifts; EWMA forgets sooner."),
        Parameter("direction", "Which way", "both", choices=_DIRECTIONS),
        Parameter("threshold", "Alarm at, in standard deviations", 12.0, 1, 100,
                  help="12 for CUSUM and 7 for EWMA are quiet."),
        Parameter("baseline_days", "Days of the baseline", 28, 7, LONGEST_DAYS, whole=True),
        Parameter("lag_days", "Days between baseline and today", 14, 2, 90, whole=True),
        Parameter("slack", "Shift that is borne, in standard deviations", 1.5, 0, 10),
        Parameter("least_spread", "Least standard deviation that counts", 0.0, 0,
                  help="In the metric's unit; for quantities that hardly change."),
    ),
    "anomaly": (
        Parameter("strictness", "Strictness", 1.5, 0.5, 10,
                  help="1.5 halves the false alarms of 1."),
        Parameter("step_seconds", "Mean over, in seconds", HOUR, 0, DAY, whole=True,
                  help="0 looks at every reading by itself."),
    ),
    "silence": (
        Parameter("cadences", "Readings that may stay out", 12.0, 1, 10_000,
                  help="Silent for longer than this many times the cadence."),
        Parameter("cadence_seconds", "Usual seconds between readings", None, 1, 90 * DAY,
                  help="Empty: the metric's own."),
    ),
    "stuck": (),
    "image_quality": (
        Parameter("n", "Images", 20, 1, 500, whole=True, help="The last so many are looked at."),
        Parameter("share_above", "Share of images above",
                  help="Then the limits are per cent of images; empty: the median is judged."),
    ),
    "reject_rate": (
        Parameter("window_days", "Days", 7, 1, 90, whole=True),
        Parameter("least_days", "Days that must be known", 3, 1, 90, whole=True),
    ),
    "config": (),
    "clock": (),
    "qa": (),
}  # fmt: skip
# kinds whose limits a person sets, and those whose hysteresis, duration and keeping mean something
WITH_LIMITS = frozenset({"limit", "rate", "stuck", "image_quality", "reject_rate"})
WITH_KEEPING = WITH_LIMITS | {"drift", "anomaly"}
KEEP = {"limit": 900, "rate": HOUR, "drift": 0, "anomaly": 12 * HOUR, "stuck": 0,
        "image_quality": 0, "reject_rate": 0}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spec:
    """One rule, judged.

    Attributes:
        limit: what judges the statistic, names, unit of the metric, and age.
        kind: one of `KINDS`.
        params: the kind's own, complete (`complete`).
        version: number of the rule's version; `None` for one that isn't saved.
        cadence: usual seconds between readings of the metric.
        zone: whose days count (IANA name).
    """

    limit: Limit
    kind: str = "limit"
    params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    version: int | None = None
    cadence: int | None = None
    zone: str = "UTC"

    @property
    def unit(self) -> str:
        """UCUM unit of what is judged."""
        if self.kind == "rate":
            unit = "" if self.limit.unit == "1" else self.limit.unit
            return f"{unit}/{'h' if self.params['per'] == 'hour' else 'd'}"
        if self.kind == "drift":
            return "{SD}"
        if self.kind in {"silence", "stuck"}:
            return "h"
        if self.kind == "anomaly":
            return "1"
        if self.kind == "image_quality" and self.params.get("share_above") is not None:
            return "%"
        return self.limit.unit

    @property
    def longest_silence(self) -> float:
        """Seconds after which silence fails; 0 where no cadence is known."""
        cadence = self.params["cadence_seconds"] or self.cadence or 0
        return float(self.params["cadences"] * cadence)

    @property
    def memory_seconds(self) -> int:
        """From readings of this much time the state can be made again."""
        days = {
            "rate": 2 * self.params.get("window_seconds", 0) / DAY + 7,
            "drift": self.params.get("baseline_days", 0) + self.params.get("lag_days", 0) + 30,
            "anomaly": 90,
            "image_quality": 180,
            "reject_rate": 2 * self.params.get("window_days", 0) + 30,
        }
        return int(days.get(self.kind, 30) * DAY)


def complete(kind: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A kind's parameters with their defaults, and what is wrong with them by key.

    A name that the kind doesn't have is an error: a misspelt one would be a default unnoticed.
    """
    params: dict[str, Any] = {}
    errors: dict[str, str] = {}
    known = PARAMETERS[kind]
    for parameter in known:
        try:
            params[parameter.key] = parameter.take(given.get(parameter.key))
        except ValueError as error:
            errors[parameter.key] = str(error)
    for key in given:
        if key not in {p.key for p in known}:
            errors[str(key)[:64]] = "This kind of rule has no such parameter."
    return params, errors
