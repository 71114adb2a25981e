"""Cheap figures of a picture: do they say what they claim?"""

from __future__ import annotations

import numpy as np
import pytest

from imaging.facts import Inspection, PixelFacts
from imaging.header import read_header
from imaging.statistics import fingerprint, measure

from .factories import ACQUIRED_AT, make_dataset, make_pixels

RNG = np.random.default_rng(7)


def stats(pixels, bits=12, signed=False):
    return measure(np.asarray(pixels), bits_stored=bits, signed=signed)


@pytest.mark.parametrize("sigma", [5.0, 20.0, 80.0])
def test_noise_is_measured_through_anatomy(sigma):
    """Known noise on a smooth picture with hard edges comes out within a tenth."""
    y, x = np.mgrid[0:400, 0:300]
    anatomy = 1500 + 800 * np.sin(x / 40) * np.cos(y / 55)
    anatomy[:, 150:] += 400
    noisy = np.clip(np.rint(anatomy + RNG.normal(0, sigma, anatomy.shape)), 0, 4095)
    assert stats(noisy.astype(np.uint16)).noise * 4095 == pytest.approx(sigma, rel=0.1)


def test_a_clipped_background_doesnt_hide_noise():
    pixels = np.rint(2000 + RNG.normal(0, 20, (300, 300))).astype(np.uint16)
    pixels[:250] = 4095
    assert stats(pixels).noise * 4095 == pytest.approx(20, rel=0.2)
    assert stats(pixels).saturated == pytest.approx(100 * 250 / 300, abs=0.01)


def test_mean_and_ends():
    pixels = np.array([[0, 0, 4095, 2000]], dtype=np.uint16)
    found = stats(pixels)
    assert found.mean == pytest.approx(100 * 6095 / 4 / 4095, abs=0.001)
    assert (found.clipped, found.saturated) == (50.0, 25.0)
    signed = stats(np.array([[-2048, 2047]], dtype=np.int16), signed=True)
    assert (signed.mean, signed.clipped, signed.saturated) == (50.0, 50.0, 50.0)


def test_dead_columns_are_found_and_edges_are_not():
    pixels = make_pixels(rows=300, columns=200).copy()
    pixels[:, 100:] = np.minimum(pixels[:, 100:] + 900, 4095)  # a collimator's edge
    assert stats(pixels).dead_columns == 0
    pixels[:, 40] = 0
    pixels[:, 77] = 4095
    assert stats(pixels).dead_columns == 2


@pytest.mark.parametrize("shape", [(1, 1), (2, 500), (500, 2), (7, 7)])
def test_tiny_pictures(shape):
    found = stats(np.zeros(shape, np.uint16))
    assert (found.noise, found.dead_columns, found.constant) == (0.0, 0, True)


def test_large_pictures_are_measured_on_a_part():
    pixels = make_pixels(rows=3000, columns=2500).copy()
    pixels[:500] = 0  # outside the central part
    found = stats(pixels)
    assert found.noise == pytest.approx(0.01, rel=0.15)
    assert found.clipped == pytest.approx(100 * 500 / 3000, abs=0.2)


def test_readings_carry_the_contracts_units():
    facts = PixelFacts("x", stats(make_pixels()))
    assert {key: unit for key, (_, unit) in facts.readings().items()} == {
        "pixel_mean": "%",
        "pixel_saturated": "%",
        "pixel_noise": "1",
        "pixel_dead_columns": "1",
    }


def test_a_film_of_one_value_is_no_reading_of_its_machine():
    head = read_header(
        make_dataset(KVP="100"), transfer_syntax_uid="", zone=ACQUIRED_AT.tzinfo, now=ACQUIRED_AT
    )
    blank = Inspection(head, PixelFacts("x", stats(np.zeros((20, 20), np.uint16))))
    assert set(blank.image_facts(ACQUIRED_AT).readings) == {"kvp"}


def test_the_fingerprint_is_the_pictures_not_the_packings():
    def of(pixels, photometric="MONOCHROME2", bits=8, signed=False):
        return fingerprint(pixels, photometric=photometric, bits_stored=bits, signed=signed)

    pixels = make_pixels(bits=8, rows=30, columns=20)
    same = of(pixels)
    assert of(pixels.astype(np.uint16)) == same
    assert of(np.asfortranarray(pixels)) == same
    assert of(255 - pixels, "MONOCHROME1") == same
    changed = pixels.copy()
    changed[3, 3] ^= 1
    assert of(changed) != same
    assert of(pixels.reshape(20, 30)) != same
    assert of(pixels, "MONOCHROME1") != same
