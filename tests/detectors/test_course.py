"""The whole way: tier, backbone, detector, best epoch, a version's files that can be repeated."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest
import torch
from django.core.management import CommandError, call_command

from detection.detectors import coco, recipe
from detection.detectors.coco import of_tier, read_coco
from detection.detectors.loader import load_detector
from detection.manifest import read_manifest
from tests.detectors.test_pretraining import folder
from twinhealth.errors import InvalidInputError

pytestmark = pytest.mark.model
__all__ = ["folder"]


@pytest.fixture(autouse=True)
def _small_network(monkeypatch, small):
    real = recipe.read
    film = real("light-film")
    shrunk = dataclasses.replace(
        film,
        input=small.input,
        model=dataclasses.replace(film.model, proposals=40, fpn_channels=16, head_channels=16),
        training=dataclasses.replace(film.training, epochs=3),
        pretraining=dataclasses.replace(film.pretraining, sides=(32,), batch_size=16),
    )
    monkeypatch.setattr(recipe, "read", lambda name: shrunk if name == "light-film" else real(name))


@pytest.fixture
def tiered(coco_set):
    """Six films: the first three open, then two non-commercial and one that is only stated."""
    path, images = coco_set(6)
    table = json.loads(path.read_text())
    for row, tier in zip(table["images"], ["open"] * 3 + ["nc-sa"] * 2 + ["stated"], strict=True):
        row["licence_tier"] = tier
    path.write_text(json.dumps(table))
    return path, images


def test_tiers(tiered, coco_set):
    films = read_coco(*tiered)
    assert [len(of_tier(films, tier).films) for tier in ("open", "research")] == [3, 5]
    last = dataclasses.replace(films, films=films.films[-1:])
    for odd, code in ((read_coco(*coco_set(2)), "tier_unknown"), (last, "annotations_empty")):
        with pytest.raises(InvalidInputError) as caught:
            of_tier(odd, "open")
        assert caught.value.code == code
    assert set(coco.TIERS) == {"open", "research", "site"}


def train(tiered, out, *more):
    annotations, images = tiered
    call_command(
        "train_detector",
        f"--annotations={annotations}",
        f"--val-annotations={annotations}",
        f"--images={images}",
        f"--out={out}",
        "--config=light-film",
        "--name=mine",
        *more,
    )


def test_from_backbone_to_version(tiered, folder, tmp_path):
    out = tmp_path / "out"
    train(tiered, out, f"--pretrain={folder}", "--tier=research", "--seed=4", "--device=cpu")
    manifest = read_manifest(out / "mine.json")
    made = manifest.training
    assert (made["images"], made["tier"], made["seed"]) == (5, "research", 4)
    assert made["pretraining"]["data"] == folder.name
    assert set(made["pretraining"]["right"]) == {folder.name, "films"}
    assert made["data_sha256"] == hashlib.sha256(tiered[0].read_bytes()).hexdigest()
    assert made["environment"]["torch"].startswith(torch.__version__.split("+")[0])
    assert made["environment"]["device"] == "cpu"
    assert made["started_from"] == "a pretrained backbone"
    assert manifest.metrics["val"]["images"] == 5  # of the tier alone, too
    # what is served is the epoch that val liked, not the last step
    best = torch.load(out / "best.pth", weights_only=True)
    served = torch.load(out / "mine.pth", weights_only=True)["state_dict"]
    key = "roi_head.film.1.weight"
    torch.testing.assert_close(served[key], best["state_dict"][key].half())
    assert load_detector(weights=out / "mine.pth").version_info.config == "light-film"


def test_a_kill_between_backbone_and_detector(tiered, folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    from detection.detectors import course, pretraining

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(course, "train_and_release", killed)
        with pytest.raises(KeyboardInterrupt):
            train(tiered, out, f"--pretrain={folder}", "--max-iters=1")
    assert not (out / "mine.json").exists()
    with pytest.raises(CommandError, match="nothing_to_resume"):
        train(tiered, tmp_path / "elsewhere", "--resume", "--max-iters=1")
    # the backbone isn't trained a second time
    monkeypatch.setattr(pretraining, "_epoch", killed)
    train(tiered, out, f"--pretrain={folder}", "--resume", "--max-iters=1")
    assert read_manifest(out / "mine.json").training["pretraining"]["seed"] == 0


def test_two_beginnings_are_one_too_many(tiered, folder, tmp_path):
    out = tmp_path / "first"
    train(tiered, out, "--max-iters=1")
    with pytest.raises(CommandError, match="pretrain_and_start_from"):
        train(
            tiered, tmp_path / "second", f"--pretrain={folder}", f"--start-from={out / 'mine.pth'}"
        )
