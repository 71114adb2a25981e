"""The streaming drift detector on made series: five-minute readings unless said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.anomaly import ALARM, QUIET, WARM, Detector

PER_DAY = 288
STEP = 300.0


def noise(days: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=days * PER_DAY)


def sine(days: int) -> np.ndarray:
    return 5 * np.sin(2 * np.pi * np.arange(days * PER_DAY) / PER_DAY)


def workdays(days: int) -> np.ndarray:
    """A machine that runs from 8 to 17 on the first five days of a week."""
    i = np.arange(days * PER_DAY)
    minute = i % PER_DAY
    return np.where((i // PER_DAY % 7 < 5) & (minute >= 96) & (minute < 204), 10.0, 0.0)


def scores(values, step=STEP, detector=None, start=0.0):
    detector = detector or Detector()
    return [detector.update(start + step * i, float(v)) for i, v in enumerate(values)]


def alarms(values, step=STEP, detector=None):
    """(reading's number, part) of each alarm."""
    detector = detector or Detector()
    found = []
    for i, value in enumerate(values):
        if detector.update(step * i, float(value)) >= ALARM:
            found.append((i, detector.why))
    return found


def after(found, first: int, days: float = 60):
    return [(i, why) for i, why in found if first <= i < first + days * PER_DAY]


@pytest.mark.parametrize(
    ("change", "within", "parts"),
    [
        (lambda v, at: np.where(at >= 0, v + 5, v), 24, {"level", "rhythm"}),
        (lambda v, at: np.where(at >= 0, v * 4, v), 48, {"rough", "level", "rhythm"}),
        (lambda v, at: np.where(at == 0, v + 40, v), 24, {"rough", "level", "rhythm"}),
    ],
    ids=["step", "variance", "spike"],
)
@pytest.mark.parametrize("rhythm", [False, True])
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_a_sudden_change_is_found_soon(change, within, parts, rhythm, seed):
    first = 20 * PER_DAY + 50
    values = change(noise(22, seed), np.arange(22 * PER_DAY) - first)
    if rhythm:
        values = values + sine(22)
    # strict, so that a chance alarm of the noise doesn't lie in the way
    found = after(alarms(values, detector=Detector(1.1)), first)
    assert found
    assert found[0][0] - first <= within
    assert found[0][1] in parts


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_a_slow_drift_under_a_daily_rhythm_is_found_within_ten_days(seed):
    first = 30 * PER_DAY
    slope = np.maximum(np.arange(45 * PER_DAY) - first, 0) / PER_DAY * 0.1
    found = after(alarms(sine(45) + noise(45, seed) + slope), first)
    drift = [i for i, why in found if why == "drift"]
    assert drift
    assert drift[0] - first <= 10 * PER_DAY


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_without_change_it_seldom_speaks(seed):
    days = 60
    assert len(alarms(noise(days, seed))) <= days / 3
    assert len(alarms(sine(days) + noise(days, seed))) <= days / 6
    assert len(alarms(noise(days, seed), detector=Detector(1.5))) <= days / 10


def test_weekends_are_learnt_and_work_on_a_sunday_is_strange():
    values = workdays(56) + 0.3 * noise(56)
    sunday = slice(48 * PER_DAY, 49 * PER_DAY)
    worked = values.copy()
    worked[sunday] = values[:PER_DAY]
    strict = 1.4
    usual = after(alarms(values, detector=Detector(strict)), 35 * PER_DAY)
    strange = after(alarms(worked, detector=Detector(strict)), 48 * PER_DAY, days=1)
    assert len(usual) <= 2
    assert not after(usual, 48 * PER_DAY, days=1)
    assert strange
    assert strange[0][0] < 48 * PER_DAY + 96 + 24


def test_a_day_without_its_rhythm_is_found():
    values = sine(31) + 0.3 * noise(31)
    first = 29 * PER_DAY
    values[first:] -= sine(31)[first:]
    assert after(alarms(values), first, days=0.5)


def test_constant_is_quiet_and_the_first_change_is_not():
    found = scores([0.1] * 3000 + [0.2] * 3)
    assert max(found[:3000]) == 0
    assert found[3000] >= ALARM


def test_rounding_is_no_change():
    # 0.1 + 0.2 isn't 0.3: a mean of equal readings differs in the last digit
    values = [0.1 + 0.2 if i % 97 else 0.3 for i in range(3000)]
    assert max(scores(values)) == 0


def test_one_event_is_one_alarm_and_the_next_one_needs_more():
    values = noise(30, 5)
    at = [20 * PER_DAY, 20 * PER_DAY + 72, 26 * PER_DAY]
    for first in at:
        values[first : first + 12] += 6
    detector = Detector(1.2)
    found = [i for i, _ in after(alarms(values, detector=detector), at[0])]
    assert [i for i in found if i < at[0] + QUIET / STEP] == found[:1]
    assert any(at[2] <= i < at[2] + 24 for i in found)
    assert sum(detector.habits) > 0


def test_a_broken_sensors_number_does_not_blind():
    values = noise(30, 6)
    glitch, step = 20 * PER_DAY, 22 * PER_DAY
    values[glitch] = 1e9
    values[step:] += 8
    found = alarms(values)
    assert after(found, glitch, days=0.1)
    assert after(found, step, days=0.1)


def test_what_is_no_number_changes_nothing():
    detector, untouched = Detector(), Detector()
    values = noise(3)
    scores(values, detector=detector)
    scores(values, detector=untouched)
    at = 3 * 86400.0
    for value in (math.nan, math.inf, -math.inf, 1e200, 10**400):
        assert detector.update(at, value) == 0
    for time in (math.nan, math.inf):
        assert detector.update(time, 1.0) == 0
    assert detector.to_json() == untouched.to_json()


def test_a_gap_is_no_alarm():
    values = sine(22) + 0.1 * noise(22)
    detector = Detector(1.5)
    # off at the height of one day, back in the depth of another
    off, on = 20 * PER_DAY + 72, 21 * PER_DAY + 216
    before = scores(values[:off], detector=detector)
    back = STEP * (on + 3 * PER_DAY)
    behind = scores(values[on:], detector=detector, start=back)
    assert max(before[10 * PER_DAY :]) < ALARM
    assert max(behind) < ALARM


def test_a_late_reading_counts_as_if_it_came_now():
    values = noise(3)
    detector, now = Detector(), Detector()
    for i, value in enumerate(values):
        late = 7 if i % 5 == 0 and i else 0
        found = detector.update(STEP * (i - late), float(value))
        assert found == now.update(STEP * (i - 1 if late else i), float(value))
    detector.update(0.0, 1.0)
    assert detector.at == STEP * (len(values) - 1)


@pytest.mark.parametrize(("factor", "shift"), [(1000.0, 0.0), (0.001, 0.0), (1.0, 100.0), (-1, 0)])
def test_the_unit_does_not_matter(factor, shift):
    values = sine(20) + noise(20)
    there = scores(values * factor + shift)
    assert there == pytest.approx(scores(values), abs=1e-6)


def test_it_never_looks_ahead():
    values = noise(6)
    other = values.copy()
    other[1000:] += 50
    assert scores(values)[:1000] == scores(other)[:1000]


def test_the_state_stays_small():
    detector = Detector()
    scores(noise(20), detector=detector)
    early = len(detector.to_json())
    scores(noise(60), detector=detector, start=20 * 86400.0)
    assert len(detector.to_json()) < 1.2 * early < 24_000


ODD = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-1e3, 1e3),
    st.sampled_from([0.0, 1.0, -1.0, 5e-324, 1e100, -1e100]),
)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    odd=st.dictionaries(st.integers(0, 899), ODD, max_size=12),
    gaps=st.dictionaries(st.integers(0, 899), st.floats(-1e5, 1e7), max_size=5),
    cuts=st.sets(st.integers(0, 899), max_size=5),
)
def test_it_goes_on_from_its_state_as_if_it_had_never_stopped(seed, odd, gaps, cuts):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=900) * 10.0 ** rng.integers(-3, 4)
    times = np.cumsum([600 + gaps.get(i, 0.0) for i in range(900)])
    whole, parted = Detector(), Detector()
    for i, (time, plain) in enumerate(zip(times, values, strict=True)):
        value = odd.get(i, float(plain))
        if i in cuts:
            parted = Detector.from_json(parted.to_json())
        one, two = whole.update(time, value), parted.update(time, value)
        assert one == two
        assert 0 <= one < 1
        assert whole.why == parted.why
    assert whole.to_json() == parted.to_json()


def test_the_restored_one_is_as_strict():
    detector = Detector.from_json(Detector(1.5).to_json())
    assert detector.strictness == 1.5


def test_nothing_is_said_before_it_is_warm():
    values = [*noise(1)[: WARM - 1], 1e6]
    assert set(scores(values)) == {0.0}
