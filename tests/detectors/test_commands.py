"""`detect` and `evaluate_detector` as people call them."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from detection.detectors.prediction import Box, Prediction, VersionInfo
from detection.evaluation import reading
from detection.management.commands import detect as detect_command
from detection.management.commands import evaluate_detector as evaluate_command
from imaging.frame import Frame
from tests.detectors.conftest import DEMO
from tests.imaging.factories import make_dicom

FILM = DEMO / "nih_2edcde9360.jpg"


class Fake:
    """Sees both lungs of each film of the tiny set; needs no torch."""

    version_info = VersionInfo(
        "fake", "f" * 64, "light", ("covid", "pneumonia", "normal"),
        {"covid": 0.5, "pneumonia": 0.5, "normal": 0.5}, 64,
    )  # fmt: skip

    def predict(self, frame: Frame, *, min_score=None):
        boxes = [Box("covid", 0.9, 20, 20, 40, 80), Box("normal", 0.4, 90.001, 20, 40.009, 80)]
        least = 0.5 if min_score is None else min_score
        return Prediction([b for b in boxes if b.score >= least], 0.01)


@pytest.fixture
def fake(monkeypatch):
    for module in (detect_command, evaluate_command):
        monkeypatch.setattr(module, "load_detector", lambda **_: Fake())


def run(*arguments):
    """Rows and, if the command failed, its error."""
    out = io.StringIO()
    error = None
    try:
        call_command("detect", "--json", *map(str, arguments), stdout=out)
    except CommandError as caught:
        error = caught
    return [json.loads(line) for line in out.getvalue().splitlines()], error


@pytest.mark.usefixtures("fake")
def test_one_object_per_file(tmp_path):
    dicom = tmp_path / "film.dcm"
    dicom.write_bytes(make_dicom())
    rows, error = run(FILM, dicom)
    assert error is None
    assert [row["file"] for row in rows] == [str(FILM), str(dicom)]
    assert rows[0] == {
        "file": str(FILM),
        "width": 1024,
        "height": 1024,
        "findings": [{"label": "covid", "score": 0.9, "box": [20, 20, 40, 80]}],
        "seconds": 0.01,
        "version": "fake",
    }


@pytest.mark.usefixtures("fake")
def test_min_score(tmp_path):
    rows, _ = run(FILM, "--min-score=0.3")
    assert rows[0]["findings"][1] == {"label": "normal", "score": 0.4, "box": [90, 20, 40.01, 80]}
    for bad in ("1.5", "-0.1", "high", "nan"):
        with pytest.raises(CommandError, match="from 0 to 1"):
            call_command("detect", str(FILM), f"--min-score={bad}")


@pytest.mark.usefixtures("fake")
def test_files_that_fail_are_rows_and_the_exit_status(tmp_path):
    shutil.copy(FILM, tmp_path / "b.jpg")
    (tmp_path / "a.dcm").write_bytes(b"")
    (tmp_path / "c.txt").write_text("not a film")
    (tmp_path / ".hidden").write_text("not a film")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "d.jpg").write_bytes(FILM.read_bytes()[:5000])
    rows, error = run(tmp_path, tmp_path / "missing.dcm")
    assert [row.get("error", {}).get("code") for row in rows] == [
        "empty_file",
        None,
        "unknown_format",
        "truncated",
        "no_such_file",
    ]
    assert all(set(row) == {"file", "error"} for row in rows if "error" in row)
    assert all(set(row["error"]) == {"code", "message"} for row in rows if "error" in row)
    assert error.returncode == 1
    assert "4 of 5" in str(error)


@pytest.mark.usefixtures("fake")
def test_an_empty_folder(tmp_path):
    rows, error = run(tmp_path)
    assert rows == []
    assert error.returncode == 1


@pytest.mark.usefixtures("fake")
def test_text_for_people(tmp_path):
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("detect", str(FILM), str(tmp_path / "no.dcm"), stdout=out)
    text = out.getvalue()
    assert "1024 x 1024" in text
    assert "covid       0.90" in text
    assert "There is no such file. (no_such_file)" in text
    out = io.StringIO()
    call_command("detect", str(FILM), "--min-score=1", stdout=out)
    assert "nothing found" in out.getvalue()


def test_weights_that_fail_are_said_once(tmp_path):
    with pytest.raises(CommandError, match="weights_missing") as caught:
        call_command("detect", str(FILM), f"--weights={tmp_path / 'no.pth'}")
    assert caught.value.returncode == 1


def test_the_manifest_beside_the_weights_is_believed(tmp_path):
    # a manifest that names other bytes: not loaded
    manifest = json.loads((DEMO.parents[1] / "detection/weights/active.json").read_text())
    (tmp_path / "x.json").write_text(json.dumps(manifest))
    (tmp_path / "x.pth").write_bytes(b"other")
    with pytest.raises(CommandError, match="weights_wrong_hash"):
        call_command("detect", str(FILM), f"--weights={tmp_path / 'x.pth'}")


@pytest.mark.model
def test_the_real_detector_by_the_command():
    rows, error = run(FILM)
    assert error is None
    labels = [finding["label"] for finding in rows[0]["findings"]]
    assert labels.count("normal") >= 2
    for finding in rows[0]["findings"]:
        x, y, w, h = finding["box"]
        assert x + w <= 1024
        assert y + h <= 1024


def evaluate(files, out, *more):
    annotations, images = files
    call_command(
        "evaluate_detector",
        f"--annotations={annotations}",
        f"--images={images}",
        f"--out={out}",
        *more,
    )
    return json.loads(out.read_text())


@pytest.mark.usefixtures("fake")
def test_the_report(coco_set, tmp_path):
    text = io.StringIO()
    annotations, images = coco_set()
    out = tmp_path / "new" / "report.json"
    call_command(
        "evaluate_detector",
        f"--annotations={annotations}",
        f"--images={images}",
        f"--out={out}",
        stdout=text,
    )
    report = json.loads(out.read_text())
    # film 0 covid (human), 1 pneumonia (pseudo), 2 normal (human); covid said of all left lungs
    assert report["version"] == "fake"
    assert report["data"] == {
        "images": 3, "boxes": 6, "patients": 3, "clipped": 0, "dropped": 0, "other_categories": 0,
    }  # fmt: skip
    everything = report["ap"]["all"]
    assert everything["images"] == 3
    assert everything["pneumonia"]["ap50"] == 0
    # ranks of one score: one right of three, half of what there is
    assert 0 < everything["covid"]["ap50"] < 0.6
    assert report["ap"]["classes_ignored"]["any"]["ap50"] == 1
    assert report["ap"]["human_boxes"]["images"] == 2
    assert report["ap"]["human_boxes"]["pneumonia"] is None
    assert set(report["by_source"]) == {"here", "there"}
    assert report["by_source"]["there"]["ap"]["covid"] is None
    assert report["operating_point"]["covid"]["found"] == 3
    assert report["flags"]["sensitivity"] == 1
    assert set(report["suggested_thresholds"]) == {"covid", "pneumonia", "normal"}
    assert report["seconds"]["median"] == 0.01
    assert "AP50" in text.getvalue()


@pytest.mark.usefixtures("fake")
def test_a_set_that_tells_neither_source_nor_origin(coco_set, tmp_path):
    annotations, images = coco_set()
    table = json.loads(annotations.read_text())
    for row in [*table["images"], *table["annotations"]]:
        row.pop("source", None)
        row.pop("origin", None)
    annotations.write_text(json.dumps(table))
    report = evaluate((annotations, images), tmp_path / "r.json")
    assert report["by_source"] == {}
    assert set(report["ap"]) == {"all", "classes_ignored"}


@pytest.mark.usefixtures("fake")
def test_what_is_wrong_with_a_set(coco_set, tmp_path):
    annotations, images = coco_set(size=(110, 150))
    table = json.loads(annotations.read_text())
    table["images"][0]["height"] = 111
    annotations.write_text(json.dumps(table))
    with pytest.raises(CommandError, match=r"image_size_mismatch: 0\.png has 150 x 110") as caught:
        evaluate((annotations, images), tmp_path / "r.json")
    assert caught.value.returncode == 1
    (images / "0.png").write_bytes(b"")
    with pytest.raises(CommandError, match="empty_file"):
        evaluate((annotations, images), tmp_path / "r.json")
    (images / "0.png").unlink()
    with pytest.raises(CommandError, match="images_missing"):
        evaluate((annotations, images), tmp_path / "r.json")
    assert not (tmp_path / "r.json").exists()


def test_serving_and_evaluation_read_the_same_way(coco_set, monkeypatch):
    from detection.detectors.coco import read_coco

    seen = []

    class Looking(Fake):
        def predict(self, frame, *, min_score=None):
            seen.append(frame)
            return super().predict(frame, min_score=min_score)

    read = read_coco(*coco_set(1))
    reading.evaluate(Looking(), read)
    from imaging.pixels import read_file

    np.testing.assert_array_equal(seen[0].pixels, read_file(read.films[0].path).pixels)
