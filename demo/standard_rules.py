"""The rules that watch a simulated X-ray machine: which kind, on which metric, with what limits.

Settled on the simulator's seeds 0 to 9 so that healthy machines raise nothing; a hospital's own
machines need limits of their own. What they find and how soon stands in docs/simulator.md. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from demo.simulator.quantities import BY_KEY, KEYS, STEP
from devices.rule_kinds.spec import KEEP, Spec, complete
from devices.rules import Limit

HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class StandardRule:
    """One rule of a metric; limits in the unit of what the kind judges.

    Attributes:
        metric: key.
        kind: as in `devices.rule_kinds`.
        severity: `watch` or `act`.
        low: lower limit.
        high: upper limit.
        hysteresis: how far inside clears.
        for_seconds: span that must lie outside.
        min_samples: values that must.
        affects_image: whether pictures are less to be trusted while it fails.
        params: the kind's own.
    """

    metric: str
    kind: str
    severity: Literal["watch", "act"]
    low: float | None = None
    high: float | None = None
    hysteresis: float = 0.0
    for_seconds: int = 0
    min_samples: int = 1
    affects_image: bool = True
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For people: the metric's label and what is watched."""
        label = BY_KEY[self.metric].label
        return {
            "limit": label,
            "rate": f"{label}, change",
            "drift": f"{label}, drift",
            "anomaly": f"{label}, unusual",
            "silence": f"{label}, silence",
            "stuck": f"{label}, standing still",
        }[self.kind]

    @property
    def given(self) -> dict[str, Any]:
        """As `devices.services.rules.create` takes it."""
        return {
            "name": self.name,
            "severity": self.severity,
            "low": self.low,
            "high": self.high,
            "hysteresis": self.hysteresis,
            "for_seconds": self.for_seconds,
            "min_samples": self.min_samples,
            "keep_seconds": KEEP.get(self.kind, 0),
            "affects_image": self.affects_image,
            "params": dict(self.params),
        }

    def spec(self, number: int, zone: str) -> Spec:
        """What the product's pure rules take.

        Args:
            number: identifies the rule.
            zone: whose days count.
        """
        quantity = BY_KEY[self.metric]
        params, errors = complete(self.kind, self.params)
        if errors:
            raise AssertionError(f"{self.name}: {errors}")
        limit = Limit(
            rule_id=number,
            rule=self.name,
            metric=self.metric,
            unit=quantity.unit,
            severity=self.severity,
            low=self.low,
            high=self.high,
            hysteresis=self.hysteresis,
            for_seconds=self.for_seconds,
            min_samples=self.min_samples,
            affects_image=self.affects_image,
            max_age=quantity.max_age,
            keep_seconds=KEEP.get(self.kind, 0),
        )
        return Spec(limit, self.kind, params, cadence=quantity.every * STEP, zone=zone)


def _drift(
    metric: str, direction: str, least_spread: float, *, threshold: float = 8.0, **more: Any
) -> StandardRule:
    params = {
        "method": "cusum",
        "direction": direction,
        "threshold": threshold,
        "baseline_days": 14,
        "lag_days": 7,
        "slack": 1.0,
        "least_spread": least_spread,
    }
    return StandardRule(metric, "drift", "watch", params=params, **more)


def _silence(metric: str, hours: float) -> StandardRule:
    cadences = hours * HOUR / (BY_KEY[metric].every * STEP)
    return StandardRule(
        metric, "silence", "watch", affects_image=False, params={"cadences": cadences}
    )


# hours without a reading: the network is away for up to six, exposures for a long weekend's night
SILENT = dict.fromkeys(KEYS, 8.0) | {
    "kv_error": 60.0,
    "ma_error": 60.0,
    "detector_noise": 12.0,
    "pixel_dead_columns": 12.0,
}

