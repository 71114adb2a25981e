"""The controls see what they are said to see, and nothing of the lungs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from detection.detectors.coco import Film, Truth
from detection.detectors.prediction import Box, Prediction
from detection.evaluation import border, controls
from detection.evaluation.evidence import of_film
from imaging.frame import Frame

LUNGS = (10.0, 20.0, 30.0, 60.0), (60.0, 20.0, 30.0, 60.0)


def frame(pixels, **more):
    return Frame(np.asarray(pixels), **({"photometric": "MONOCHROME2", "bits_stored": 8} | more))


def film(number, label, *, boxes=LUNGS):
    truths = tuple(Truth(label, box, "") for box in boxes)
    return Film(number, Path(f"{number}.png"), 100, 120, "s", truths)


def made(number, *, border_level, shape=(120, 100)):
    """Noise with a border of one level."""
    pixels = np.random.default_rng(number).integers(0, 255, shape, dtype=np.uint8)
    pixels[:4], pixels[-4:], pixels[:, :4], pixels[:, -4:] = (border_level,) * 4
    return frame(pixels)


def test_features_see_the_border_and_the_ratio_alone():
    one = made(1, border_level=200)
    features = border.border_features(one)
    assert features.shape == (65,)
    assert features[-1] == pytest.approx(np.log(100 / 120))
    np.testing.assert_allclose(features[:-1], 200 / 255, atol=0.02)
    inside = one.pixels.copy()
    inside[4:-4, 4:-4] = inside[4:-4, 4:-4][::-1]
    np.testing.assert_array_equal(border.border_features(frame(inside)), features)
    negative = frame(255 - one.pixels, photometric="MONOCHROME1")
    np.testing.assert_allclose(border.border_features(negative), features, atol=1e-9)
    deep = frame(one.pixels.astype(np.uint16) * 16, bits_stored=12)
    np.testing.assert_allclose(border.border_features(deep), features, atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (7, 9)])
def test_features_of_odd_films(shape):
    features = border.border_features(frame(np.zeros(shape, np.uint8)))
    assert np.isfinite(features).all()


def test_the_regression_is_at_the_minimum_of_its_loss():
    rng = np.random.default_rng(0)
    x = rng.normal(5, 3, (200, 4))
    y = rng.random(200) < 1 / (1 + np.exp(-(x[:, 0] - 5)))
    model = border.fit(x, y)
    design = np.hstack([(x - x.mean(0)) / x.std(0), np.ones((200, 1))])

    def loss(coefficients):
        z = design @ coefficients
        penalty = border.PENALTY / 2 * (coefficients[:-1] ** 2).sum()
        return np.logaddexp(0, np.where(y, -z, z)).sum() + penalty

    least = loss(model.coefficients)
    for _ in range(50):
        assert loss(model.coefficients + rng.normal(0, 0.05, 5)) > least
    assert border.fit(x, np.ones(200, bool)) is None


def test_films_apart_by_their_border_are_told_apart_without_lungs():
    films = [film(i, ("covid", "normal")[i % 2]) for i in range(40)]
    rows = [of_film(f, []) for f in films]
    levels = (40, 160)
    features = np.array(
        [border.border_features(made(i, border_level=levels[i % 2])) for i in range(40)]
    )
    itself = controls.border_control(rows, features, None)
    assert itself["fitted_on"] == controls.BY_PATIENT
    assert itself["auc_covid"]["value"] == 1
    assert itself["auc_covid_vs_pneumonia_within_source"]["value"] is None
    training = controls.Training(films, features)
    trained = controls.border_control(rows, features, training)
    assert trained["fitted_on"] == controls.OTHER
    assert trained["auc_covid"]["value"] == 1
    # trained on the opposite, it says the opposite
    opposite = controls.Training([film(i, ("normal", "covid")[i % 2]) for i in range(40)], features)
    assert controls.border_control(rows, features, opposite)["auc_covid"]["value"] == 0


def test_chance_borders_tell_nothing():
    films = [film(i, ("covid", "normal")[i % 2]) for i in range(60)]
    features = np.random.default_rng(3).normal(size=(60, 65))
    report = controls.border_control([of_film(f, []) for f in films], features, None)
    assert 0.2 < report["auc_covid"]["value"] < 0.8


@pytest.mark.parametrize("films", [[film(1, "covid")], [film(1, "covid"), film(2, "covid")]])
def test_nothing_to_fit_on(films):
    rows = [of_film(f, []) for f in films]
    assert controls.border_control(rows, np.zeros((len(films), 65)), None) is None


def test_the_fixed_pair():
    wide = dataclasses.replace(film(2, "normal"), width=200, height=240, boxes=())
    twice = tuple(Truth("normal", tuple(2 * v for v in box), "") for box in LUNGS[::-1])
    films = [film(1, "covid"), dataclasses.replace(wide, boxes=twice), film(3, "covid", boxes=())]
    report = controls.fixed_boxes_control(films, None)
    assert report["boxes"] == [[0.1, 0.1667, 0.3, 0.5], [0.6, 0.1667, 0.3, 0.5]]
    assert report["fitted_on"] == controls.ITSELF
    assert report["ap75_lungs"]["value"] == pytest.approx(1)
    assert controls.fixed_boxes_control(films[2:], None) is None
    elsewhere = [film(9, "covid", boxes=((0.0, 0.0, 5.0, 5.0), (50.0, 0.0, 5.0, 5.0)))]
    training = controls.Training(elsewhere, np.zeros((1, 65)))
    assert controls.fixed_boxes_control(films, training)["ap50_lungs"]["value"] == 0


def test_blanked_films_hold_no_lung_and_the_detector_reads_them():
    shown = made(1, border_level=9)
    before = shown.pixels.copy()
    gone = controls.blanked(shown, film(1, "covid"))
    assert set(np.unique(gone.pixels[20:80, 10:40])) == {int(np.median(before))}
    assert set(np.unique(gone.pixels[20:80, 60:90])) == {int(np.median(before))}
    np.testing.assert_array_equal(gone.pixels[:20], before[:20])
    np.testing.assert_array_equal(shown.pixels, before)  # the film itself is untouched

    class Bright:
        """Says covid by the mean of the left lung."""

        def predict(self, seen, *, min_score=None):
            score = float(seen.pixels[20:80, 10:40].mean()) / 255
            return Prediction([Box("covid", score, *LUNGS[0])], 0.0)

    def read(one):
        pixels = np.full((120, 100), 50, np.uint8)
        pixels[20:80, 10:40] = 250 if one.boxes[0].label == "covid" else 100
        return frame(pixels)

    films = [film(1, "covid"), film(2, "normal")]
    report = controls.blanked_control(Bright(), films, read)
    assert report["auc_covid"]["value"] == 0.5  # with lungs it would be 1
    assert "ap50_mean" not in report
