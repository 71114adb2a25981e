"""The report as a page and as a block of the model card, and the scaling it is judged by."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from detection.detectors.classes import CLASSES
from detection.detectors.prediction import Box, Prediction
from detection.evaluation import card, misses
from detection.evaluation.charts import Axes, line_chart
from detection.management.commands import evaluate_detector as command
from detection.manifest import Manifest, Scaling
from imaging.frame import Frame
from tests.detectors.test_commands import Fake
from tests.evaluation.examples import random_set, rows_of
from twinhealth.errors import InvalidInputError

EVIL = '<script>alert("x")</script>|&'


class Unsure(Fake):
    """Calls each film covid, the more so the brighter its upper edge."""

    def predict(self, frame, *, min_score=None):
        score = 0.6 + float(frame.pixels[:15].mean()) / 255
        boxes = [Box("covid", score, 20, 20, 40, 80), Box("normal", 0.4, 90, 20, 40, 80)]
        least = 0.5 if min_score is None else min_score
        return Prediction([box for box in boxes if box.score >= least], 0.01)


class Strict(HTMLParser):
    """Every element is closed in order; collects the tags, and what they load."""

    void = {"meta", "br"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.loads = [], [], []

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)
        self.loads += [v for k, v in attributes if k in {"href", "src", "xlink:href", "srcset"}]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(autouse=True)
def _unsure(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(command, "load_detector", lambda **_: Unsure())
    settings.DETECTOR_WEIGHTS = tmp_path / "none.pth"


@pytest.fixture
def evaluate(coco_set, tmp_path):
    """Evaluate a tiny set, changed by a function, and give report, page and printed text."""

    def run(*more, change=None, count=9):
        annotations, images = coco_set(count)
        if change:
            table = json.loads(annotations.read_text())
            change(table, images)
            annotations.write_text(json.dumps(table))
        out, html, text = tmp_path / "r.json", tmp_path / "new" / "r.html", io.StringIO()
        call_command(
            "evaluate_detector", f"--annotations={annotations}", f"--images={images}",
            f"--out={out}", f"--html={html}", *more, stdout=text,
        )  # fmt: skip
        return json.loads(out.read_text()), html.read_text(), text.getvalue()

    return run


def bare(table, _):
    for row in [*table["images"], *table["annotations"]]:
        row.pop("source", None)
        row.pop("origin", None)


def evil(table, images):
    for i, row in enumerate(table["images"]):
        row["source"] = EVIL
        # a slash can't be in a file's name
        new = f"{i}{EVIL.replace('/', '')}.png"
        (images / row["file_name"]).rename(images / new)
        row["file_name"] = new


def parsed(html):
    reader = Strict()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_is_whole_and_loads_nothing(evaluate):
    report, html, _ = evaluate("--controls")
    read = parsed(html)
    assert "script" not in read.seen
    assert "style=" not in html
    assert "url(" not in html
    wrong = 6  # of nine films three are covid
    assert len(read.loads) == wrong
    assert all(value.startswith("data:image/png;base64,") for value in read.loads)
    assert html.count("<polyline") == 3 + 3 + 2 + 2  # two diseases in FROC, two stages
    assert read.seen.count("figure") == 4 + wrong
    for figure in report["headline"].values():
        if figure["value"] is not None:
            assert f"{figure['value']:.3f}" in html
            assert f"{figure['low']:.3f} to {figure['high']:.3f}" in html
    assert "9 patients, 9 films, 18 boxes" in html
    blanked = report["controls"]["lungs_blanked"]["auc_covid"]
    assert f"<td>{blanked['value']:.3f}<small>" in html
    assert "By source" in html
    # each film's two boxes, and the one finding from 0.5 on
    assert html.count('class="truth"') == 2 * wrong
    assert html.count('class="finding"') == wrong


def test_text_of_a_set_is_text(evaluate, tmp_path):
    path = tmp_path / "card.md"
    path.write_text("<!-- figures: annotations -->\n<!-- end of figures -->\n")
    _, html, _ = evaluate(f"--card={path}", change=evil)
    assert "<script" not in html
    assert "&lt;script&gt;alert(&quot;x&quot;)" in html
    assert "script" not in parsed(html).seen
    text = path.read_text()
    assert "<script" not in text
    row = next(line for line in text.splitlines() if "alert" in line)
    assert row.endswith(" |")
    assert len(re.findall(r"(?<!\\)\|", row)) == 1 + 2 + 2 * len(CLASSES)


def test_a_set_without_source_patient_or_origin(evaluate, tmp_path):
    path = tmp_path / "card.md"
    path.write_text("<!-- figures: annotations -->\n<!-- end of figures -->\n")
    report, html, _ = evaluate(f"--card={path}", change=bare)
    assert report["by_source"] == {}
    assert "By source" not in html
    assert "9 patients" in html
    assert "| source |" not in path.read_text()


def test_a_set_without_boxes(evaluate, tmp_path):
    path = tmp_path / "card.md"
    path.write_text("<!-- figures: annotations -->\n<!-- end of figures -->\n")
    _, html, _ = evaluate(f"--card={path}", change=lambda t, _: t.update(annotations=[]), count=3)
    parsed(html)
    for text in (html, path.read_text()):
        assert not re.search(r"\b(nan|None|inf)\b", text)
    assert "No film of a class is called another" in html


def test_one_patient(evaluate):
    def same(table, _):
        for row in table["images"]:
            row["patient_id"] = 0

    _, html, _ = evaluate(change=same)
    assert "There was nothing to fit it on" in html
    assert not re.search(r"\b(nan|None)\b", html)


def test_the_worst_misses_are_the_most_confident_errors():
    rows = rows_of(*random_set(3, films=60))
    listed = misses.worst(rows)
    assert len(listed) == misses.SHOWN
    margins = [max(row.scores.values()) - row.scores[row.label] for row in listed]
    assert all(a >= b for a, b in pairwise(margins))
    left = [row for row in rows if row.label and row not in listed]
    assert max(max(r.scores.values()) - r.scores[r.label] for r in left) <= margins[-1]
    for row in misses.worst(rows, most=999):
        assert row.scores[row.label] < max(row.scores.values()) or max(row.scores.values()) == 0


def test_a_picture_of_a_large_film_is_small():
    films, found = random_set(3, films=15)
    film = next(f for f in films if f.boxes and found[f.id])
    svg = misses.picture(
        Frame(np.zeros((3000, 2000), np.uint8), "MONOCHROME2", 8), film, found[film.id]
    )
    assert len(svg) < 20_000
    assert svg.count('class="finding"') == len(found[film.id])


def test_a_chart():
    svg = line_chart(EVIL, {"a<b": [(0, 0), (1, 1), (3, 1)]}, Axes("x", "y", x_end=2))
    assert "<script" not in svg
    assert "a&lt;b" in svg
    points = re.search(r'polyline points="([^"]*)"', svg)[1].split()
    assert points == ["48.0,256.0", "198.0,12.0"]  # the third lies beyond the axis


CARD = """# Card

