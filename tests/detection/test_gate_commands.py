"""`train_gate` and `evaluate_gate` as people call them, on the demo's films."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from detection.gate import films, network, training
from detection.gate.network import CLASSES
from imaging.decoding import client as decoders
from tests.detection.gate_films import DEMO, picture


@pytest.fixture(autouse=True)
def _decoders() -> Any:
    yield
    decoders.close_pool()


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    """The first four demo films, with a box around each lung where they mostly are."""
    images, boxes = [], []
    for number, path in enumerate(DEMO[:4]):
        height, width = picture(path).shape
        images.append({"id": number, "file_name": path.name, "width": width, "height": height,
                       "source": path.name[:3]})  # fmt: skip
        boxes += [
            {"id": 2 * number + side, "image_id": number, "category_id": 1,
             "bbox": [(0.15 + 0.4 * side) * width, 0.15 * height, 0.3 * width, 0.65 * height]}
            for side in (0, 1)
        ]  # fmt: skip
    categories = [{"id": i, "name": n} for i, n in enumerate(("covid", "pneumonia", "normal"), 1)]
    path = tmp_path / "few.json"
    path.write_text(json.dumps({"images": images, "annotations": boxes, "categories": categories}))
    return path


def call(name: str, *arguments: Any) -> str:
    out = io.StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_evaluating(annotations: Path, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / DEMO[5].name).write_bytes(DEMO[5].read_bytes())
    report = tmp_path / "out" / "report.json"
    printed = call("evaluate_gate", "--annotations", annotations, "--images", DEMO[0].parent,
                   "--folder", folder, "--out", report)  # fmt: skip
    found = json.loads(report.read_text())
    few = found["sets"]["few"]
    assert few["films"] == 4
    assert few["false_refusals"]["count"] == 0
    assert sum(row["films"] for row in few["false_refusals"]["by_source"].values()) == 4
    for kind, row in few["made"].items():
        assert row["cases"] == 4, kind
        assert row["caught"] == sum(n for code, n in row["by_code"].items() if code != "read")
        assert sum(r["cases"] for r in row["by_source"].values()) == 4
    for kind in ("rotated by 180°", "inverted", "clipped", "blank", "too small"):
        assert few["made"][kind]["named"] == 1.0, kind
    assert found["folder"] == {
        "films": 1,
        "false_refusals": {"films": 1, "count": 0, "share": 0.0, "by_code": {}, "files": []},
    }
    assert found["foreign"]["cases"] >= 5
    assert {row["file"].split()[0] for row in found["foreign"]["files"]} == {"CT", "MR", "US"}
    assert "few: false refusals 0 of 4" in printed
    assert 0 < found["seconds"]["median"] <= found["seconds"]["p95"]


def test_training_is_repeated_by_its_seed(
    annotations: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "EPOCHS", 2)
    monkeypatch.setattr(training, "DRAWN", dict.fromkeys(training.DRAWN, 1))
    paths = [tmp_path / f"{name}.npz" for name in ("one", "two", "other")]
    for path, seed in zip(paths, (3, 3, 4), strict=True):
        printed = call("train_gate", "--annotations", annotations, "--val-annotations", annotations,
                       "--images", DEMO[0].parent, "--out", path, "--seed", seed)  # fmt: skip
        assert "of 4 films, threshold 0." in printed
    one, two, other = (network.load(path) for path in paths)
    assert np.allclose(one.hidden, two.hidden, atol=1e-4)
    assert not np.allclose(one.hidden, other.hidden, atol=1e-2)
    assert one.threshold == pytest.approx(two.threshold, abs=1e-4)


def test_fitting_learns_what_it_is_shown() -> None:
    """Classes that differ in one feature each are told apart."""
    random = np.random.default_rng(0)
    labels = random.integers(0, len(CLASSES), 700)
    x = random.normal(0, 0.3, (700, network.LENGTH)).astype(np.float32)
    x[np.arange(700), labels] += 3
    fitted = training.fit(x, labels, seed=1)
    assert (fitted.probabilities(x).argmax(axis=1) == labels).mean() > 0.99
    assert fitted.threshold == 0


def test_the_threshold_lies_below_every_film_that_chose_it() -> None:
    kept = network.load()
    chosen = [films.Small(picture(path), (0, 0, 1, 1), "") for path in DEMO[:3]]
    shares = [float(kept.probabilities(films.describe(s.picture))[0]) for s in chosen]
    threshold = training.threshold_for(kept, chosen)
    assert threshold == pytest.approx(min(0.5, _half_the_odds(min(shares))), abs=1e-6)
    assert threshold < min(shares)


def _half_the_odds(share: float) -> float:
    odds = share / (1 - share) / 2
    return odds / (1 + odds)


@pytest.mark.parametrize("command", ["train_gate", "evaluate_gate"])
def test_what_cannot_be_read_is_said(command: str, tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    more = ["--val-annotations", missing] if command == "train_gate" else []
    with pytest.raises(CommandError, match="annotations_unreadable"):
        call(command, "--annotations", missing, "--images", tmp_path, *more)


def test_evaluating_with_another_file_than_a_gate(annotations: Path) -> None:
    with pytest.raises(CommandError, match="gate_unusable"):
        call("evaluate_gate", "--annotations", annotations, "--images", DEMO[0].parent,
             "--gate", annotations)  # fmt: skip
