"""The benchmark's score against values computed by hand from its paper."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import nab
from benchmarks.drift import drift
from benchmarks.nab_score import Labelled, Profile, at, probation, sigmoid, sweep, worth

STANDARD = Profile("standard", tp=1.0, fn=1.0, fp=0.11)
LOW_FP = Profile("reward low FP", tp=1.0, fn=1.0, fp=0.22)
LOW_FN = Profile("reward low FN", tp=1.0, fn=2.0, fp=0.11)


def series(length: int, windows, **alarm_at: float) -> Labelled:
    """Scores of 0 but at the named places: `p120=0.9`."""
    scores = np.zeros(length)
    for place, score in alarm_at.items():
        scores[int(place[1:])] = score
    return Labelled(scores, windows)


@pytest.mark.parametrize(
    ("position", "value"),
    [(-1, 0.98661), (-0.5, 0.84828), (0, 0), (1, -0.98661), (3, -0.99999), (3.1, -1)],
)
def test_the_scoring_function(position, value):
    assert sigmoid(position) == pytest.approx(value, abs=1e-5)


def test_what_an_alarm_is_worth_in_and_behind_a_window():
    values, owner = worth(40, [(10, 19)])
    assert list(owner[8:22]) == [-1, -1, *[0] * 10, -1, -1]
    assert values[9] == -1  # nothing before it
    assert values[10] == pytest.approx(1)
    # half of the window is left: 2 / (1 + e^-2.5) - 1 = 0.84828, over that of its start
    assert values[15] == pytest.approx(0.84828 / 0.98661, abs=1e-4)
    assert values[19] == pytest.approx((2 / (1 + math.exp(-0.5)) - 1) / 0.98661, abs=1e-4)
    # one behind the last, of a width of 10: 2 / (1 + e^(5/9)) - 1
    assert values[20] == pytest.approx(2 / (1 + math.exp(5 / 9)) - 1, abs=1e-9)
    assert values[39] == pytest.approx(-0.99997, abs=1e-4)


def test_the_first_alarm_of_a_window_counts_and_every_false_one_costs():
    one = series(200, [(100, 119)], p100=0.9, p110=0.95, p150=0.9)
    found = at([one], STANDARD, 0.9)
    behind = sigmoid(31 / 19)
    assert found.score == pytest.approx(100 * (1 + 0.11 * behind + 1) / 2)
    assert (found.found, found.windows, found.false) == (1, 1, 1)
    assert at([one], LOW_FP, 0.9).score == pytest.approx(100 * (1 + 0.22 * behind + 1) / 2)
    # a missed window costs double, so finding it earns 3 of 3
    assert at([one], LOW_FN, 0.9).score == pytest.approx(100 * (1 + 0.11 * behind + 2) / 3)


def test_perfect_is_100_and_silence_is_0():
    windows = [(100, 119), (150, 169)]
    for profile in (STANDARD, LOW_FP, LOW_FN):
        perfect = sweep([series(200, windows, p100=1.0, p150=1.0), series(90, [])], profile)
        assert perfect.score == pytest.approx(100)
        assert (perfect.found, perfect.false) == (2, 0)
        silent = sweep([series(200, windows)], profile)
        assert at([series(200, windows)], profile, 0.5).score == 0
        # to speak always is worse than never, so the best threshold is beyond all scores
        assert (silent.score, silent.threshold) == (0, math.inf)


def test_one_threshold_serves_all_series():
    loud = series(400, [(100, 119)], p100=0.9, **{f"p{i}": 0.8 for i in range(200, 300)})
    faint = series(400, [(100, 119)], p100=0.7)
    found = sweep([loud, faint], STANDARD)
    # 0.7 would find the second window at the price of a hundred false alarms
    assert found.threshold == 0.9
    assert found.score == pytest.approx(50)
    assert sweep([faint], STANDARD).score == pytest.approx(100)


def test_equal_scores_cross_the_threshold_together():
    one = series(400, [(100, 119)], p100=0.9, **{f"p{i}": 0.9 for i in range(200, 230)})
    assert sweep([one], STANDARD).score == 0


@pytest.mark.parametrize("profile", [STANDARD, LOW_FP, LOW_FN])
def test_the_sweep_is_the_best_of_all_thresholds(profile):
    rng = np.random.default_rng(1)
    many = [Labelled(rng.integers(0, 30, 300) / 30 + rng.random(), [(80, 120), (200, 230)]),
            Labelled(np.where(np.arange(300) == 90, 3.0, rng.random(300)), [(85, 99)])]  # fmt: skip
    each = [at(many, profile, t) for t in np.unique(np.concatenate([m.scores for m in many]))]
    best = max(each, key=lambda r: r.score)
    found = sweep(many, profile)
    assert found.score == pytest.approx(max(best.score, 0))
    assert (found.found, found.false, found.threshold) == (best.found, best.false, best.threshold)


def test_the_beginning_is_not_scored():
    assert probation(1000) == 150
    assert probation(20_000) == 750
    one = series(1000, [(140, 159), (500, 519)], p100=0.9, p145=0.9, p500=0.9)
    found = at([one], STANDARD, 0.9)
    # the alarm at 100 costs nothing, the one at 145 finds nothing
    assert (found.found, found.windows, found.false) == (1, 2, 0)
    assert found.score == pytest.approx(50)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small files in the benchmark's form: one with a step, one without."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(2, 3000))
    values[0, 2000:2100] += 9
    for name, row in zip(("realTweets/a.csv", "realTraffic/b.csv"), values, strict=True):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        days = [
            f"2015-01-{1 + i // 288:02} {i % 288 // 12:02}:{i % 12 * 5:02}:00" for i in range(3000)
        ]
        lines = [f"{day},{value}" for day, value in zip(days, row, strict=True)]
        path.write_text("\n".join(["timestamp,value", *lines]) + "\n")
    # point 1980 to 2130
    window = ["2015-01-07 21:00:00.000000", "2015-01-08 09:30:00.000000"]
    (tmp_path / "labels").mkdir()
    labels = {"realTweets/a.csv": [window], "realTraffic/b.csv": []}
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps(labels))
    (tmp_path / "config").mkdir()
    costs = {"CostMatrix": {"tpWeight": 1.0, "fnWeight": 1.0, "fpWeight": 0.11, "tnWeight": 1.0}}
    names = ("standard", "reward_low_FP_rate", "reward_low_FN_rate")
    (tmp_path / "config" / "profiles.json").write_text(json.dumps(dict.fromkeys(names, costs)))
    return tmp_path


def test_the_measurement_reads_the_benchmarks_files(folder):
    assert nab.read(folder)["realTweets/a.csv"][2] == [(1980, 2130)]
    found = nab.measure(folder)
    assert (found["series"], found["points"]) == (2, 6000)
    assert found["own_threshold"]["standard"]["found"] == 1
    assert found["best_threshold"]["standard"]["score"] > 80
    assert found["kinds"]["realTraffic"]["windows"] == 0


def test_the_windowed_gaussian_is_the_tail_of_what_came_before():
    values = [float(v) for v in np.random.default_rng(2).normal(5, 2, 6800)]
    scores = nab.windowed_gaussian(values, values)
    for i, first, last in ((50, 0, 50), (6400, 0, 6400), (6499, 0, 6400), (6500, 100, 6500)):
        before = np.array(values[first:last])
        z = abs(values[i] - before.mean()) / before.std()
        assert scores[i] == pytest.approx(1 - 0.5 * math.erfc(z / math.sqrt(2)), abs=1e-9)


def test_without_the_data_the_section_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("NAB_DATA", str(tmp_path))
    assert drift(long=False) == ""
    assert "isn't there" in capsys.readouterr().out


def test_the_section_names_halves_and_kinds(monkeypatch, folder):
    kinds = ("realTweets", "realTraffic")
    monkeypatch.setattr("benchmarks.drift.KINDS", dict(zip(kinds, ("tweets", "road"), strict=True)))
    monkeypatch.setenv("NAB_DATA", str(folder))
    section = drift(long=False)
    assert "| tweets | standard, own threshold |" in section
    assert "| road | standard, own threshold |  | 0 of 0, " in section
    assert "| other half |" in section
