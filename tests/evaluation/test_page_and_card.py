"""The report as a page and as a block of the model card."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from detection.detectors.classes import CLASSES
from detection.detectors.coco import CocoSet
from detection.evaluation import card, misses, page, reading
from detection.evaluation.charts import Axes, line_chart
from detection.evaluation.evidence import evidence_of
from imaging.frame import Frame
from tests.evaluation.sets import random_set
from tests.evaluation.test_controls import Shortcut
from twinhealth.errors import InvalidInputError

EVIL = '<script>alert("x")</script>|'


class Strict(HTMLParser):
    """Every element is closed in order; collects the tags, and what they load."""

    void = {"meta", "br"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.loads = [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.loads += [v for k, v in attributes if k in {"href", "src", "xlink:href"}]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)
        self.loads += [v for k, v in attributes if k in {"href", "src", "xlink:href"}]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(html):
    reader = Strict()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture
def report(monkeypatch):
    def make(*, evil=False, bare=False, controls=True, **more):
        films, _ = random_set(3, films=15)
        if evil:
            films = [_replaced(f, source=EVIL, key=f"{f.id}{EVIL}") for f in films]
        if bare:
            films = [_replaced(f, source="", boxes=(), image_class="") for f in films]
        rng = np.random.default_rng(0)
        pixels = {f.id: rng.integers(0, 256, (130, 130), dtype=np.uint8) for f in films}
        monkeypatch.setattr(reading, "frame_of", lambda f: Frame(pixels[f.id], "MONOCHROME2", 8))
        measured = reading.measure(
            Shortcut(),
            CocoSet(tuple(films)),
            controls_wanted=reading.Controls() if controls else None,
            **more,
        )
        return films, measured

    return make


def _replaced(film, **changes):
    return dataclasses.replace(film, **changes)


def rendered(films, measured):
    by_key = {film.key: film for film in films}
    pictures = {
        miss["film"]: misses.picture(
            reading.frame_of(by_key[miss["film"]]),
            by_key[miss["film"]],
            measured.found,
            dict.fromkeys(CLASSES, 0.1),
        )
        for miss in measured.report["worst_misses"]
    }
    return page.render(measured.report, data=f"set {EVIL}", pictures=pictures)


def test_the_page_is_whole_and_loads_nothing(report):
    films, measured = report(fit=True)
    html = rendered(films, measured)
    read = parsed(html)
    assert "script" not in read.seen
    assert read.loads
    assert all(value.startswith("data:image/png;base64,") for value in read.loads)
    assert read.seen.count("figure") == 4 + len(measured.report["worst_misses"])
    assert "url(" not in html
    value = measured.report["headline"]["auc_covid"]["value"]
    assert f"{value:.3f}" in html
    assert str(measured.report["calibration"]["temperature"]) in html
    assert html.count("stroke-dasharray: 7 5") == 1


def test_text_of_a_set_is_text(report):
    films, measured = report(evil=True)
    html = rendered(films, measured)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "script" not in parsed(html).seen


def test_a_set_that_tells_nothing_is_a_page_too(report):
    films, measured = report(bare=True, controls=False)
    html = rendered(films, measured)
    parsed(html)
    assert "Not measured in this run" in html
    assert "By source" not in html
    assert "nan" not in html.lower().replace("stated", "")


def test_the_worst_misses_are_the_most_confident_errors(report):
    films, _ = random_set(3, films=40)
    rows = evidence_of(films, random_set(3, films=40)[1])
    listed = misses.worst(rows)
    assert len(listed) == misses.SHOWN
    margins = [max(m["scores"].values()) - m["scores"][m["label"]] for m in listed]
    assert all(a >= b - 1e-9 for a, b in pairwise(margins))
    assert all(m["called"] != m["label"] for m in listed)
    wrong = {m["film"] for m in misses.worst(rows, most=999)}
    for r in rows:
        best = max(r.scores.values())
        if r.label and r.scores[r.label] < best:
            assert r.key in wrong


def test_a_picture_shows_what_is_annotated_and_what_is_found(report):
    films, found = random_set(3, films=15)
    film = next(f for f in films if f.boxes and found[f.id])
    frame = Frame(np.zeros((130, 130), np.uint8), "MONOCHROME2", 8)
    served = dict.fromkeys(CLASSES, 0.5)
    svg = misses.picture(frame, film, found, served)
    assert svg.count('class="truth"') == len(film.boxes)
    above = [b for b in found[film.id] if b.score >= 0.5]
    assert svg.count('class="finding"') == len(above)


def test_a_chart():
    svg = line_chart(EVIL, {"a<b": [(0, 0), (1, 1), (3, 1)]}, Axes("x", "y", x_end=2, dots=False))
    assert "<script" not in svg
    assert "a&lt;b" in svg
    points = re.search(r'polyline points="([^"]*)"', svg)[1].split()
    assert points == ["48.0,256.0", "198.0,12.0"]  # the third lies beyond the axis


CARD = "# Card\n\nbefore\n\n<!-- val -->\nold\n<!-- end -->\n\n<!-- test -->\nkeep\n<!-- end -->\n"


def test_the_block_of_the_card(report, tmp_path):
    _, measured = report(evil=True, fit=True)
    path = tmp_path / "card.md"
    path.write_text(CARD)
    card.write(path, "val", measured.report)
    text = path.read_text()
    assert text.startswith("# Card\n\nbefore\n\n<!-- val -->\n| figure")
    assert text.endswith("<!-- end -->\n\n<!-- test -->\nkeep\n<!-- end -->\n")
    assert "\nold\n" not in text
    assert "<script" not in text
    for line in text.splitlines():
        if line.startswith("| set") or "script" in line:
            assert len(re.findall(r"(?<!\\)\|", line)) == len(
                re.findall(r"\|", "| source | films | a | b | c | d | e | f |")
            )
    figure = measured.report["headline"]["auc_covid"]
    assert f"{figure['value']:.3f} | {figure['low']:.3f} to {figure['high']:.3f}" in text
    card.write(path, "val", measured.report)
    assert path.read_text() == text


def test_a_card_of_a_set_that_tells_nothing(report, tmp_path):
    _, measured = report(bare=True, controls=False)
    path = tmp_path / "card.md"
    path.write_text(CARD)
    card.write(path, "test", measured.report)
    assert "nan" not in path.read_text()
    assert "negative controls" not in path.read_text()


def test_a_card_without_a_place_for_the_figures(report, tmp_path):
    _, measured = report(controls=False)
    path = tmp_path / "card.md"
    for content in ("# Card", "<!-- val -->\nno end", CARD + CARD):
        path.write_text(content)
        with pytest.raises(InvalidInputError) as caught:
            card.write(path, "val", measured.report)
        assert caught.value.code == "card_without_block"
        assert path.read_text() == content
    with pytest.raises(InvalidInputError) as caught:
        card.write(tmp_path / "none.md", "val", measured.report)
    assert caught.value.code == "card_unreadable"
