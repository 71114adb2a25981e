"""What the shipped gate makes of the demo's real films, and of faults made of them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.films import FILMS, film_bytes
from detection import gate
from detection.gate import made, network, strangers
from detection.gate.decision import LOOKS, decide
from detection.gate.films import describe
from detection.gate.network import CLASSES, FRONTAL, SHIPPED
from imaging.decoding import client as decoders
from imaging.pixels import read_with_header
from tests.detection.gate_films import DEMO, frame, picture


def code(pixels: Any, **fields: Any) -> str:
    found = gate.decide(frame(pixels, **fields))
    return found.code if found else ""


def test_every_demo_film_is_read_in_the_form_it_is_sent_in(tmp_path: Path) -> None:
    try:
        for film in FILMS:  # 8 and 12 bit, MONOCHROME1, RLE
            path = tmp_path / f"{film.number}.dcm"
            path.write_bytes(film_bytes(film, now=datetime(2025, 3, 4, tzinfo=UTC)))
            header, pixels = read_with_header(path)
            said = gate.Said(header.view_position, header.body_part)
            assert said.body_part == "CHEST"
            assert gate.decide(pixels, said) is None, film.file_name
    finally:
        decoders.close_pool()


@pytest.mark.parametrize("path", DEMO, ids=lambda path: path.stem)
def test_a_real_film_with_a_fault_is_refused_by_the_right_name(path: Path) -> None:
    film = picture(path)
    assert code(film) == ""
    assert code(film[:, ::-1]) == "", "a mirrored film can be read"
    for name in made.TURNS:
        turned = gate.decide(frame(made.turned(film, name)))
        assert turned is not None
        assert turned == LOOKS[name]
    assert code(255 - film) == "gate_inverted"
    assert code(film, photometric="MONOCHROME1") == "gate_inverted", "the header is wrong"
    assert code(255 - film, photometric="MONOCHROME1") == "", "the header is right"
    assert code(film.astype(np.uint16) * 16, slope=-1.0, bits_stored=12) == "gate_inverted"
    assert code(film[: film.shape[0] // 3]) in {"gate_cut_off", "gate_not_chest"}
    assert code(film[::9, ::9]) == "gate_too_small"


def test_turning_says_which_way() -> None:
    """Clockwise as a person sees it: the top of the film is on the right."""
    film = np.zeros((4, 6), np.uint8)
    film[0] = 9
    clockwise = made.turned(film, "rotated_90")
    assert (clockwise[:, -1] == 9).all()
    assert "90° clockwise" in LOOKS["rotated_90"].reason
    assert "90° anticlockwise" in LOOKS["rotated_270"].reason


def test_pictures_that_are_no_chest() -> None:
    random = np.random.default_rng(77)
    missed = [
        kind
        for kind, draw in strangers.MEASURING.items()
        for path in DEMO
        if not code(draw(random, picture(path)))
    ]
    assert len(missed) <= 0.05 * len(strangers.MEASURING) * len(DEMO), missed


def test_the_header_decides_first() -> None:
    film = picture(DEMO[0])
    lateral = gate.decide(frame(film), gate.Said("LL", "CHEST"))
    assert lateral is not None
    assert lateral.code == "gate_lateral"


def test_words_and_classes_belong_together() -> None:
    assert set(LOOKS) == set(CLASSES) - {FRONTAL}
    assert {refusal.code for refusal in LOOKS.values()} <= set(gate.REASONS)


def test_the_shipped_gate_is_small_and_plain_data() -> None:
    assert SHIPPED.stat().st_size < 500_000
    with np.load(SHIPPED, allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)
    assert 0 < network.load().threshold <= 0.5


def test_a_broken_gate_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gate.npz"
    kept = network.load()
    wrong = network.Network(
        kept.mean[:5], kept.scale, kept.hidden, kept.hidden_bias, kept.output, kept.output_bias, 0.2
    )
    network.save(wrong, path)
    with pytest.raises(ValueError, match="no gate of this version"):
        network.load(path)


def test_another_classifier_can_decide() -> None:
    """A threshold of 0 reads everything that the rules let through."""
    kept = network.load()
    generous = network.Network(
        kept.mean, kept.scale, kept.hidden, kept.hidden_bias, kept.output, kept.output_bias, 0.0
    )
    upside_down = frame(made.turned(picture(DEMO[0]), "rotated_180"))
    assert decide(upside_down, gate.Said(), classifier=generous) is None


def test_features_do_not_depend_on_size_or_contrast() -> None:
    film = picture(DEMO[0])
    one = network.load().probabilities(describe(film))
    other = network.load().probabilities(describe((film[::2, ::2] * 0.5 + 60).astype(np.uint8)))
    assert one.shape == (len(CLASSES),)
    assert one.sum() == pytest.approx(1, abs=1e-5)
    assert np.abs(one - other).max() < 0.1


def test_the_web_process_needs_no_opencv_for_it() -> None:
    script = (
        "import sys, detection.gate; "
        "print([m for m in ('cv2', 'torch', 'detection.gate.network') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert found.stdout.decode().strip() == "[]"