# hours of one and the same reading, more than the network is away for; of sensors whose noise is
# larger than their step
STUCK = {
    "tube_housing_temperature": 8.0,
    "oil_pressure": 10.0,
    "kv_error": 12.0,
    "ma_error": 12.0,
    "detector_temperature": 8.0,
    "room_temperature": 10.0,
    "room_humidity": 10.0,
}

STANDARD_RULES: tuple[StandardRule, ...] = (
    StandardRule(
        "tube_housing_temperature", "limit", "watch", high=65, hysteresis=3,
        for_seconds=HOUR, min_samples=2, affects_image=False,
    ),
    StandardRule(
        "tube_housing_temperature", "limit", "act", high=75, hysteresis=3,
        min_samples=2, affects_image=False,
    ),
    StandardRule(
        "oil_pressure", "limit", "watch", low=70, hysteresis=3,
        for_seconds=HOUR, min_samples=2, affects_image=False,
    ),
    StandardRule(
        "oil_pressure", "limit", "act", low=55, hysteresis=3, min_samples=2, affects_image=False,
    ),
    _drift("oil_pressure", "down", 2.5, threshold=12, affects_image=False),
    StandardRule(
        "tube_arcs", "limit", "watch", high=4, hysteresis=2, min_samples=2, affects_image=False,
    ),
    StandardRule(
        "tube_arcs", "limit", "act", high=10, hysteresis=3, min_samples=3, affects_image=False,
    ),
    _drift("tube_arcs", "up", 0.5, affects_image=False),
    StandardRule("kv_error", "limit", "watch", low=-4, high=4, hysteresis=0.5, min_samples=3),
    StandardRule("kv_error", "limit", "act", low=-6, high=6, hysteresis=0.5, min_samples=3),
    _drift("kv_error", "both", 0.2),
    StandardRule("ma_error", "limit", "watch", low=-8, high=8, hysteresis=1, min_samples=3),
    StandardRule("ma_error", "limit", "act", low=-14, high=14, hysteresis=1, min_samples=3),
    _drift("ma_error", "both", 0.35),
    StandardRule(
        "detector_temperature", "limit", "watch", high=39, hysteresis=1,
        for_seconds=HOUR, min_samples=3,
    ),
    StandardRule(
        "detector_temperature", "limit", "act", high=45, hysteresis=1,
        for_seconds=HOUR, min_samples=3,
    ),
    _drift("detector_temperature", "up", 0.4),
    StandardRule("detector_noise", "limit", "watch", high=1.3, hysteresis=0.05, min_samples=2),
    StandardRule("detector_noise", "limit", "act", high=1.5, hysteresis=0.05, min_samples=2),
    _drift("detector_noise", "up", 0.012),
    StandardRule("pixel_dead_columns", "limit", "watch", high=10, hysteresis=1, min_samples=2),
    _drift("pixel_dead_columns", "up", 0.3),
    StandardRule(
        "room_temperature", "limit", "watch", high=26, hysteresis=1,
        for_seconds=HOUR, min_samples=3, affects_image=False,
    ),
    StandardRule(
        "room_temperature", "rate", "watch", high=0.3, hysteresis=0.1, affects_image=False,
        params={"window_seconds": 12 * HOUR, "per": "hour"},
    ),
    StandardRule(
        "room_humidity", "limit", "watch", low=28, high=62, hysteresis=2,
        for_seconds=HOUR, min_samples=3, affects_image=False,
    ),
    *(
        StandardRule(metric, "stuck", "watch", high=hours, min_samples=3)
        for metric, hours in STUCK.items()
    ),
    *(_silence(metric, hours) for metric, hours in SILENT.items()),
)  # fmt: skip


# kinds that watch the machine as a whole, and their names
OF_MACHINE = {"config": "Configuration as wanted", "clock": "Clock"}


def specs(zone: str) -> list[Spec]:
    """All of them as the product's rules take them, numbered from 1."""
    return [rule.spec(number, zone) for number, rule in enumerate(STANDARD_RULES, start=1)]
