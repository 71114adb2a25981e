"""Rules of the gate that need no classifier: header, size, grey levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from detection.detectors.preprocess import to_grey
from detection.gate import REASONS, Said, rules
from detection.gate.thumbnail import reduce
from tests.detection.gate_films import DEMO, frame, picture


@pytest.mark.parametrize("view", ["LL", "RL", "ll ", "LATERAL"])
def test_a_lateral_view_by_its_header(view: str) -> None:
    found = rules.by_header(Said(view, "CHEST"))
    assert found is not None
    assert found.code == "gate_lateral"
    assert view.strip().upper() in found.reason


@pytest.mark.parametrize("view", ["", "PA", "AP", "LLD", "RLD", "RLO", "LLO", "ANYTHING"])
@pytest.mark.parametrize("part", ["", "CHEST", "THORAX", "RIB", "ABDOMEN", "PORT CHEST", "?"])
def test_other_headers_pass(view: str, part: str) -> None:
    assert rules.by_header(Said(view, part)) is None


@pytest.mark.parametrize("part", ["HAND", "skull", "LOWER LEG", "Lower_Leg"])
def test_another_body_part_by_its_header(part: str) -> None:
    found = rules.by_header(Said("AP", part))
    assert found is not None
    assert found.code == "gate_body_part"
    assert part.upper() in found.reason


def test_size() -> None:
    small = rules.SMALLEST - 1
    for shape in ((small, 500), (500, small)):
        found = rules.by_size(frame(np.zeros(shape, np.uint8)))
        assert found is not None
        assert found.code == "gate_too_small"
        assert f"{shape[1]} x {shape[0]}" in found.reason
    assert rules.by_size(frame(np.zeros((rules.SMALLEST, rules.SMALLEST), np.uint8))) is None


def levels(pixels: Any, **fields: Any) -> str:
    small = reduce(frame(pixels, **fields))
    found = rules.by_levels(small, to_grey(small))
    return found.code if found else ""


def test_an_empty_picture_of_any_depth() -> None:
    random = np.random.default_rng(1)
    assert levels(np.full((600, 500), 90, np.uint8)) == "gate_empty"
    assert levels(np.full((600, 500), 3000, np.uint16), bits_stored=12) == "gate_empty"
    noisy = np.rint(random.normal(100, 1, (600, 500))).astype(np.uint8)
    assert levels(noisy) == "gate_empty"
    # all of it is padding, or all but one value
    assert levels(np.zeros((600, 500), np.uint16), padding=(0, 0)) == "gate_empty"
    half = np.zeros((600, 500), np.uint16)
    half[:300] = 77
    assert levels(half, padding=(0, 0)) == "gate_empty"


def test_a_window_that_left_black_and_white() -> None:
    for path in DEMO:
        film = picture(path).astype(np.float32)
        narrow = np.clip((film - np.median(film)) * 40 + 128, 0, 255).astype(np.uint8)
        assert levels(narrow) == "gate_clipped"
        assert levels(picture(path)) == ""
        # eight bits in sixteen: an odd sender, a readable film
        assert levels(picture(path).astype(np.uint16), bits_stored=16) == ""


def test_reducing_keeps_stored_values_and_padding_apart() -> None:
    pixels = np.full((1000, 800), 500, np.uint16)
    pixels[:, ::2] = 4095
    kept = reduce(frame(pixels, padding=(4095, 4095))).pixels
    assert set(np.unique(kept)) <= {500, 4095}
    assert max(kept.shape) <= 256
    mixed = reduce(frame(pixels)).pixels
    assert mixed.dtype == np.uint16
    assert mixed.shape == (256, 205)
    wide = reduce(frame(pixels.astype(np.int32))).pixels  # a depth that OpenCV doesn't average
    assert set(np.unique(wide)) <= {500, 4095}
    same = frame(pixels[:100, :100])
    assert reduce(same) is same


def test_every_reason_is_short_enough_for_its_row() -> None:
    from detection.gate.decision import LOOKS

    for refusal in LOOKS.values():
        assert refusal.code in REASONS
        assert len(refusal.reason) <= 300
    long = rules.by_header(Said("", "HAND"))
    assert long is not None
    assert len(long.reason) <= 300
