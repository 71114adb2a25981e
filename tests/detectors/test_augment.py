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


def turning(degrees):
    return dataclasses.replace(recipe.read("light").training, rotation=degrees)


@pytest.mark.parametrize("seed", range(8))
def test_turning_takes_the_boxes_along(seed):
    # a disc stays a disc, so its box is known exactly wherever it goes
    grey = np.zeros((200, 240), np.float32)
    y, x = np.mgrid[:200, :240]
    grey[(x - 60) ** 2 + (y - 70) ** 2 <= 30**2] = 200
    box = np.array([[30, 40, 90, 100]], np.float32)
    turned, boxes = augment.turn(grey, box, turning(20.0), np.random.default_rng(seed))
    rows, columns = np.nonzero(turned > 100)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(boxes[0], seen, atol=1.6)
    assert turned.shape == grey.shape
    if seed == 0:
        assert np.abs(boxes - box).max() > 3


def test_not_turning_changes_nothing():
    grey = film().pixels.astype(np.float32)
    turned, boxes = augment.turn(grey, BOXES, turning(0.0), np.random.default_rng(0))
    assert turned is grey
    assert boxes is BOXES


def test_blanking_spares_the_lungs_and_nothing_far_away():
    often = dataclasses.replace(recipe.read("light").training, blank=1.0, crop_margin=(0.0, 0.05))
    grey = np.full((120, 130), 90, np.float32)
    rng = np.random.default_rng(0)
    blank = augment.blank_border(grey, BOXES, often, rng)
    assert (blank[30:95, 20:100] == 90).all()
    assert (blank[:20] == 0).all()
    assert (blank[:, 110:] == 0).all()
    assert augment.blank_border(grey, BOXES[:0], often, rng) is grey


def test_matching_moves_towards_the_other_film_and_keeps_the_order():
    often = dataclasses.replace(recipe.read("light").training, match=1.0)
    rng = np.random.default_rng(3)
    dark = rng.uniform(0, 80, (64, 64)).astype(np.float32)
    bright = rng.uniform(100, 250, (64, 64)).astype(np.float32)
    moved = augment.match(dark, [augment.levels(bright)], often, rng)
    assert dark.mean() + 20 < moved.mean() < bright.mean() + 5
    order = np.argsort(dark, axis=None)
    assert (np.diff(moved.ravel()[order]) >= -1e-3).all()
    assert augment.match(dark, [], often, rng) is dark
    black = np.zeros((64, 64), np.float32)  # one level: nothing to tell apart
    assert np.isfinite(augment.match(black, [augment.levels(bright)], often, rng)).all()
