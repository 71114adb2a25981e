"""Health from the rows equals the pure fold over all of them, in a constant number of queries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.rules import Limit, Sample, check
from devices.selectors import health_at, health_many
from tests.devices import factories as f

pytestmark = pytest.mark.django_db
NOW = f.NOW


def test_as_of() -> None:
    device, noise, _ = f.watched_device()
    for minute, value in ((0, 5), (10, 11), (20, 5)):
        f.reading(device, noise, value, NOW + f.minutes(minute))
    states = [health_at(device, NOW + f.minutes(m)).state for m in (-1, 0, 9, 10, 19, 20)]
    assert states == ["unknown", "ok", "ok", "act", "act", "ok"]


def test_silence_becomes_unknown() -> None:
    device, noise, _ = f.watched_device()
    f.reading(device, noise, 5, NOW)
    later = NOW + f.minutes(7 * 1440 + 1)
    health = health_at(device, later)
    assert (health.state, health.coverage) == ("unknown", (0, 1))


def test_disabled_rules_and_other_models_do_not_count() -> None:
    device, _, rule = f.watched_device()
    other, other_noise, _ = f.watched_device()
    f.reading(other, other_noise, 99, NOW)
    rule.enabled = False
    rule.save()
    assert health_at(device, NOW).coverage == (0, 0)
    assert health_many([device, other], NOW)[other.pk].state == "act"


def test_two_rules_on_one_metric_each_keep_their_own_run() -> None:
    device, noise, _ = f.watched_device(high=20.0)
    f.rule(noise, "watch", high=10.0)
    for minute, value in enumerate((5, 12, 12, 25, 25)):
        f.reading(device, noise, value, NOW + f.minutes(minute))
    checks = {c.state: c for c in health_at(device, NOW + f.minutes(9)).checks}
    assert (checks["watch"].n, checks["act"].n) == (4, 2)
    assert checks["act"].since == NOW + f.minutes(3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.sampled_from([-3.0, 0.0, 1.0, 5.0, 9.0, 10.0, 11.0]), max_size=8),
    low=st.sampled_from([None, 0.0]),
    hysteresis=st.sampled_from([0.0, 1.0, 40.0]),
    samples=st.integers(1, 3),
    lasts=st.sampled_from([0, 90]),
    minute=st.integers(-1, 9),
)
def test_the_same_as_the_pure_fold(
    *,
    values: list[float],
    low: float | None,
    hysteresis: float,
    samples: int,
    lasts: int,
    minute: int,
) -> None:
    device, noise, rule = f.watched_device(
        low=low, hysteresis=hysteresis, min_samples=samples, for_seconds=lasts
    )
    f.readings(device, noise, [(NOW + f.minutes(i), v) for i, v in enumerate(values)])
    at = NOW + f.minutes(minute)
    limit = Limit(
        rule_id=rule.pk,
        rule=rule.name,
        metric="noise",
        unit="1",
        severity="act",
        low=low,
        high=10.0,
        hysteresis=hysteresis,
        for_seconds=lasts,
        min_samples=samples,
    )
    expected = check(limit, [Sample(NOW + f.minutes(i), v) for i, v in enumerate(values)], at)
    whole, brief = health_at(device, at), health_many([device], at, brief=True)[device.pk]
    assert whole.checks == (expected,)
    assert (brief.state, brief.score, brief.coverage) == (whole.state, whole.score, whole.coverage)
    assert brief.worst == whole.worst


@pytest.mark.parametrize("count", [1, 12])
def test_as_many_queries_for_any_number_of_machines(
    count: int, django_assert_num_queries: Any
) -> None:
    model = f.model()
    noise, heat = f.metric(model, "noise"), f.metric(model, "heat")
    f.rule(noise)
    f.rule(noise, "watch", high=8.0)
    f.rule(heat)
    devices = [f.device(model) for _ in range(count)]
    for device in devices:
        f.reading(device, noise, 12, NOW)
        f.reading(device, heat, 5, NOW)
    with django_assert_num_queries(4):  # newest, rules, last clear, run
        healths = health_many(devices, NOW)
    assert {h.state for h in healths.values()} == {"act"}
    assert {h.coverage for h in healths.values()} == {(3, 3)}


def test_nobody_asked_no_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert health_many([], NOW) == {}
