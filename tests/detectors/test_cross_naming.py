"""Readers that never saw a film name it: who learned from whom, and the command's report."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from detection.detectors import cross_naming, pretraining, recipe
from detection.detectors.coco import read_coco
from tests.detectors.test_pretraining import folder

__all__ = ["folder"]
pytestmark = pytest.mark.model


@pytest.fixture
def short(small):
    film = recipe.read("light-film").pretraining
    course = dataclasses.replace(film, sides=(32, 32), batch_size=16)
    return dataclasses.replace(small, pretraining=course)


def test_nobody_names_a_film_that_he_learned_from(coco_set, folder, short, tmp_path, monkeypatch):
    films = read_coco(*coco_set(12))
    lessons = []
    taught = pretraining.pretrain

    def spy(lesson):
        lessons.append(lesson)
        return taught(lesson)

    monkeypatch.setattr(pretraining, "pretrain", spy)
    named = cross_naming.name_across(
        cross_naming.Plan(
            films=films,
            pretrain=folder,
            recipe=short,
            folder=tmp_path / "work",
            epochs=1,
            side=32,
            readers=2,
            seed=1,
            threads=1,
            operators="auto",
            backbone_epochs=1,
        )
    )
    assert [film.name for film in named] == [film.name for film in films.films]
    for film in named:
        assert film.chances.shape == (2, 3)
        np.testing.assert_allclose(film.chances.sum(axis=1), 1.0, atol=1e-5)
    backbone, *readers = lessons
    # the backbone sees nothing of the set
    assert [school.name for school, _ in backbone.schools] == [folder.name]
    assert backbone.start is None
    for lesson in readers:
        ((school, _),) = lesson.schools
        learned, asked = ({p.tobytes() for p in part[0]} for part in (school.train, school.val))
        assert not learned & asked
        assert len(school.train[0]) + len(school.val[0]) == len(named)
        assert lesson.start is not None


def test_the_command(coco_set, folder, short, tmp_path, monkeypatch, capsys):
    annotations, images = coco_set(9)
    monkeypatch.setattr(recipe, "read", lambda name: short)
    out = tmp_path / "noise.json"
    options = {
        "annotations": annotations,
        "images": images,
        "pretrain": folder,
        "out": out,
        "work": tmp_path / "work",
        "readers": 1,
        "epochs": 1,
        "side": 32,
    }
    call_command("measure_label_noise", **options)
    report = json.loads(out.read_text())
    assert report["films"] == 9
    assert "AP50 mean: at best about" in capsys.readouterr().out

    (folder / "index.csv").unlink()
    with pytest.raises(CommandError, match="pretraining_unreadable"):
        call_command("measure_label_noise", **options)
