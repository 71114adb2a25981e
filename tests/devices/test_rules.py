"""The limit rule: duration, samples, hysteresis, silence; one verdict for any order."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.rules import Limit, Sample, amount, check, good, limits_text

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


def limit(**fields: Any) -> Limit:
    defaults: dict[str, Any] = {
        "rule_id": 1,
        "rule": "noise",
        "metric": "noise",
        "unit": "1",
        "severity": "act",
        "low": None,
        "high": 10.0,
        "max_age": 3600,
    }
    return Limit(**{**defaults, **fields})


def series(*values: float, step: float = 60) -> list[Sample]:
    return [Sample(T0 + timedelta(seconds=i * step), v) for i, v in enumerate(values)]


def judge(rule: Limit, samples: list[Sample]) -> Any:
    return check(rule, samples, samples[-1].at if samples else T0)


def test_inside_is_ok_and_the_limit_itself_is_allowed() -> None:
    result = judge(limit(low=1.0), series(5, 10, 1))
    assert (result.state, result.n, result.since, result.value) == ("ok", 0, None, 1)


@pytest.mark.parametrize("severity", ["watch", "act"])
def test_outside_gives_the_rules_severity_since_the_first_one(severity: str) -> None:
    result = judge(limit(severity=severity), series(5, 11, 12))
    assert (result.state, result.n, result.value) == (severity, 2, 12)
    assert result.since == T0 + timedelta(seconds=60)
    assert result.text == "noise: 12, allowed at most 10"


def test_below_the_lower_limit() -> None:
    assert judge(limit(low=1.0, high=None), series(0.5)).state == "act"


def test_needs_enough_consecutive_samples() -> None:
    rule = limit(min_samples=3)
    assert judge(rule, series(11, 11, 9, 11, 11)).state == "ok"
    assert judge(rule, series(11, 11, 9, 11, 11, 11)).state == "act"


def test_a_run_not_long_enough_is_told() -> None:
    assert "outside for 2 of 3 readings" in judge(limit(min_samples=3), series(11, 11)).text


def test_needs_to_last() -> None:
    rule = limit(for_seconds=120)
    assert judge(rule, series(11, 11)).state == "ok"
    assert judge(rule, series(11, 11, 11)).state == "act"


def test_hysteresis_holds_until_well_inside() -> None:
    rule = limit(hysteresis=2.0)
    held = judge(rule, series(11, 9, 8.5))
    assert (held.state, held.n, held.since) == ("act", 3, T0)
    assert judge(rule, series(11, 9, 8.0)).state == "ok"
    assert judge(rule, series(9.5, 9.9)).state == "ok"


def test_hysteresis_wider_than_the_band_can_still_clear() -> None:
    rule = limit(low=0.0, high=10.0, hysteresis=50.0)
    assert judge(rule, series(11, 6)).state == "act"
    assert judge(rule, series(11, 5)).state == "ok"


def test_no_reading_is_unknown() -> None:
    result = check(limit(), [], T0)
    assert (result.state, result.value, result.text) == ("unknown", None, "noise: no reading")


def test_an_old_reading_is_unknown_even_if_it_was_outside() -> None:
    result = check(limit(), series(11), T0 + timedelta(seconds=3601))
    assert (result.state, result.n, result.since) == ("unknown", 0, None)
    assert "no reading for 60 min" in result.text
    assert check(limit(), series(11), T0 + timedelta(seconds=3600)).state == "act"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_not_a_number_never_passes(bad: float) -> None:
    assert judge(limit(), series(5, bad)).state == "unknown"
    assert judge(limit(), series(bad)).state == "unknown"
    held = judge(limit(), series(11, bad))
    assert (held.state, held.value) == ("act", None)
    assert judge(limit(min_samples=2), series(11, bad, 11)).state == "act"


def test_later_readings_do_not_exist_yet() -> None:
    assert check(limit(), series(5, 11), T0).state == "ok"


VALUES = st.one_of(st.floats(-5, 15), st.sampled_from([0.0, 10.0, 8.0, 2.0, math.nan, math.inf]))
LIMITS = st.builds(
    limit,
    low=st.sampled_from([None, 0.0]),
    hysteresis=st.sampled_from([0.0, 2.0, 30.0]),
    min_samples=st.integers(1, 3),
    for_seconds=st.sampled_from([0, 60, 150]),
)


@given(LIMITS, st.lists(VALUES, max_size=12), st.randoms(), st.integers(0, 900))
def test_one_verdict_for_any_order_and_repetition(
    rule: Limit, values: list[float], random: Any, seconds: int
) -> None:
    at = T0 + timedelta(seconds=seconds)
    samples = series(*values)
    shuffled = samples + random.choices(samples, k=3) if samples else []
    random.shuffle(shuffled)
    assert check(rule, samples, at) == check(rule, shuffled, at)


@given(LIMITS, st.lists(VALUES, min_size=1, max_size=12))
def test_readings_before_the_last_clear_one_do_not_matter(rule: Limit, values: list[float]) -> None:
    samples = series(*values)
    clear = [i for i, s in enumerate(samples) if rule.clears(s.value)]
    if clear:
        assert judge(rule, samples) == judge(rule, samples[clear[-1] :])


@given(LIMITS, st.lists(VALUES, min_size=1, max_size=12))
def test_good_only_with_a_finite_newest_value(rule: Limit, values: list[float]) -> None:
    result = judge(rule, series(*values))
    if result.state == "ok":
        assert math.isfinite(values[-1])
        assert result.n < rule.min_samples or rule.for_seconds > 0
    if rule.clears(values[-1]):
        assert result.state == "ok"


@given(LIMITS, VALUES.filter(math.isfinite))
def test_what_a_good_reading_says_needs_no_fold(rule: Limit, value: float) -> None:
    sample = Sample(T0, value)
    if rule.clears(value):
        assert good(rule, sample, version=3) == check(rule, [sample], T0, version=3)


def test_words() -> None:
    assert amount(1.23456, "Cel") == "1.235 °C"
    assert limits_text(1, 2, "kV") == "1 to 2 kV"
    assert limits_text(1, None, "kV") == "at least 1 kV"
    assert limits_text(None, 2, "1") == "at most 2"
    assert limits_text(None, None, "1") == "no limit"
