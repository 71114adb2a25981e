"""A real Runner on a tiny set: it starts, stops, goes on, repeats, and leaves usable weights."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from detection.detectors import film_dataset, preprocess, recipe, training, weights_file
from detection.detectors.coco import read_coco
from detection.detectors.loader import load_detector
from detection.evaluation import headline
from detection.manifest import read_manifest
from imaging.pixels import read_file
from twinhealth.errors import InvalidInputError

pytestmark = pytest.mark.model


@pytest.fixture(autouse=True)
def _small_network(monkeypatch, small):
    real = recipe.read
    monkeypatch.setattr(recipe, "read", lambda name: small if name == "light" else real(name))


@pytest.fixture
def job(coco_set, small, tmp_path):
    def make(**changes):
        fields = {
            "films": read_coco(*coco_set(4)),
            "recipe": small,
            "folder": tmp_path / "work",
            "seed": 3,
            "threads": 2,
            "operators": "auto",
            "max_iterations": 2,
        }
        return training.Job(**(fields | changes))

    return make


def differs(a, b):
    return [key for key in a if not torch.equal(a[key], b[key])]


def test_two_steps_change_the_weights_and_the_seed_repeats_them(job, tmp_path):
    first = training.train(job())
    again = training.train(job(folder=tmp_path / "again"))
    assert differs(first, again) == []
    other = training.train(job(folder=tmp_path / "other", seed=4))
    assert differs(first, other)
    assert all(torch.isfinite(value).all() for value in first.values())


def test_it_goes_on_from_its_checkpoint(job):
    two = training.train(job())
    four = training.train(job(max_iterations=4, resume=True))
    moved = differs(two, four)
    assert any(key.startswith("roi_head.bbox_head.2") for key in moved)
    assert any(key.startswith("backbone.layer4") for key in moved)
    state = torch.load(job().folder / "iter_4.pth", weights_only=True)
    assert state["meta"]["iter"] == 4
    with pytest.raises(InvalidInputError) as caught:
        training.train(job(folder=job().folder / "empty", resume=True))
    assert caught.value.code == "nothing_to_resume"


def test_it_starts_from_given_weights(job, small, tmp_path):
    given = training.train(job())
    meta = weights_file.Meta(
        name="a",
        config=small.name,
        classes=("covid", "pneumonia", "normal"),
        image_size=64,
        thresholds={"covid": 0.5, "pneumonia": 0.5, "normal": 0.5},
        licence="",
        training={},
    )
    start = weights_file.Weights("0" * 64, given, meta)
    trained = training.train(job(folder=tmp_path / "next", start_from=start, max_iterations=1))
    # stem, first stage and batch norm's statistics stay; the rest is near, not made anew
    assert torch.equal(trained["backbone.conv1.weight"], given["backbone.conv1.weight"])
    assert torch.equal(trained["backbone.bn1.running_mean"], given["backbone.bn1.running_mean"])
    head = "roi_head.bbox_head.0.shared_fcs.0.weight"
    distance = (trained[head] - given[head]).abs().max()
    assert 0 < distance < 0.01
    wrong = dataclasses.replace(meta, classes=("normal", "pneumonia", "covid"))
    with pytest.raises(InvalidInputError) as caught:
        training.train(job(start_from=dataclasses.replace(start, meta=wrong)))
    assert caught.value.code == "weights_dont_fit"


def test_training_sees_what_serving_sees(job, small):
    # without chance: same grey levels, same size, and mmdetection normalises as we do
    plain = dataclasses.replace(
        small.training,
        scale=(1.0, 1.0),
        crop=0.0,
        flip=0.0,
        gamma=(1.0, 1.0),
        contrast=(1.0, 1.0),
        noise=0.0,
        rotation=0.0,
        blank=0.0,
        match=0.0,
    )
    one = job()
    dataset = film_dataset.FilmDataset(one.films, dataclasses.replace(small, training=plain))
    assert len(dataset) == 4
    sample = dataset[1]
    from detection.detectors import openmmlab

    openmmlab.load("auto")
    from detection.detectors.architecture import build, model_config

    model = build(model_config(small, classes=3))
    batch = {"inputs": [sample["inputs"]], "data_samples": [sample["data_samples"]]}
    fed = model.data_preprocessor(batch, training=True)
    served = preprocess.prepare(read_file(one.films.films[1].path), longest_side=64)
    np.testing.assert_allclose(fed["inputs"][0].numpy(), served.pixels, atol=1e-5)
    boxes = sample["data_samples"].gt_instances.bboxes.numpy()
    expected = np.array([[20, 20, 60, 100], [90, 20, 130, 100]]) * 64 / 150
    np.testing.assert_allclose(boxes, expected, rtol=0.02)
    assert sample["data_samples"].gt_instances.labels.tolist() == [1, 1]


def test_the_best_of_an_older_run_in_the_folder_is_not_taken(job):
    old = {"figure": 9.0, "iteration": 1, "state_dict": {"old": torch.zeros(1)}}
    one = job(max_iterations=1)
    one = dataclasses.replace(one, validation=one.films)
    one.folder.mkdir(parents=True)
    torch.save(old, one.folder / "best.pth")
    assert "old" not in training.train(one)
    kept = torch.load(one.folder / "best.pth", weights_only=True)
    assert kept["figure"] < 9.0
    # a run that goes on keeps what it had
    torch.save({**kept, "figure": 9.0}, one.folder / "best.pth")
    more = dataclasses.replace(one, resume=True, max_iterations=2)
    resumed = training.train(more)
    assert all(torch.equal(resumed[key], value) for key, value in kept["state_dict"].items())


def test_a_log_that_somebody_closed_is_no_obstacle(job, tmp_path):
    from mmengine.logging import MMLogger

    # as after `logging.config.dictConfig`: the latest logger's file is closed for good
    latest = MMLogger.get_instance(f"closed-{tmp_path.name}", log_file=str(tmp_path / "old.log"))
    for handler in latest.handlers:
        if hasattr(handler, "baseFilename"):
            handler.close()
            assert handler.stream is None
    trained = training.train(job(max_iterations=1))
    assert all(torch.isfinite(value).all() for value in trained.values())


def test_a_film_without_boxes_is_background(job, coco_set):
    one = job(films=read_coco(*coco_set(2, annotations=[])), max_iterations=1)
    assert all(torch.isfinite(value).all() for value in training.train(one).values())


def test_the_command_writes_a_version_that_can_be_served(coco_set, tmp_path):
    annotations, images = coco_set(4)
    out = tmp_path / "mine"
    call_command(
        "train_detector",
        f"--annotations={annotations}",
        f"--images={images}",
        f"--val-annotations={annotations}",
        f"--out={out}",
        "--name=mine-1",
        "--max-iters=1",
        "--licence=none",
        "--seed=5",
    )
    manifest = read_manifest(out / "mine-1.json")
    assert manifest.licence == "none"
    assert manifest.training["seed"] == 5
    assert manifest.training["images"] == 4
    assert manifest.training["started_from"] == "random weights"
    figures = manifest.metrics["val"]
    assert figures["images"] == figures["counts"]["images"] == 4
    assert set(figures["headline"]) == set(headline.NAMES)
    assert set(figures["headline"]["ece"]) == {"value", "low", "high"}
    assert manifest.scaling.temperature > 0
    assert len((out / "mine-1.json").read_text()) < 20_000
    detector = load_detector(weights=out / manifest.file, expected_sha256=manifest.sha256)
    assert detector.version_info.thresholds == manifest.thresholds
    detector.predict(read_file(images / "0.png"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--config=heavy"], "config_unknown"),
        (["--start-from=nothing.pth"], "weights_missing"),
        (["--resume"], "nothing_to_resume"),
        ([f"--licence={'x' * 201}"], "licence_too_long"),
        (["--max-iters=0"], "whole number"),
    ],
)
def test_the_command_says_what_is_wrong(coco_set, tmp_path, arguments, code):
    annotations, images = coco_set()
    with pytest.raises(CommandError, match=code):
        call_command(
            "train_detector",
            f"--annotations={annotations}",
            f"--images={images}",
            f"--out={tmp_path / 'o'}",
            *arguments,
        )


def test_the_checkpoints_hold_nothing_that_runs(job):
    one = job(max_iterations=1)
    training.train(one)
    last = (one.folder / "last_checkpoint").read_text()
    loaded = torch.load(last, weights_only=True)  # raises for anything but plain values
    assert json.dumps(loaded["message_hub"])
