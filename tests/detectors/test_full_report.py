"""`evaluate_detector`'s report from start to finish, with a detector that needs no torch."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from detection.detectors import release
from detection.detectors.prediction import Box, Prediction
from detection.evaluation import headline
from detection.evaluation.evidence import from_json
from detection.management.commands import evaluate_detector as evaluate_command
from tests.detectors.test_commands import Fake


class Wavering(Fake):
    """Its scores follow the film's own pixels, so films differ; a missing lung is none to it."""

    def predict(self, frame, *, min_score=None):
        left = float(frame.pixels[20:100, 20:60].mean()) / 255
        grain = float(frame.pixels[:15].mean()) / 60
        boxes = [
            Box("covid", left, 20, 20, 40, 80),
            Box("pneumonia", grain, 20, 20, 40, 80),
            Box("normal", 0.3, 90, 20, 40, 80),
            Box("covid", 0.05, 0, 0, 15, 15),
        ]
        return Prediction(boxes, 0.01)


@pytest.fixture(autouse=True)
def _fake(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(evaluate_command, "load_detector", lambda **_: Wavering())
    settings.DETECTOR_WEIGHTS = tmp_path / "none.pth"  # no manifest, so no scaling, beside them


def run(files, out, *more):
    annotations, images = files
    text = io.StringIO()
    call_command(
        "evaluate_detector",
        f"--annotations={annotations}",
        f"--images={images}",
        f"--out={out}",
        *map(str, more),
        stdout=text,
    )
    return json.loads(out.read_text()), text.getvalue()


def change(files, changed):
    """Rewrite the annotations by a function that changes the table."""
    annotations, _ = files
    table = json.loads(annotations.read_text())
    changed(table)
    annotations.write_text(json.dumps(table))
    return files


def test_everything_is_there(coco_set, tmp_path):
    report, text = run(coco_set(12), tmp_path / "r.json", "--controls")
    assert set(report["headline"]) == set(headline.NAMES)
    assert report["headline"]["ap50_mean"]["value"] == pytest.approx(
        report["ap"]["all"]["mean"]["ap50"], abs=1e-4
    )
    assert report["headline"]["auc_covid"]["value"] == pytest.approx(
        report["image_auc"]["covid"], abs=1e-4
    )
    counts = report["counts"]
    assert (counts["patients"], counts["images"], counts["boxes"]) == (12, 12, 24)
    classes = report["image_level"]["classes"]
    assert classes["covid"]["sensitivity"]["value"] == 1
    assert report["froc"]["covid"]["8"] > 0
    assert report["calibration"]["fitted_on"] == "cross-validation by patient"
    assert report["controls"]["border"]["fitted_on"].endswith("by patient")
    # the same lungs everywhere
    assert report["controls"]["fixed_boxes"]["ap75_lungs"]["value"] == 1
    assert 0 <= report["controls"]["lungs_blanked"]["auc_covid"]["value"] <= 1
    rows = [from_json(row) for row in report["evidence"]]
    assert headline.figures(rows) == {
        name: row["value"] for name, row in report["headline"].items()
    }
    assert "12 patients, 12 images, 24 boxes" in text
    low, high = (report["headline"]["auc_covid"][end] for end in ("low", "high"))
    assert f"({low:.3f} to {high:.3f})" in text
    # a line for each film, so that two reports can be compared by eye
    lines = (tmp_path / "r.json").read_text().splitlines()
    assert sum(line.lstrip().startswith('{"key"') for line in lines) == 12


def test_the_summary_keeps_the_headline(coco_set, tmp_path):
    report, _ = run(coco_set(4), tmp_path / "r.json")
    summary = release.summary(report)
    assert set(summary["headline"]) == set(report["headline"])
    for name, figure in summary["headline"].items():
        assert figure == pytest.approx(report["headline"][name], abs=1e-4)
    assert summary["ece_scaled"]["fitted_on"] == "cross-validation by patient"
    assert summary["ece_scaled"]["value"] == pytest.approx(
        report["calibration"]["after"]["ece"]["value"], abs=1e-4
    )
    assert len(json.dumps(summary)) < 6000
    assert summary["counts"] == report["counts"]
    assert "evidence" not in summary
    del report["headline"], report["counts"]
    assert "headline" not in release.summary(report)


def test_equal_scores_are_ranked_by_the_numbers_of_the_films(coco_set, tmp_path):
    def backwards(table):
        table["images"].reverse()

    forth, _ = run(coco_set(9), tmp_path / "a.json")
    back, _ = run(change(coco_set(9), backwards), tmp_path / "b.json")
    assert forth["headline"] == back["headline"]
    assert forth["evidence"] == back["evidence"]


def test_a_bare_set_with_one_class(coco_set, tmp_path):
    def bare(table):
        for row in [*table["images"], *table["annotations"]]:
            row.pop("source", None)
            row.pop("origin", None)
        for row in table["annotations"]:
            row["category_id"] = 3

    report, text = run(change(coco_set(3), bare), tmp_path / "r.json", "--controls")
    empty = {"value": None, "low": None, "high": None}
    figures = report["headline"]
    for name in ("auc_covid", "ap50_covid_human", "auc_covid_vs_pneumonia_within_source"):
        assert figures[name] == empty
    assert figures["ap50_covid"]["value"] > 0
    assert report["controls"]["border"] is None
    assert "auc_covid                            -" in text


def test_one_patient(coco_set, tmp_path):
    def same(table):
        for row in table["images"]:
            row["patient_id"] = 0

    report, _ = run(change(coco_set(3), same), tmp_path / "r.json", "--controls")
    assert report["counts"]["patients"] == 1
    assert report["headline"]["ap50_covid"]["value"] > 0
    assert report["headline"]["ap50_covid"]["low"] is None
    assert report["calibration"]["after"] is None
    assert report["controls"]["border"] is None


def test_films_of_one_name_in_two_folders_are_two_patients(coco_set, tmp_path):
    files = coco_set(2)
    for name in ("0.png", "1.png"):
        (files[1] / name[0]).mkdir()
        (files[1] / name).rename(files[1] / name[0] / "film.png")

    def moved(table):
        for row in table["images"]:
            row["file_name"] = f"{row['file_name'][0]}/film.png"

    report, _ = run(change(files, moved), tmp_path / "r.json")
    assert report["counts"]["patients"] == 2
    assert [row["key"] for row in report["evidence"]] == ["0/film.png", "1/film.png"]


def test_a_set_without_boxes(coco_set, tmp_path):
    report, _ = run(coco_set(3, annotations=[]), tmp_path / "r.json", "--controls")
    assert report["headline"]["ap50_mean"]["value"] is None
    assert report["controls"]["fixed_boxes"] is None
    assert report["image_level"]["confusion"]["none"]["covid"] == 3


def test_calibration_and_controls_from_other_films(coco_set, tmp_path):
    files = coco_set(8)
    run(files, tmp_path / "val.json")
    report, text = run(
        files,
        tmp_path / "r.json",
        f"--calibrate-on={tmp_path / 'val.json'}",
        f"--train-annotations={files[0]}",
    )
    assert report["calibration"]["fitted_on"] == "another set"
    assert report["controls"]["border"]["fitted_on"] == "the training set"
    assert report["controls"]["fixed_boxes"]["fitted_on"] == "the training set"
    assert report["controls"]["lungs_blanked"] is None
    assert "fitted on: another set" in text


def test_a_report_that_cannot_calibrate(coco_set, tmp_path):
    files = coco_set(3)
    report, _ = run(files, tmp_path / "val.json")
    other = tmp_path / "other.json"
    for content, code in (
        ("{", "report_unreadable"),
        ("[]", "report_invalid"),
        (json.dumps({"sha256": "f" * 64}), "report_invalid"),
        (json.dumps(report | {"evidence": []}), "report_invalid"),
        (json.dumps(report | {"sha256": "0" * 64}), "report_of_another_version"),
        (json.dumps(report | {"evidence": [{"key": "x"}]}), "evidence_invalid"),
    ):
        other.write_text(content)
        with pytest.raises(CommandError, match=code) as caught:
            run(files, tmp_path / "no.json", f"--calibrate-on={other}")
        assert caught.value.returncode == 1
    with pytest.raises(CommandError, match="report_unreadable"):
        run(files, tmp_path / "no.json", f"--calibrate-on={tmp_path / 'missing.json'}")
    assert not (tmp_path / "no.json").exists()
