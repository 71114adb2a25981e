"""Readers that can't know: what they may see, what they learn, and what is left without lungs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from detection.detectors.classes import CLASSES
from detection.detectors.coco import Film, Truth, read_coco
from detection.detectors.prediction import Box, Prediction, VersionInfo
from detection.evaluation import reading
from detection.evaluation.border import Regression, cross_validated, features
from detection.evaluation.fixed_boxes import everywhere, mean_pair
from imaging.frame import Frame


def frame(pixels, **more):
    return Frame(np.asarray(pixels), "MONOCHROME2", 8, **more)


def noise(seed, size=(90, 120)):
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def test_the_border_reader_sees_no_lung():
    film = noise(1)
    other = film.copy()
    other[10:80, 10:110] = 0
    np.testing.assert_array_equal(features(frame(film)), features(frame(other)))
    assert features(frame(film)).shape == (49,)
    brighter = film.copy()
    brighter[:, 0] = 255
    assert (features(frame(film)) != features(frame(brighter))).any()
    assert features(frame(film))[-1] == pytest.approx(np.log(120 / 90))


def test_the_border_reader_sees_white_as_white():
    film = noise(2)
    turned = dataclasses.replace(frame(255 - film), photometric="MONOCHROME1")
    np.testing.assert_allclose(features(turned), features(frame(film)))
    sixteen = Frame(film.astype(np.uint16) * 257, "MONOCHROME2", 16)
    np.testing.assert_allclose(features(sixteen), features(frame(film)))


def test_a_film_of_few_pixels():
    assert np.isfinite(features(frame(noise(3, (1, 3))))).all()


def test_the_regression_learns_what_the_border_tells_and_nothing_else():
    rng = np.random.default_rng(0)
    labels = [CLASSES[i % 3] for i in range(150)]
    seen = rng.normal(size=(150, 6))
    seen[:, 5] = 1.0  # the same for all: no information, and no division by nothing
    telling = seen.copy()
    telling[:, 2] += [4 * (label == "covid") for label in labels]
    patients = [f"p{i // 2}" for i in range(150)]
    covid = np.array([label == "covid" for label in labels])

    def auc(table):
        scores = cross_validated(table, labels, patients)[:, 0]
        return (scores[covid][:, None] > scores[~covid]).mean()

    assert auc(telling) > 0.95
    assert 0.35 < auc(seen) < 0.65
    assert (Regression(telling, labels).scores(telling)[covid, 0] > 0.5).mean() > 0.9


def test_a_film_is_never_judged_by_its_own_patient():
    # the border tells the patient, and the patient's class is a coin: nothing can be learnt
    rng = np.random.default_rng(4)
    patients = [f"p{i // 4}" for i in range(160)]
    signs = {p: rng.normal(size=40) for p in sorted(set(patients))}
    coins = {p: rng.choice(["covid", "normal"]) for p in sorted(set(patients))}
    seen, labels = np.stack([signs[p] for p in patients]), [coins[p] for p in patients]
    covid = np.array([label == "covid" for label in labels])
    honest = cross_validated(seen, labels, patients)[:, 0]
    leaking = cross_validated(seen, labels, [str(i) for i in range(160)])[:, 0]
    assert (leaking[covid][:, None] > leaking[~covid]).mean() > 0.95
    assert (honest[covid][:, None] > honest[~covid]).mean() < 0.8


def test_one_patient_alone_teaches_nothing():
    assert not cross_validated(np.ones((3, 2)), ["covid"] * 3, ["p"] * 3).any()
    assert not cross_validated(np.ones((3, 2)), [""] * 3, ["a", "b", "c"]).any()


def film(number, boxes, size=(100, 200)):
    truths = tuple(Truth("covid", box, "") for box in boxes)
    return Film(number, Path("x.png"), *size, "", truths)


def test_the_mean_pair():
    films = [
        film(1, [(10, 20, 30, 100), (60, 20, 30, 100)]),
        film(2, [(100, 40, 60, 200), (20, 40, 60, 200)], (200, 400)),  # right lung second
        film(3, [(0, 0, 5, 5)]),
    ]
    pair = mean_pair(films)
    np.testing.assert_allclose(pair, [[0.1, 0.1, 0.3, 0.5], [0.55, 0.1, 0.3, 0.5]])
    assert everywhere(films[:1], pair)[1][1][1:] == pytest.approx((1.0, 55, 20, 30, 100))
    assert mean_pair(films[2:]) is None


class Shortcut:
    """Looks at the upper left corner; sees covid where it is bright, and both lungs."""

    version_info = VersionInfo("fake", "f" * 64, "light", CLASSES, dict.fromkeys(CLASSES, 0.5), 64)

    def predict(self, frame, *, min_score=None):
        score = float(self.look(frame.pixels)) / 255
        boxes = [Box("covid", score, 20, 20, 40, 80), Box("covid", score, 90, 20, 40, 80)]
        return Prediction(boxes, 0.01)

    def look(self, pixels):
        return pixels[0, 0]


class Honest(Shortcut):
    """Looks at the lungs alone."""

    def look(self, pixels):
        return pixels[60, 40]


@pytest.fixture
def telling(coco_set):
    """Twelve films: both the corner and the lungs of covid films are bright."""
    import cv2

    annotations, folder = coco_set(12)
    for i in range(12):
        path = str(folder / f"{i}.png")
        pixels = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
        pixels[:5, :5] = pixels[20:100, 20:60] = 100 + 80 * (i % 3 == 0) + i
        cv2.imwrite(path, pixels)
    return annotations, folder


def measured(detector, files, **more):
    wanted = reading.Controls(**more)
    return reading.measure(detector, read_coco(*files), controls_wanted=wanted).report


def test_painting_the_lungs_over_tells_the_shortcut_from_the_lung(telling):
    cheat, honest = measured(Shortcut(), telling), measured(Honest(), telling)
    for report in (cheat, honest):
        assert report["headline"]["auc_covid"]["value"] == 1
        assert report["controls"]["lungs_blanked"]["films"] == 12
    assert cheat["controls"]["lungs_blanked"]["auc_covid"]["value"] == 1
    assert honest["controls"]["lungs_blanked"]["auc_covid"]["value"] < 0.9


def test_what_the_controls_were_fitted_on(telling, tmp_path):
    alone = measured(Honest(), telling)["controls"]
    assert "folds by patient" in alone["border"]["fitted_on"]
    assert alone["fixed_boxes"]["fitted_on"] == "the mean of the set itself"
    assert alone["fixed_boxes"]["all"]["any"]["ap50"] == 1
    assert alone["fixed_boxes"]["human_boxes"]["images"] == 6
    annotations, folder = telling
    table = json.loads(annotations.read_text())
    for row in table["annotations"]:
        row["bbox"][0] -= 20  # drawn elsewhere in training
    other = tmp_path / "train.json"
    other.write_text(json.dumps(table))
    taught = measured(Honest(), telling, train=read_coco(other, folder))["controls"]
    assert taught["border"]["fitted_on"] == "12 training films"
    assert taught["fixed_boxes"]["all"]["any"]["ap50"] < 1


def test_a_set_without_boxes_has_controls_too(telling):
    annotations, folder = telling
    table = json.loads(annotations.read_text())
    table["annotations"] = []
    for i, row in enumerate(table["images"]):
        row["image_class"] = CLASSES[i % 3]
    annotations.write_text(json.dumps(table))
    report = measured(Honest(), (annotations, folder))
    assert report["controls"]["fixed_boxes"] is None
    assert report["controls"]["lungs_blanked"]["films"] == 0
    assert report["controls"]["lungs_blanked"]["auc_covid"]["value"] is None
    assert report["headline"]["auc_covid"]["value"] == 1
    assert report["headline"]["ap50_mean"]["value"] is None
