"""The exported picture gives the network what the stored film gives it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from detection.detectors.export_picture import TOLERANCE, export_picture
from detection.detectors.preprocess import prepare, to_grey
from imaging.frame import Frame
from imaging.pixels import read_file
from tests.detectors.conftest import DEMO
from twinhealth.errors import InvalidInputError


def thorax(bits: int, *, signed: bool = False) -> np.ndarray:
    """Smooth, with fine noise, over most of the range."""
    rng = np.random.default_rng(bits)
    y, x = np.mgrid[0:300, 0:240] / 300
    top = 2**bits - 1
    values = (0.5 + 0.3 * np.sin(5 * x) * np.cos(4 * y) + rng.normal(0, 0.02, x.shape)) * top
    values = np.clip(np.rint(values), 0, top)
    if signed:
        return (values - 2 ** (bits - 1)).astype(np.int16)
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


FRAMES = {
    "8 bits": Frame(thorax(8), "MONOCHROME2", 8),
    "12 bits": Frame(thorax(12), "MONOCHROME2", 12),
    "16 bits": Frame(thorax(16), "MONOCHROME2", 16),
    "inverted": Frame(thorax(12), "MONOCHROME1", 12),
    "negative slope": Frame(thorax(12), "MONOCHROME2", 12, slope=-2.0, intercept=100.0),
    "signed": Frame(thorax(12, signed=True), "MONOCHROME2", 12),
    "one value": Frame(np.full((60, 50), 7, np.uint16), "MONOCHROME2", 12),
}


def padded(photometric: str = "MONOCHROME1") -> Frame:
    """A fifth of the film is padding, far into the field that sets the window."""
    pixels = thorax(12)
    pixels[:, :48] = 4095
    return Frame(pixels, photometric, 12, padding=(4095, 4095))


def read_back(png: bytes, folder: Path) -> Frame:
    path = folder / "film.png"
    path.write_bytes(png)
    return read_file(path)


@pytest.mark.parametrize("name", FRAMES)
def test_the_same_grey_levels_within_one(name, tmp_path):
    frame = FRAMES[name]
    picture = export_picture(frame)
    back = read_back(picture.png, tmp_path)
    assert picture.levels.shape == frame.pixels.shape
    assert np.array_equal(back.pixels, picture.levels)
    assert np.abs(to_grey(back) - to_grey(frame)).max() <= TOLERANCE
    one, other = prepare(frame), prepare(back)
    assert np.abs(one.pixels - other.pixels).max() * 64 <= TOLERANCE  # STD of normalise


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_stays_padding(photometric, tmp_path):
    """It is kept out of the window on both sides of the export, by the PNG's own means."""
    frame = padded(photometric)
    back = read_back(export_picture(frame).png, tmp_path)
    assert back.padding == (0, 0)
    assert (back.pixels[:, :48] == 0).all()
    assert (back.pixels[:, 48:] > 0).all()
    assert np.abs(to_grey(back) - to_grey(frame)).max() <= TOLERANCE
    # what a picture without it would do: the promise isn't kept by luck
    plain = Frame(np.rint(to_grey(frame)).astype(np.uint8), "MONOCHROME2", 8)
    assert np.abs(to_grey(plain) - to_grey(frame)).max() > TOLERANCE


def test_real_films(tmp_path):
    for path in sorted(DEMO.glob("*.jpg"))[:3]:
        frame = read_file(path)
        back = read_back(export_picture(frame).png, tmp_path)
        assert np.abs(to_grey(back) - to_grey(frame)).max() <= TOLERANCE


def test_a_film_that_eight_bits_would_change_is_refused():
    """Its percentiles fall into a gap between two values, where windowing twice isn't windowing."""
    field = np.full(61 * 61, 100, np.uint16)
    field[:38], field[-38:] = 0, 4000
    pixels = np.full((77, 77), 2000, np.uint16)  # outside of the field: grey, and it would move
    pixels[8:-8, 8:-8] = field.reshape(61, 61)
    with pytest.raises(InvalidInputError) as caught:
        export_picture(Frame(pixels, "MONOCHROME2", 12))
    assert caught.value.code == "input_differs"
    assert caught.value.extra["levels"] > TOLERANCE


def test_a_picture_tells_nothing_but_its_pixels():
    info = Picture.open(io.BytesIO(export_picture(padded()).png)).info
    assert set(info) == {"transparency"}
    assert Picture.open(io.BytesIO(export_picture(FRAMES["8 bits"]).png)).info == {}
