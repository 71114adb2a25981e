"""Temperature, offset and calibration error, on scores whose truth is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detection.evaluation import calibration as c
from detection.evaluation import folds
from detection.manifest import Scaling
from tests.evaluation.examples import random_set, rows_of


def sure(temperature, offset=0.0, count=4000, seed=0):
    """Scores that a temperature and an offset would put right, and what happened."""
    rng = np.random.default_rng(seed)
    chances = rng.uniform(0.02, 0.98, (count, 3))
    happened = (rng.random(chances.shape) < chances).astype(float)
    odds = np.log(chances / (1 - chances))
    return 1 / (1 + np.exp(-temperature * (odds - offset))), happened, chances


@pytest.mark.parametrize(
    ("temperature", "offset"), [(0.5, 0), (1, 0), (3, 0), (0.5, -0.9), (1, 1.5), (2, -0.5)]
)
def test_the_scaling_is_found_again(temperature, offset):
    scores, happened, chances = sure(temperature, offset)
    found = c.fit_scaling(scores, happened)
    # scores are cut at 1e-4 and 1 - 1e-4, which moves the surest ones
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert found.offset == pytest.approx(offset, abs=0.15)
    assert np.abs(c.scaled(scores, found) - chances).mean() < 0.02


def test_the_error_falls_at_the_right_scaling():
    for temperature, offset in ((3.0, 0.0), (1.0, -1.5)):
        scores, happened, _ = sure(temperature, offset)
        after = c.scaled(scores, c.fit_scaling(scores, happened))
        assert c.ece(scores, happened) > 0.12
        assert c.ece(after, happened) < 0.02


def test_no_other_scaling_explains_the_labels_better():
    scores, happened, _ = sure(2.0, 0.7, count=200)

    def loss(scaling):
        chance = np.where(happened > 0, c.scaled(scores, scaling), 1 - c.scaled(scores, scaling))
        return -np.log(chance).mean()

    best = c.fit_scaling(scores, happened)
    for warmer in (-0.05, 0.05):
        for higher in (-0.05, 0.0, 0.05):
            assert loss(Scaling(best.temperature + warmer, best.offset + higher)) > loss(best)
    # the mean chance is the share of what happened
    assert c.scaled(scores, best).mean() == pytest.approx(happened.mean(), abs=1e-6)


def test_ece_by_hand():
    # bin 0.2 .. 0.3: two of 0.25, one happened: gap 0.25; bin 0.9 .. 1: 0.95 and 1, both: gap 0.025
    scores = np.array([[0.25], [0.25], [0.95], [1.0]])
    happened = np.array([[0.0], [1.0], [1.0], [1.0]])
    assert c.ece(scores, happened) == pytest.approx((2 * 0.25 + 2 * 0.025) / 4)
    curve = c.reliability(scores, happened)
    assert [row["count"] for row in curve] == [0, 0, 2, 0, 0, 0, 0, 0, 0, 2]
    assert curve[2] == {"from": 0.2, "to": 0.3, "count": 2, "score": 0.25, "frequency": 0.5}
    assert curve[0]["score"] is None
    assert c.ece(np.zeros((0, 3)), np.zeros((0, 3))) is None


def test_scores_of_zero_and_one_have_a_temperature():
    scores = np.array([[0.0, 1.0], [1.0, 0.0]] * 10)
    happened = np.array([[0.0, 1.0], [0.0, 1.0]] * 10)  # half of them wrong
    blurred = c.fit_scaling(scores, happened)
    assert blurred == (pytest.approx(20, rel=1e-3), pytest.approx(0, abs=1e-3))
    assert c.fit_scaling(scores, scores).temperature == pytest.approx(0.05, rel=1e-3)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_films_that_are_all_alike_have_a_scaling(label):
    scores = np.array([[0.3], [0.6]])
    found = c.fit_scaling(scores, np.full((2, 1), label))
    assert np.isfinite(found).all()
    assert c.scaled(scores, found) == pytest.approx(label, abs=1e-6)


def test_the_temperature_comes_from_other_films():
    rows = rows_of(*random_set(2, films=80, patients=30))
    report = c.calibration(rows, draws=50)
    assert report["fitted_on"] == "cross-validation by patient"
    assert report["after"]["ece"]["low"] <= report["after"]["ece"]["high"]
    # a set on which everything is right asks for more certainty, whatever this set would ask for
    right = [
        dataclasses.replace(row, scores={x: 0.7 if row.has(x) else 0.3 for x in row.scores})
        for row in rows
    ]
    other = c.calibration(rows, right, draws=50)
    assert other["fitted_on"] == "another set"
    assert other["temperature"] == pytest.approx(0.05, rel=1e-3)
    assert other["before"] == report["before"]
    version = c.calibration(rows, Scaling(other["temperature"], other["offset"]), draws=50)
    assert version == other | {"fitted_on": "the version's validation set"}
    assert other["after"]["ece"]["value"] > report["after"]["ece"]["value"]


def test_one_patient_leaves_nothing_to_fit_on():
    rows = [dataclasses.replace(row, patient="one") for row in rows_of(*random_set(2))]
    report = c.calibration(rows, draws=20)
    assert report["fitted_on"] is None
    assert report["after"] is None
    assert report["before"]["ece"]["value"] > 0
    assert report["before"]["ece"]["low"] is None


def test_films_of_a_patient_lie_in_one_part_and_classes_in_all():
    rows = rows_of(*random_set(4, films=200, patients=120))
    part = folds.patient_folds(rows)
    assert set(part) == {0, 1, 2, 3, 4}
    by_patient = {}
    for row, number in zip(rows, part, strict=True):
        assert by_patient.setdefault(row.patient, number) == number
    for number in range(5):
        assert {row.label for row, n in zip(rows, part, strict=True) if n == number} >= {
            "covid",
            "pneumonia",
            "normal",
        }
    np.testing.assert_array_equal(part, folds.patient_folds(rows))
    assert len(folds.patient_folds([])) == 0
