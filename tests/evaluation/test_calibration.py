"""Temperature and calibration error, against cases with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from detection.detectors.classes import CLASSES
from detection.evaluation.calibration import fit_temperature, statements, tempered
from detection.evaluation.evidence import FilmEvidence
from detection.evaluation.headline import figures
from twinhealth.errors import InvalidInputError


def row(key, label, covid, pneumonia=0.0, normal=0.0):
    scores = {"covid": covid, "pneumonia": pneumonia, "normal": normal}
    return FilmEvidence(key, key, "", label, scores, (), dict.fromkeys(CLASSES, 0))


def ece(rows, temperature=1.0, labels=CLASSES):
    return statements(rows, temperature, labels).ece(np.ones((1, len(rows))))[0]


def test_a_temperature_keeps_the_order_and_the_half():
    scores = np.linspace(0, 1, 101)
    np.testing.assert_allclose(tempered(scores[1:-1], 1.0), scores[1:-1])
    for temperature in (0.3, 3.0):
        changed = tempered(scores, temperature)
        assert (np.diff(changed) > 0).all()
        assert changed[50] == pytest.approx(0.5)
    assert 0.5 < tempered(0.9, 3.0) < 0.9 < tempered(0.9, 0.3) < 1


def test_the_temperature_that_made_the_scores_is_found():
    rng = np.random.default_rng(0)
    truth = rng.dirichlet((1, 1, 1), 6000)
    labels = [CLASSES[rng.choice(3, p=p)] for p in truth]
    for temperature in (0.5, 1.0, 2.5):
        scores = tempered(truth, 1 / temperature)  # too sure of themselves by this factor
        assert fit_temperature(scores, labels) == pytest.approx(temperature, rel=0.06)
        rows = [
            row(str(i), label, *s) for i, (label, s) in enumerate(zip(labels, scores, strict=True))
        ]
        fitted = fit_temperature(scores, labels)
        assert ece(rows, fitted) < 0.02
        if temperature != 1:
            assert ece(rows) > 3 * ece(rows, fitted)


def test_films_of_unknown_class_do_not_count():
    scores = [[0.9, 0.1, 0.1], [0.2, 0.7, 0.1], [0.9, 0.9, 0.9]]
    labels = ["covid", "pneumonia", ""]
    assert fit_temperature(scores, labels) == fit_temperature(scores[:2], labels[:2])
    with pytest.raises(InvalidInputError) as caught:
        fit_temperature(scores, ["", "", ""])
    assert caught.value.code == "calibration_impossible"
    with pytest.raises(InvalidInputError):
        fit_temperature([], [])


def test_the_error_by_hand():
    # statements on covid: 0.95 right, 0.95 wrong (one bin, half right), 0.35 wrong
    rows = [row("a", "covid", 0.95), row("b", "normal", 0.95), row("c", "normal", 0.35)]
    assert ece(rows, labels=["covid"]) == pytest.approx((2 * 0.45 + 0.35) / 3)
    table = statements(rows, 1.0, ["covid"]).reliability()
    assert table == [
        {"from": 0.3, "to": 0.4, "statements": 1, "said": 0.35, "so": 0.0},
        {"from": 0.9, "to": 1.0, "statements": 2, "said": 0.95, "so": 0.5},
    ]


def test_a_score_of_one_and_a_score_of_zero():
    rows = [row("a", "covid", 1.0, 0.0, 0.0), row("b", "", 0.3, 0.3, 0.3)]
    assert ece(rows) == pytest.approx(0, abs=1e-5)
    assert figures(rows, temperature=2.0)["ece"] < 0.01
