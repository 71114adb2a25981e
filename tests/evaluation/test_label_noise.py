"""Labels in doubt and the ceiling they set, against sets whose noise is known."""

from __future__ import annotations

import random

import numpy as np
import pytest

from detection.detectors.classes import CLASSES
from detection.evaluation import label_noise
from detection.evaluation.label_noise import NamedFilm, ceiling, noise_report, seeming
from twinhealth.errors import InvalidInputError


@pytest.fixture
def rng():
    return np.random.default_rng(random.getrandbits(32))  # conftest seeds `random`


def films(rng, count=600, wrong=0.0, sharp=8.0):
    """Films whose true class the readers see well, and whose label is wrong at a known rate."""
    truth = rng.integers(0, 3, count)
    given = np.where(rng.random(count) < wrong, (truth + 1) % 3, truth)
    rows = []
    for i in range(count):
        odds = rng.normal(0, 1, (2, 3))
        odds[:, truth[i]] += sharp
        chances = np.exp(odds)
        chances /= chances.sum(axis=1, keepdims=True)
        rows.append(NamedFilm(f"{i}.png", f"p{i // 2}", "one", int(given[i]), chances))
    return rows


@pytest.mark.parametrize("wrong", [0.0, 0.15])
def test_known_noise_is_found_again(rng, wrong):
    report = noise_report(films(rng, wrong=wrong))
    assert report["films"] == 600
    assert report["patients"] == 300
    assert report["readers"] == 2
    for label in CLASSES:
        row = report["in_doubt"][label]
        # 200 films a class: 0.1 is four standard deviations of the noise that was drawn
        assert row["value"] == pytest.approx(wrong, abs=0.1)
        assert row["low"] <= row["value"] <= row["high"]
    best = report["ceiling_ap50"]["mean"]["value"]
    if wrong:
        assert 0.6 < best < 0.9  # 0.85 of the labels are right
        assert len(report["doubted"]) == pytest.approx(90, abs=25)
        assert "seems" in report["doubted"][0]
    else:
        assert best > 0.98
        assert len(report["doubted"]) < 10


def test_the_ceiling_by_hand():
    # of 10 films that seem of class 0, 8 are labelled so; of 10 that seem of class 1, 2 are
    joint = np.zeros((1, 3, 3))
    joint[0, 0] = [8, 2, 0]
    joint[0, 1] = [2, 8, 0]
    values = ceiling(joint)
    # precision 0.8 up to recall 0.8, then it falls to 10 of 20; COCO's 101 recalls of that line
    recalls = np.linspace(0, 1, 101)
    shown = np.interp(recalls * 10, [0, 8, 10], [0, 10, 20])
    curve = np.where(recalls > 0, recalls * 10 / np.maximum(shown, 1e-9), 0.8)
    assert values[0] == pytest.approx(curve.mean(), abs=2e-3)
    assert values[1] == pytest.approx(values[0])
    assert np.isnan(values[2])


def test_a_source_that_is_known_raises_the_ceiling():
    # the same doubt, but one source has it all: the other's films can be told surely
    joint = np.zeros((2, 3, 3))
    joint[0, 0, 0] = 10
    joint[1, 0] = [0, 10, 0]
    joint[1, 1] = [0, 10, 0]
    apart = ceiling(joint)[0]
    assert apart > ceiling(joint.sum(axis=0, keepdims=True))[0] - 1e-9
    assert apart == pytest.approx(0.5 * 1.0 + 0.5 * 0.6, abs=0.1)


def test_only_sure_names_count():
    given = np.array([0, 0, 0, 1])
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.45, 0.55], [0.1, 0.9]])
    # class 1 is named surely from 0.9 on: 0.55 isn't enough
    assert seeming(chances, given).tolist() == [0, 0, 0, 1]
    chances[2] = [0.05, 0.95]
    # the mean of class 0 fell to 0.58, that of class 1 stands
    assert seeming(chances, given).tolist() == [0, 0, 1, 1]


def test_a_class_that_the_set_lacks(rng):
    rows = [film for film in films(rng, 60) if film.given != 2]
    report = noise_report(rows)
    assert CLASSES[2] not in report["in_doubt"]
    assert CLASSES[2] not in report["ceiling_ap50"]


def test_no_film():
    with pytest.raises(InvalidInputError) as caught:
        noise_report([])
    assert caught.value.code == "annotations_empty"


def test_the_same_seed_gives_the_same_report(rng):
    rows = films(rng, 90, wrong=0.1)
    assert noise_report(rows, seed=3) == noise_report(rows, seed=3)
    assert label_noise.DRAWS >= 1000
