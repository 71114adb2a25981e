"""Synthetic telemetry: repeatable, healthy where it should be, failing where the fleet says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from demo.fleet import MACHINES, QUANTITIES, Limit, Machine
from demo.telemetry import samples

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def machine(name: str) -> Machine:
    return next(m for m in MACHINES if m.name == name)


def values(name: str, metric: str, days: int = 30) -> list[float]:
    found = samples(machine(name), now=NOW, days=days, seed=1)
    return [s.value for s in found if s.metric == metric]


def limit(metric: str, severity: str) -> Limit:
    quantity = next(q for q in QUANTITIES if q.key == metric)
    return next(rule for rule in quantity.limits if rule.severity == severity)


def test_same_seed_same_values() -> None:
    one = list(samples(machine("XR-1"), now=NOW, days=2, seed=5))
    assert one == list(samples(machine("XR-1"), now=NOW, days=2, seed=5))
    assert one != list(samples(machine("XR-1"), now=NOW, days=2, seed=6))


def test_healthy_machine_stays_inside_every_limit() -> None:
    for quantity in QUANTITIES:
        if quantity.base is None:
            continue
        for value in values("XR-1", quantity.key):
            for rule in quantity.limits:
                assert rule.low is None or value >= rule.low, quantity.key
                assert rule.high is None or value <= rule.high, quantity.key


def test_faults_cross_their_limits_in_the_end() -> None:
    assert min(values("XR-2", "detector_noise")[-24:]) > (limit("detector_noise", "act").high or 0)
    assert min(values("XR-3", "detector_temperature")[-6:]) > 37
    assert max(values("CR-1", "tube_housing_temperature")[-24:]) < 60  # over since days
    assert max(values("CR-1", "tube_housing_temperature")) > 70


def test_silent_machine_says_nothing_any_more() -> None:
    newest = max(s.at for s in samples(machine("MX-1"), now=NOW, days=30, seed=1))
    assert newest <= NOW - timedelta(days=6)
