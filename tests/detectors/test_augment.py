"""Changes for training keep boxes on what they are around."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detection.detectors import augment, recipe
from imaging.frame import Frame

BOXES = np.array([[20, 30, 50, 90], [70, 35, 100, 95]], np.float32)


@pytest.fixture
def always():
    training = recipe.read("light").training
    return dataclasses.replace(training, crop=1.0, flip=1.0)


@pytest.fixture
def never():
    training = recipe.read("light").training
    return dataclasses.replace(training, crop=0.0, flip=0.0)


def film():
    pixels = np.zeros((120, 130), np.uint16)
    for number, (left, top, right, bottom) in enumerate(BOXES.astype(int), 1):
        pixels[top:bottom, left:right] = number
    return Frame(pixels, "MONOCHROME1", 12, padding=(0, 0))


def assert_boxes_hold(pixels, boxes):
    for number, (left, top, right, bottom) in enumerate(boxes.astype(int), 1):
        assert (pixels[top:bottom, left:right] == number).all()
        assert (pixels == number).sum() == (bottom - top) * (right - left)


@pytest.mark.parametrize("seed", range(8))
def test_crop_keeps_every_box_whole(always, seed):
    before = BOXES.copy()
    cut, boxes = augment.crop_to_lungs(film(), BOXES, always, np.random.default_rng(seed))
    assert cut.pixels.size < film().pixels.size
    assert (cut.photometric, cut.padding) == ("MONOCHROME1", (0, 0))
    assert_boxes_hold(cut.pixels, boxes)
    np.testing.assert_array_equal(BOXES, before)


def test_crop_without_boxes_or_without_luck_is_the_film(always, never):
    rng = np.random.default_rng(0)
    whole = film()
    assert augment.crop_to_lungs(whole, BOXES[:0], always, rng)[0] is whole
    assert augment.crop_to_lungs(whole, BOXES, never, rng)[0] is whole


def test_mirror(always, never):
    grey = film().pixels.astype(np.float32)
    rng = np.random.default_rng(0)
    flipped, boxes = augment.mirror(grey, BOXES, always, rng)
    assert_boxes_hold(flipped, boxes)
    assert boxes[0, 0] == 130 - 50
    assert augment.mirror(grey, BOXES, never, rng)[0] is grey


def test_exposure_changes_levels_within_bounds(always):
    grey = np.linspace(0, 255, 130, dtype=np.float32)[None].repeat(40, 0)
    rng = np.random.default_rng(1)
    out = augment.expose(grey, always, rng)
    assert out.dtype == np.float32
    assert 0 <= out.min() < out.max() <= 255
    assert np.abs(out - grey).mean() > 1
    again = augment.expose(grey, always, np.random.default_rng(1))
    np.testing.assert_array_equal(out, again)
    # brighter stays brighter, but for noise
    assert np.corrcoef(out.mean(axis=0), grey[0])[0, 1] > 0.95