before

<!-- figures: val -->
old
<!-- end of figures -->

<!-- figures: test -->
keep
<!-- end of figures -->
"""


def test_the_block_of_the_card(evaluate, tmp_path):
    path = tmp_path / "card.md"
    path.write_text(CARD)
    report, _, _ = evaluate(f"--card={path}", "--card-block=val")
    text = path.read_text()
    assert text.startswith("# Card\n\nbefore\n\n<!-- figures: val -->\n\n| figure | value")
    assert text.endswith("<!-- end of figures -->" + CARD.split("<!-- end of figures -->", 1)[1])
    assert "\nold\n" not in text
    figure = report["headline"]["auc_covid"]
    assert (
        f"| {figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f}) "
        "| 3 patients, 3 films | border and side ratio alone "
    ) in text
    card.write(path, "val", report)
    assert path.read_text() == text  # again is the same


@pytest.mark.parametrize(
    "content",
    [
        "# Card",
        "<!-- figures: val -->\nno end",
        CARD + CARD,
        CARD.replace("old\n<!-- end of figures -->", "open"),
    ],
)
def test_a_card_without_a_place_for_the_figures(content, evaluate, tmp_path, monkeypatch):
    path = tmp_path / "card.md"
    path.write_text(content)
    # said before any film is read
    monkeypatch.setattr(Unsure, "predict", lambda *_, **__: pytest.fail("a film was read"))
    with pytest.raises(CommandError, match="card_without_block") as caught:
        evaluate(f"--card={path}", "--card-block=val")
    assert caught.value.returncode == 1
    assert path.read_text() == content


def test_a_card_or_page_that_cannot_be_used(evaluate, tmp_path):
    with pytest.raises(InvalidInputError) as caught:
        card.check(tmp_path / "none.md", "val")
    assert caught.value.code == "card_unreadable"
    (tmp_path / "new").write_text("a file where the page's folder should be")
    with pytest.raises(CommandError, match="report_unwritable"):
        evaluate()


def test_the_scaling_of_the_manifest_is_used(evaluate, tmp_path):
    manifest = Manifest(
        "m", "none.pth", "a" * 64, "light", CLASSES, dict.fromkeys(CLASSES, 0.5), 64
    )
    beside = tmp_path / "none.json"
    beside.write_text(json.dumps(manifest.as_json()))
    report, html, _ = evaluate()
    assert report["calibration"]["fitted_on"] == "cross-validation by patient"
    beside.write_text(json.dumps(manifest.as_json() | {"temperature": 1.7, "offset": -0.4}))
    scaled, html, text = evaluate()
    found = scaled["calibration"]
    assert Scaling(found["temperature"], found["offset"]) == Scaling(1.7, -0.4)
    assert found["fitted_on"] == "the version's validation set"
    assert "temperature 1.70, offset -0.40; fitted on: the version's validation set" in text
    assert "temperature 1.70, offset -0.40" in html
    again, _, _ = evaluate("--cross-validate")
    assert again["calibration"] == report["calibration"]
    other, _, _ = evaluate(f"--calibrate-on={tmp_path / 'r.json'}")
    assert other["calibration"]["fitted_on"] == "another set"
    with pytest.raises(CommandError, match="not allowed with"):
        evaluate("--cross-validate", f"--calibrate-on={tmp_path / 'r.json'}")
