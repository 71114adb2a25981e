"""The readable configs."""

from __future__ import annotations

import pytest

from detection.detectors import recipe
from twinhealth.errors import InvalidInputError


@pytest.mark.parametrize(("name", "depth"), [("light", 18), ("light-film", 18), ("r50", 50)])
def test_the_shipped_ones(name, depth):
    read = recipe.read(name)
    assert name in recipe.names()
    assert read.model.depth == depth
    assert read.model.stage_iou == (0.5, 0.6, 0.7)
    assert read.training.crop_margin[0] < read.training.crop_margin[1]


@pytest.mark.parametrize("name", ["", "heavy", "../light", "light.toml"])
def test_an_unknown_name(name):
    with pytest.raises(InvalidInputError) as caught:
        recipe.read(name)
    assert caught.value.code == "config_unknown"
    assert caught.value.extra["known"] == ["light", "light-film", "r50"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[model]", "[modl]", "backbone"),
        ("proposals = 300", "proposls = 300", "proposals, proposls"),
        ("ResNet-18", "VGG", "ResNet-50"),
        ("flip = 0.5", "flip = ", "Invalid value"),
        ("film_share = 0.0", "film_share = 0.5", "film_weight above 0"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path, monkeypatch, old, new, why):
    text = (recipe.FOLDER / "light.toml").read_text()
    assert old in text
    (tmp_path / "mine.toml").write_text(text.replace(old, new, 1))
    monkeypatch.setattr(recipe, "FOLDER", tmp_path)
    with pytest.raises(InvalidInputError, match=why) as caught:
        recipe.read("mine")
    assert caught.value.code == "config_invalid"


def test_pretraining_may_be_left_out():
    assert recipe.read("light").pretraining is None
    assert recipe.read("light-film").pretraining.sides


def test_pretraining_can_be_shortened():
    wanted = recipe.read("light-film").pretraining
    shorter = recipe.shortened(wanted, epochs=5, side=144)
    assert shorter.sides == (128, 128, 128, 128, 144)
    assert recipe.shortened(wanted, epochs=None) == wanted
    assert shorter.learning_rate == wanted.learning_rate
