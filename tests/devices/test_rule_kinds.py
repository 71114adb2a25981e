"""Every kind: one answer for any order, repetition and batching; live at each step is the replay."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.rule_kinds.fold import evaluate, fold_of, run
from devices.rule_kinds.spec import KINDS, OF_READINGS, PARAMETERS, Spec, complete
from devices.rule_kinds.words import sentence
from devices.rules import Limit, Sample

T0 = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)


def spec(kind: str, low: float | None = None, high: float | None = 10.0, **given: Any) -> Spec:
    names = ("hysteresis", "for_seconds", "min_samples", "keep_seconds", "max_age")
    fields = {name: given.pop(name) for name in names if name in given}
    params, errors = complete(kind, given)
    assert not errors
    limit = Limit(1, "noise", "noise", "Cel", "act", low, high, **fields)
    return Spec(limit, kind, params, version=1, cadence=3600)


def hourly(*values: float, start: datetime = T0) -> list[Sample]:
    return [Sample(start + timedelta(hours=i), v) for i, v in enumerate(values)]


def days(means: list[float], per_day: int = 4) -> list[Sample]:
    step = DAY / per_day
    return [
        Sample(T0 + day * DAY + i * step, m) for day, m in enumerate(means) for i in range(per_day)
    ]


SMALL: dict[str, Spec] = {
    "limit": spec("limit", hysteresis=2, min_samples=2, keep_seconds=7200),
    "rate": spec("rate", high=1.0, window_seconds=12 * 3600, keep_seconds=3600),
    "drift": spec("drift", high=None, baseline_days=7, lag_days=2, threshold=2, slack=0.5),
    "anomaly": spec("anomaly", high=None, step_seconds=0, strictness=0.5),
    "silence": spec("silence", high=None, cadences=3),
    "stuck": spec("stuck", high=4.0, min_samples=2),
    "image_quality": spec("image_quality", n=3, hysteresis=1),
    "reject_rate": spec("reject_rate", window_days=2, least_days=2),
}  # fmt: skip
VALUES = st.sampled_from([0.0, 5.0, 8.5, 9.0, 11.0, 12.0, 30.0, math.nan])
# gaps in hours, so that days, windows and silences are crossed
SERIES = st.lists(st.tuples(st.sampled_from([0.25, 1, 5, 30]), VALUES), max_size=60)


def made(series: list[tuple[float, float]]) -> list[Sample]:
    at, found = T0, []
    for gap, value in series:
        at += timedelta(hours=gap)
        found.append(Sample(at, value))
    return found


def test_every_kind_of_readings_is_tried() -> None:
    assert set(SMALL) == OF_READINGS
    assert set(PARAMETERS) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(SMALL))
@settings(max_examples=60, deadline=None)
@given(series=SERIES, rng=st.randoms(use_true_random=False))
def test_any_order_repetition_and_batching(
    kind: str, series: list[tuple[float, float]], rng: random.Random
) -> None:
    rule, samples = SMALL[kind], made(series)
    at = samples[-1].at if samples else T0
    whole = evaluate(rule, samples, at)
    mixed = samples + (rng.choices(samples, k=5) if samples else [])
    rng.shuffle(mixed)
    assert evaluate(rule, mixed, at) == whole
    assert run(rule, mixed) == run(rule, samples)
    # live: the state is kept as JSON between batches, and asked at each step
    fold = fold_of(rule)
    seen: list[tuple[datetime, datetime | None]] = []
    for index, sample in enumerate(samples):
        if rng.random() < 0.3:
            fold.load(json.loads(json.dumps(fold.dump())))
        fold.step(sample)
        so_far = run(rule, samples[: index + 1])
        assert fold.result(sample.at) == evaluate(rule, samples, sample.at)
        assert fold.failing == bool(so_far and so_far[-1].cleared_at is None)
        assert [f.opened_at for f in so_far][: len(seen)] == [o for o, _ in seen]
        seen = list(so_far)
    assert seen == run(rule, samples)


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_without_readings_nothing_is_known(kind: str) -> None:
    result = evaluate(SMALL[kind], [], T0)
    assert (result.state, result.value, run(SMALL[kind], [])) == ("unknown", None, [])


def test_kept_failing_a_while_after_the_last_bad_reading() -> None:
    rule = spec("limit", keep_seconds=3 * 3600)
    samples = hourly(11, 5, 11, 5, 5, 5, 5)
    assert run(rule, samples) == [(T0, T0 + timedelta(hours=5))]
    assert run(replace(rule, limit=replace(rule.limit, keep_seconds=0)), samples) == [
        (T0, T0 + timedelta(hours=1)),
        (T0 + timedelta(hours=2), T0 + timedelta(hours=3)),
    ]
    # it ends by itself, without a reading at that moment
    assert evaluate(rule, hourly(11, 5), T0 + timedelta(hours=2, minutes=59)).state == "act"
    assert evaluate(rule, hourly(11, 5), T0 + timedelta(hours=3)).state == "ok"


def test_rate_bears_wild_readings_and_finds_the_slope() -> None:
    rule = spec("rate", high=0.4, window_seconds=12 * 3600, per="hour")
    wild = hourly(*(20 + (40 if i in {5, 17} else 0) for i in range(24)))
    assert run(rule, wild) == []
    rising = hourly(*(20.0 if i < 24 else 20 + 0.5 * (i - 24) for i in range(48)))
    assert len(run(rule, rising)) == 1
    result = evaluate(rule, rising, rising[-1].at)
    assert result.state == "act"
    assert result.value == pytest.approx(0.5)
    assert result.text == "noise: +0.5 °C/h, allowed at most 0.4 °C/h"


@pytest.mark.parametrize("method", ["cusum", "ewma"])
def test_drift_finds_what_a_limit_does_not(method: str) -> None:
    rng = random.Random(3)
    rule = spec("drift", high=None, method=method, threshold=12 if method == "cusum" else 7)
    quiet = [30 + rng.gauss(0, 0.2) for _ in range(120)]
    assert run(rule, days(quiet)) == []
    creeping = [v + max(0, day - 60) * 0.05 for day, v in enumerate(quiet)]
    (found, *_) = run(rule, days(creeping))
    assert 60 < (found.opened_at - T0).days < 80
    result = evaluate(rule, days(creeping[:85]), T0 + 84 * DAY)
    assert result.state == "act"
    assert result.baseline == pytest.approx(30, abs=0.5)
    assert "usual 30" in result.text


def test_one_strange_day_and_quiet_weekends_are_no_drift() -> None:
    rng = random.Random(4)
    work = [30 + rng.gauss(0, 0.3) - (6 if day % 7 >= 5 else 0) for day in range(150)]
    work[90] += 20
    assert run(spec("drift", high=None), days(work)) == []


@pytest.mark.parametrize(
    ("direction", "sign", "rings"), [("up", 1, 1), ("up", -1, 0), ("down", -1, 1), ("down", 1, 0)]
)
def test_drift_one_way(direction: str, sign: int, rings: int) -> None:
    rng = random.Random(5)
    means = [30 + rng.gauss(0, 0.2) + sign * (2 if day >= 60 else 0) for day in range(75)]
    assert len(run(spec("drift", high=None, direction=direction), days(means))) == rings


def test_stuck_is_hours_of_one_reading_and_ends_with_another() -> None:
    limit = spec("stuck", high=3.0)
    still = hourly(1, 2, 2, 2, 2, 2, 3, 3)
    assert [(f.opened_at, f.cleared_at) for f in run(limit, still)] == [(still[5].at, still[6].at)]
    found = evaluate(limit, still[:6], still[5].at)
    assert (found.state, found.value, found.unit) == ("act", 4.0, "h")
    assert "the same reading for 4 h, allowed at most 3 h" in found.text
    # a gap of silence between two equal readings counts: nobody knows of another value
    assert run(limit, [still[0], Sample(still[0].at + DAY, 1.0)])


def test_anomaly_is_the_products_detector() -> None:
    rng = random.Random(6)
    values = [
        math.sin(i / 24 * math.tau) + rng.gauss(0, 0.1) + (3 if i >= 700 else 0) for i in range(800)
    ]
    (found,) = run(spec("anomaly", high=None), hourly(*values))[:1]
    assert 700 <= (found.opened_at - T0).total_seconds() / 3600 < 712


def test_silence_opens_at_its_deadline_and_ends_with_a_reading() -> None:
    rule = spec("silence", high=None, cadences=3)
    samples = [*hourly(1, 1, 1), Sample(T0 + timedelta(hours=9), 1)]
    assert run(rule, samples) == [(T0 + timedelta(hours=5), T0 + timedelta(hours=9))]
    assert run(rule, samples, T0 + timedelta(hours=13)) == [
        (T0 + timedelta(hours=5), T0 + timedelta(hours=9)),
        (T0 + timedelta(hours=12), None),
    ]
    assert evaluate(rule, samples, T0 + timedelta(hours=12)).state == "ok"
    late = evaluate(rule, samples, T0 + timedelta(hours=13))
    assert (late.state, late.since, late.text) == (
        "act", T0 + timedelta(hours=9), "noise: no reading for 4 h, allowed 3 h",
    )  # fmt: skip


def test_image_quality_by_median_and_by_share() -> None:
    values = (0, 50, 0, 50, 0, 12, 13, 14)
    assert evaluate(spec("image_quality", n=5), hourly(*values[:5]), T0 + DAY).state == "ok"
    assert evaluate(spec("image_quality", n=5), hourly(*values), T0 + DAY).state == "act"
    share = spec("image_quality", high=50.0, n=4, share_above=0)
    result = evaluate(share, hourly(0, 0, 1, 2, 0), T0 + DAY)
    assert (result.state, result.value, result.unit) == ("ok", 50.0, "%")
    assert evaluate(share, hourly(0, 1, 1, 2), T0 + DAY).state == "act"
    assert "2 of 4 readings known" in evaluate(share, hourly(0, 1), T0 + DAY).text


def test_reject_rate_over_days() -> None:
    rule = spec("reject_rate", window_days=3, least_days=2)
    daily = [Sample(T0 + i * DAY, v) for i, v in enumerate([2, 3, 4, 30, 30, 30])]
    opened = [f.opened_at for f in run(rule, daily)]
    assert opened == [T0 + 3 * DAY]
    assert "1 of 2 days known" in evaluate(rule, daily, T0).text


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("rate", {"window_seconds": 0}, "window_seconds"),
        ("rate", {"window_seconds": 100 * 365 * 86_400}, "window_seconds"),
        ("rate", {"window_seconds": math.nan}, "window_seconds"),
        ("rate", {"per": "week"}, "per"),
        ("drift", {"threshold": -1}, "threshold"),
        ("drift", {"baseline_days": 7.5}, "baseline_days"),
        ("drift", {"baseline_days": 36_500}, "baseline_days"),
        ("drift", {"least_spread": math.inf}, "least_spread"),
        ("anomaly", {"strictness": True}, "strictness"),
        ("silence", {"cadences": "many"}, "cadences"),
        ("image_quality", {"n": 0}, "n"),
        ("reject_rate", {"window_days": [7]}, "window_days"),
        ("limit", {"windows": 7}, "windows"),
    ],
)
def test_bad_parameters_are_named(kind: str, given: dict[str, Any], field: str) -> None:
    assert set(complete(kind, given)[1]) == {field}


def test_a_kind_that_readings_do_not_decide() -> None:
    with pytest.raises(ValueError, match="readings decide"):
        fold_of(spec("config"))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            spec("limit", hysteresis=1, for_seconds=7200, min_samples=3, keep_seconds=900),
            (
                "act where a reading is above 10 °C, for 2 h, 3 values in a row; "
                "good again with at most 9 °C, 15 min after the last bad one."
            ),
        ),
        (spec("limit", low=2, high=None), "act where a reading is below 2 °C."),
        (spec("rate", low=-1, high=1), "act where the slope over 24 h is outside -1 to 1 °C/h."),
        (
            spec("drift", high=None, direction="up", least_spread=0.2),
            (
                "act where daily means move upwards from the 28 days before the last 14: CUSUM "
                "beyond 12 SD; less than 0.2 °C counts as no deviation."
            ),
        ),
        (
            spec("anomaly", high=None, step_seconds=0),
            "act where readings behave unlike before (strictness 1.5).",
        ),
        (spec("silence", high=None), "act where no reading comes for 12 h."),
        (
            spec("image_quality", high=30, share_above=0),
            "act where the share of the last 20 images above 0 °C is above 30 %.",
        ),
        (spec("reject_rate", high=15), "act where the mean of 7 days is above 15 °C."),
        (spec("clock", high=None), "act where its clock is more than 5 minutes off."),
    ],
)
def test_a_rule_in_words(rule: Spec, words: str) -> None:
    assert sentence(rule) == words
