"""`evaluate_detector` as people call it: options, files, and sets that lack something."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from detection.detectors.classes import CLASSES
from detection.detectors.release import summary
from detection.evaluation.evidence import FilmEvidence
from detection.evaluation.headline import figures
from detection.management.commands import evaluate_detector as command
from detection.manifest import Manifest, read_manifest
from tests.detectors.test_commands import Fake


@pytest.fixture(autouse=True)
def _fake(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(command, "load_detector", lambda **_: Fake())
    settings.DETECTOR_WEIGHTS = tmp_path / "none.pth"


@pytest.fixture
def files(coco_set):
    return coco_set(6)


def evaluate(files, tmp_path, *more):
    annotations, images = files
    out = tmp_path / "report.json"
    call_command(
        "evaluate_detector", f"--annotations={annotations}", f"--images={images}", f"--out={out}",
        *more,
    )  # fmt: skip
    return json.loads(out.read_text())


def change(files, edit):
    annotations, _ = files
    table = json.loads(annotations.read_text())
    edit(table)
    annotations.write_text(json.dumps(table))
    return files


def test_everything_of_one_run(files, tmp_path):
    report = evaluate(files, tmp_path)
    rows = [FilmEvidence.from_json(row) for row in report["evidence"]]
    assert len(rows) == 6
    for name, value in figures(rows).items():
        shown = report["headline"][name]
        assert shown["value"] == (None if value is None else pytest.approx(value, abs=1e-4))
        assert shown["images"] <= 6
    assert report["headline"]["ap50_mean"]["boxes"] == 12
    human = report["headline"]["ap50_covid_human"]
    assert (human["patients"], human["images"], human["boxes"]) == (3, 3, 2)
    assert set(report["controls"]) == {"border", "lungs_blanked", "fixed_boxes"}
    assert report["by_source"]["here"]["patients"] == 3
    assert report["image"]["films"] == dict.fromkeys(CLASSES, 2)
    assert report["calibration"]["temperature_from"] == "none"
    assert len(report["worst_misses"]) == 4  # all are called covid


def test_a_summary_is_small(files, tmp_path):
    report = evaluate(files, tmp_path)
    short = summary(report)
    assert set(short["headline"]) == set(report["headline"])
    assert set(short["headline"]["auc_covid"]) == {"value", "low", "high"}
    assert short["patients"] == 6
    assert "evidence" not in short
    assert len(json.dumps(short)) < 6000


def test_controls_can_be_left_out(files, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(Fake, "predict", _counting(Fake.predict, read))
    assert evaluate(files, tmp_path, "--no-controls")["controls"] is None
    assert len(read) == 6
    evaluate(files, tmp_path)
    assert len(read) == 6 + 12


def _counting(predict, read):
    def counted(self, frame, *, min_score=None):
        read.append(frame)
        return predict(self, frame, min_score=min_score)

    return counted


def test_controls_fitted_on_training_films(files, tmp_path):
    annotations, _ = files
    report = evaluate(files, tmp_path, f"--train-annotations={annotations}")
    assert report["controls"]["border"]["fitted_on"] == "6 training films"


def test_where_the_temperature_comes_from(files, tmp_path, settings):
    fitted = evaluate(files, tmp_path, "--fit-temperature")["calibration"]
    assert fitted["temperature_from"] == "fitted on this set"
    assert fitted["after"]["ece"] <= fitted["before"]["ece"]
    given = evaluate(files, tmp_path, "--temperature=2.5")
    assert given["calibration"]["temperature"] == 2.5
    assert given["calibration"]["temperature_from"] == "of the version"
    assert given["headline"]["ece"]["value"] == given["calibration"]["after"]["ece"]
    manifest = Manifest(
        "m",
        "none.pth",
        "a" * 64,
        "light",
        CLASSES,
        dict.fromkeys(CLASSES, 0.5),
        64,
        temperature=1.7,
    )
    (tmp_path / "none.json").write_text(json.dumps(manifest.as_json()))
    assert evaluate(files, tmp_path)["calibration"]["temperature"] == 1.7
    for wrong in ("0", "-1", "nan", "hot", "1000"):
        with pytest.raises(CommandError, match="above 0 and below 100"):
            evaluate(files, tmp_path, f"--temperature={wrong}")
    with pytest.raises(CommandError, match="not allowed with"):
        evaluate(files, tmp_path, "--temperature=2", "--fit-temperature")


def test_figures_and_temperature_go_into_the_manifest(files, tmp_path):
    with pytest.raises(CommandError, match="manifest_missing"):
        evaluate(files, tmp_path, "--metrics-as=val")
    assert not (tmp_path / "report.json").exists()
    beside = tmp_path / "none.json"
    before = Manifest(
        "m", "none.pth", "a" * 64, "light", CLASSES, dict.fromkeys(CLASSES, 0.5), 64,
        metrics={"val": {"images": 1}, "test": {"images": 2}},
    )  # fmt: skip
    beside.write_text(json.dumps(before.as_json()))
    report = evaluate(files, tmp_path, "--metrics-as=val", "--fit-temperature")
    after = read_manifest(beside)
    assert after.metrics == {"val": summary(report), "test": {"images": 2}}
    assert after.temperature == report["calibration"]["temperature"]
    evaluate(files, tmp_path, "--metrics-as=test", "--temperature=9")
    assert read_manifest(beside).temperature == after.temperature  # none was fitted


def test_page_and_card(files, tmp_path):
    card = tmp_path / "card.md"
    card.write_text("<!-- annotations -->\n<!-- end -->\n")
    page = tmp_path / "new" / "report.html"
    evaluate(files, tmp_path, f"--html={page}", f"--card={card}")
    assert page.read_text().count("<figure>") == 4 + 4
    assert "AP50 covid" in card.read_text()
    card.write_text("# no place")
    with pytest.raises(CommandError, match="card_without_block"):
        evaluate(files, tmp_path, f"--card={card}")
    card.write_text("<!-- mine -->\n<!-- end -->\n")
    evaluate(files, tmp_path, f"--card={card}", "--card-block=mine")
    assert "AP50 covid" in card.read_text()


def test_a_place_that_cannot_be_written(files, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="report_unwritable") as caught:
        evaluate(files, tmp_path, f"--html={tmp_path / 'file' / 'x.html'}")
    assert caught.value.returncode == 1


def test_a_set_with_two_of_the_classes(files, tmp_path):
    def drop_covid(table):
        table["categories"] = [c for c in table["categories"] if c["name"] != "covid"]
        table["annotations"] = [a for a in table["annotations"] if a["category_id"] != 3]

    report = evaluate(change(files, drop_covid), tmp_path, f"--html={tmp_path / 'r.html'}")
    assert report["ap"]["all"]["covid"] is None
    assert report["headline"]["auc_covid"]["value"] is None
    assert report["headline"]["ap50_mean"]["value"] is not None
    assert report["image"]["unknown"] == 2


def test_a_set_with_none_of_the_classes(files, tmp_path):
    def rename(table):
        table["categories"] = [{"id": 1, "name": "nodule"}]

    with pytest.raises(CommandError, match="categories_missing"):
        evaluate(change(files, rename), tmp_path)


def test_an_empty_set(files, tmp_path):
    with pytest.raises(CommandError, match="names no image"):
        evaluate(change(files, lambda table: table.update(images=[], annotations=[])), tmp_path)


def test_films_without_any_box(files, tmp_path):
    report = evaluate(
        change(files, lambda table: table.update(annotations=[])), tmp_path,
        f"--html={tmp_path / 'r.html'}",
    )  # fmt: skip
    assert report["ap"]["all"]["mean"] is None
    assert {figure["value"] for figure in report["headline"].values()} == {None}
    with pytest.raises(CommandError, match="calibration_impossible"):
        evaluate(files, tmp_path, "--fit-temperature")


def test_boxes_outside_are_counted(files, tmp_path):
    def move(table):
        table["annotations"][0]["bbox"] = [-10, 0, 50, 50]
        table["annotations"][1]["bbox"] = [500, 0, 50, 50]
        table["annotations"][2]["iscrowd"] = 1

    report = evaluate(change(files, move), tmp_path)
    assert (report["data"]["clipped"], report["data"]["dropped"]) == (1, 1)
    assert report["headline"]["ap50_mean"]["boxes"] == 10


def test_a_broken_film_is_named(files, tmp_path):
    (files[1] / "2.png").write_bytes(b"not a film")
    with pytest.raises(CommandError, match=r"2\.png"):
        evaluate(files, tmp_path)
    (files[1] / "2.png").unlink()
    with pytest.raises(CommandError, match=r"images_missing.*2\.png"):
        evaluate(files, tmp_path)
