"""Decoded films on disk: quick, bounded, and never believed when damaged."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from imaging import pixels
from imaging.decoding import client
from twinhealth.errors import UnavailableError

from .factories import make_dicom, make_pixels

pytestmark = pytest.mark.django_db


@pytest.fixture
def decodes(monkeypatch):
    """How often the decoder was asked."""
    calls = []
    real = client.decode

    def decode(path, *, kind):
        calls.append(path)
        return real(path, kind=kind)

    monkeypatch.setattr(client, "decode", decode)
    return calls


def cached(settings) -> list[Path]:
    return [p for p in Path(settings.PIXEL_CACHE_ROOT).rglob("*") if p.is_file()]


@pytest.mark.parametrize("signed", [False, True])
def test_the_second_time_comes_from_disk(send, settings, decodes, signed):
    stored = make_pixels(signed=signed)
    image = send(
        make_dicom(
            pixels=stored,
            photometric="MONOCHROME1",
            WindowCenter="5",
            WindowWidth="9",
            RescaleSlope="2",
            RescaleIntercept="-3",
            PixelPaddingValue=1,
            VOILUTFunction="SIGMOID",
        )
    ).image
    first, second = pixels.load(image), pixels.load(image)
    assert len(decodes) == 1
    assert np.array_equal(first.pixels, stored)
    assert np.array_equal(second.pixels, stored)
    assert second.pixels.dtype == first.pixels.dtype
    for name in ("photometric", "bits_stored", "slope", "intercept", "windows", "padding"):
        assert getattr(first, name) == getattr(second, name)
    assert len(cached(settings)) == 1


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"nonsense", b"\xff" * 100])
def test_a_damaged_entry_is_decoded_anew(send, settings, decodes, damage):
    image = send().image
    pixels.load(image)
    cached(settings)[0].write_bytes(damage)
    assert pixels.load(image).pixels.shape == (64, 48)
    assert len(decodes) == 2
    pixels.load(image)
    assert len(decodes) == 2


def test_a_cut_entry_is_decoded_anew(send, settings, decodes):
    image = send().image
    pixels.load(image)
    entry = cached(settings)[0]
    os.truncate(entry, entry.stat().st_size - 10)
    assert pixels.load(image).pixels.shape == (64, 48)
    assert len(decodes) == 2


def test_the_cache_keeps_its_bound_and_what_was_used_last(send, settings):
    images = [send().image for _ in range(4)]
    pixels.load(images[0])
    one = cached(settings)[0].stat().st_size
    settings.PIXEL_CACHE_BYTES = 2 * one + one // 2
    for n, image in enumerate(images):
        pixels.load(image)
        for entry in cached(settings):
            if image.sha256 in entry.name:
                os.utime(entry, (n + 1, n + 1))
    names = {p.stem for p in cached(settings)}
    assert names == {images[2].sha256, images[3].sha256}


def test_a_cache_that_cannot_be_written_costs_only_speed(send, settings, tmp_path):
    image = send().image
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert pixels.load(image).pixels.shape == (64, 48)
    assert pixels.load(image).pixels.shape == (64, 48)


def test_no_half_written_entry_stays(send, settings, monkeypatch):
    image = send().image
    monkeypatch.setattr(Path, "replace", _full)
    assert pixels.load(image).pixels.shape == (64, 48)
    assert cached(settings) == []


def _full(self, target):
    raise OSError(28, "No space left on device")


def test_a_lost_file_is_said(send, archive):
    image = send().image
    (archive / image.path).unlink()
    with pytest.raises(UnavailableError) as caught:
        pixels.load(image)
    assert caught.value.code == "file_missing"
