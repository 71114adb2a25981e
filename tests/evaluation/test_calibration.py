"""Temperature and calibration error, on scores whose truth is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detection.evaluation import calibration as c
from detection.evaluation import folds
from tests.evaluation.examples import random_set, rows_of


def sure(temperature, count=4000, seed=0):
    """Scores that are too sure of themselves by a temperature, and what happened."""
    rng = np.random.default_rng(seed)
    chances = rng.uniform(0.02, 0.98, (count, 3))
    happened = (rng.random(chances.shape) < chances).astype(float)
    return c.tempered(chances, 1 / temperature), happened, chances


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(temperature):
    scores, happened, chances = sure(temperature)
    assert c.fit_temperature(scores, happened) == pytest.approx(temperature, rel=0.08)
    # the clip at 1e-4 moves the surest ones a little
    np.testing.assert_allclose(c.tempered(scores, temperature), chances, atol=0.03)


def test_the_error_falls_at_the_right_temperature():
    scores, happened, _ = sure(3.0)
    after = c.tempered(scores, c.fit_temperature(scores, happened))
    assert c.ece(scores, happened) > 0.12
    assert c.ece(after, happened) < 0.02


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
    assert c.fit_temperature(scores, happened) == pytest.approx(20, rel=1e-3)
    assert c.fit_temperature(scores, scores) == pytest.approx(0.05, rel=1e-3)


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
