"""A backbone that learns to name films: what it is fed, that it learns, and that a kill costs little."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import torch

from detection.detectors import pretraining, recipe, schooling
from detection.detectors.coco import read_coco
from twinhealth.errors import InvalidInputError

pytestmark = pytest.mark.model


@pytest.fixture
def folder(tmp_path):
    """Forty pictures of two classes that lie apart: a bright upper or a bright lower half."""
    root = tmp_path / "classes"
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(1)
    lines = ["file,class,patient,split"]
    for i in range(40):
        picture = rng.integers(0, 90, (48, 60), dtype=np.uint8)
        half = slice(0, 24) if i % 2 else slice(24, 48)
        picture[half] += 150
        cv2.imwrite(str(root / "images" / f"{i}.png"), picture)
        lines.append(f"{i}.png,{('low', 'up')[i % 2]},p{i},{'val' if i < 8 else 'train'}")
    (root / "index.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def wanted(small):
    course = recipe.read("light-film").pretraining
    sides = (32, 32, 32)
    course = dataclasses.replace(course, sides=sides, batch_size=16, rotation=5.0, noise=2.0)
    return dataclasses.replace(small, pretraining=course)


def lesson(school, wanted, folder, **changes):
    fields = {"seed": 1, "threads": 1, "operators": "auto"}
    return pretraining.Lesson(((school, 1),), wanted, folder, **(fields | changes))


def test_the_folder_is_read(folder):
    school = schooling.read_folder(folder, 32)
    assert school.classes == ("low", "up")
    pictures, labels = school.train
    assert pictures.shape == (32, 32, 32)
    assert pictures.dtype == np.uint8
    assert labels.tolist() == [0, 1] * 16
    upper = pictures[labels == 1]
    assert upper[:, :14].mean() > upper[:, 18:].mean() + 60


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "pretraining_unreadable"),
        ("file,split\na.png,train\n", "pretraining_invalid"),
        ("file,class,split\n0.png,low,train\n1.png,up,train\n", "pretraining_invalid"),
        ("file,class,split\n0.png,low,train\n1.png,low,val\n", "pretraining_invalid"),
        ("file,class,split\n0.png,low,train\ngone.png,up,val\n", "pretraining_invalid"),
        ("file,class,split\n0.png,low,train\n../index.csv,up,val\n", "pretraining_invalid"),
    ],
)
def test_a_folder_that_is_no_such_set(folder, text, code):
    if text is None:
        (folder / "index.csv").unlink()
    else:
        (folder / "index.csv").write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        schooling.read_folder(folder, 32)
    assert caught.value.code == code


def test_annotated_films_are_cut_to_their_lungs(coco_set):
    films = read_coco(*coco_set(3))
    school = schooling.from_annotated(films, None, 40)
    assert school.train[1].tolist() == [0, 1, 2]  # covid, pneumonia, normal, in our order
    assert school.train[0].mean() > 100  # the film is mostly dark, the lungs are bright
    assert len(school.val[1]) == 0


def test_it_learns_and_a_kill_costs_an_epoch_at_most(folder, wanted, tmp_path, monkeypatch):
    school = schooling.read_folder(folder, 32)
    made = pretraining.pretrain(lesson(school, wanted, tmp_path / "whole"))
    whole = made.backbone
    assert made.record["right"]["classes"] == 1.0
    # the chances are of the pictures it was asked about, in their order
    (chances,) = made.chances
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-5)
    assert chances.argmax(axis=1).tolist() == school.val[1].tolist()
    assert all(torch.isfinite(value).all() for value in whole.values())

    # killed after the second epoch, and taken up again: the same weights as without the kill
    keep = pretraining._Progress.keep

    def killed(self, epoch, *rest):
        keep(self, epoch, *rest)
        if epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(pretraining._Progress, "keep", killed)
    with pytest.raises(KeyboardInterrupt):
        pretraining.pretrain(lesson(school, wanted, tmp_path / "cut"))
    monkeypatch.setattr(pretraining._Progress, "keep", keep)
    resumed = pretraining.pretrain(lesson(school, wanted, tmp_path / "cut")).backbone
    assert [key for key in whole if not torch.equal(whole[key], resumed[key])] == []

    with pytest.raises(InvalidInputError) as caught:
        pretraining.pretrain(lesson(school, wanted, tmp_path / "cut", seed=2))
    assert caught.value.code == "checkpoint_of_another_run"


def test_it_begins_with_given_weights(folder, wanted, tmp_path):
    school = schooling.read_folder(folder, 32)
    begun = pretraining.pretrain(lesson(school, wanted, tmp_path / "first")).backbone
    still = dataclasses.replace(
        wanted,
        pretraining=dataclasses.replace(wanted.pretraining, learning_rate=1e-12, weight_decay=0.0),
    )
    kept = pretraining.pretrain(lesson(school, still, tmp_path / "second", start=begun)).backbone
    weights = [key for key, value in begun.items() if key.endswith("conv1.weight")]
    assert weights
    for key in weights:
        torch.testing.assert_close(kept[key], begun[key], atol=1e-6, rtol=0)


def test_a_recipe_without_it(folder, small, tmp_path):
    school = schooling.read_folder(folder, 32)
    with pytest.raises(InvalidInputError) as caught:
        pretraining.pretrain(lesson(school, small, tmp_path))
    assert caught.value.code == "pretraining_not_in_recipe"
