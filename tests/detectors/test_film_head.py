"""The head that names the whole film, and its word in the score of a box."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from detection.detectors import engine, openmmlab, training
from detection.detectors.coco import read_coco
from detection.detectors.prediction import VersionInfo
from imaging.frame import Frame

pytestmark = pytest.mark.model
CLASSES = ("covid", "pneumonia", "normal")


@pytest.fixture
def with_head(small):
    model = dataclasses.replace(small.model, film_weight=0.5, film_share=0.5)
    return dataclasses.replace(small, name="light-film", model=model)


@pytest.fixture
def network(with_head):
    openmmlab.load("auto")
    from detection.detectors.architecture import build, model_config

    torch.manual_seed(2)
    return build(model_config(with_head, classes=3))


def detector(network, share):
    info = VersionInfo("a", "f" * 64, "light-film", CLASSES, dict.fromkeys(CLASSES, 0.0), 64)
    return engine.TorchDetector(network, info, torch.device("cpu"), film_share=share)


def test_blend_is_a_geometric_mean_of_box_and_film():
    openmmlab.load("auto")
    from detection.detectors.film_head import blend

    scores, labels = torch.tensor([0.9, 0.4, 0.5]), torch.tensor([0, 0, 2])
    words = torch.log(torch.tensor([0.64, 0.32, 0.04]))
    half = blend(scores, labels, words, 0.5)
    torch.testing.assert_close(half, (scores * torch.tensor([0.64, 0.64, 0.04])).sqrt())
    torch.testing.assert_close(blend(scores, labels, words, 0.0), scores)
    assert half[0] > half[1]  # boxes of a class keep their order


def test_the_films_word_moves_the_scores_and_nothing_else(network):
    import copy

    film = Frame(
        np.random.default_rng(0).integers(0, 255, (90, 80), dtype=np.uint8), "MONOCHROME2", 8
    )
    plain = detector(copy.deepcopy(network), 0.0).predict(film, min_score=0.0).boxes
    network.roi_head.film[1].weight.data.zero_()
    network.roi_head.film[1].bias.data = torch.log(torch.tensor([0.8, 0.15, 0.05]))
    told = detector(network, 0.5).predict(film, min_score=0.0).boxes
    assert plain
    assert told == sorted(told, key=lambda box: -box.score)
    word = {"covid": 0.8, "pneumonia": 0.15, "normal": 0.05}
    expected = {(b.label, *b[2:]): (b.score * word[b.label]) ** 0.5 for b in plain}
    for box in told:
        assert box.score == pytest.approx(expected[box.label, *box[2:]], rel=1e-4)


def test_it_is_trained_beside_the_cascade(with_head, coco_set, tmp_path, monkeypatch):
    job = training.Job(
        films=read_coco(*coco_set(4)),
        recipe=with_head,
        folder=tmp_path / "work",
        seed=3,
        threads=2,
        operators="auto",
        max_iterations=3,
    )
    trained = training.train(job)
    again = training.train(dataclasses.replace(job, folder=tmp_path / "one", max_iterations=1))
    moved = (trained["roi_head.film.1.weight"] - again["roi_head.film.1.weight"]).abs().max()
    assert moved > 0
    # films without boxes have no name: the head gets no gradient, and nothing breaks
    bare = read_coco(*coco_set(2, annotations=[]))
    state = training.train(
        dataclasses.replace(job, films=bare, folder=tmp_path / "bare", max_iterations=1)
    )
    assert torch.isfinite(state["roi_head.film.1.weight"]).all()
