"""Evidence rows give the figures of pycocotools, with intervals that behave as they must."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pytest

from detection.detectors import average_precision as by_coco
from detection.detectors.coco import Film, Truth
from detection.detectors.operating_point import image_auc
from detection.detectors.prediction import Box
from detection.evaluation import evidence, headline
from tests.evaluation.examples import random_set, rows_of
from twinhealth.errors import InvalidInputError

LUNG = (10.0, 10.0, 30.0, 60.0)


def unrounded(monkeypatch):
    monkeypatch.setattr(by_coco, "_round", float)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("steps", [0, 4], ids=["scores-differ", "many-ties"])
def test_the_figures_are_those_of_pycocotools(seed, steps, monkeypatch):
    unrounded(monkeypatch)
    films, found = random_set(seed, steps=steps)
    ours = headline.figures(rows_of(films, found))
    ap = by_coco.average_precision
    people = [film for film in films if any(t.origin == "human" for t in film.boxes)]
    everything = ap(films, found)
    places = ap(films, found, classes_ignored=True)["any"]
    assert ours["ap50_mean"] == pytest.approx(everything["mean"]["ap50"], abs=1e-6)
    assert ours["ap50_covid"] == pytest.approx(everything["covid"]["ap50"], abs=1e-6)
    human = ap(people, found, human_only=True)["covid"]["ap50"]
    assert ours["ap50_covid_human"] == pytest.approx(human, abs=1e-6)
    assert ours["ap50_lungs"] == pytest.approx(places["ap50"], abs=1e-6)
    assert ours["ap75_lungs"] == pytest.approx(places["ap75"], abs=1e-6)
    for label, value in image_auc(films, found).items():
        assert ours[f"auc_{label}"] == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_a_film_that_counts_twice_is_a_film_that_is_there_twice(seed):
    rows = rows_of(*random_set(seed, films=15))
    weights = np.random.default_rng(seed).integers(0, 4, len(rows))
    again = [row for row, n in zip(rows, weights, strict=True) for _ in range(n)]
    assert headline.figures(rows, weights) == pytest.approx(headline.figures(again), abs=1e-9)


def test_more_than_a_hundred_finds_of_a_film_are_cut_as_coco_does(monkeypatch):
    unrounded(monkeypatch)
    film = Film(1, Path("x.png"), 100, 100, "", (Truth("covid", LUNG, ""),))
    wrong = [Box("covid", 0.9, 80, 80, 10, 10)] * 100
    found = {1: [*wrong, Box("covid", 0.5, *LUNG)]}
    assert by_coco.average_precision([film], found)["covid"]["ap50"] == 0
    assert headline.figures(rows_of([film], found))["ap50_covid"] == 0


def test_rows_survive_json():
    rows = rows_of(*random_set(3))
    again = [evidence.from_json(json.loads(json.dumps(row.as_json()))) for row in rows]
    assert again == rows
    broken = rows[0].as_json()
    broken["boxes"]["finds"] = [["covid", 0.5, 2, 0]]
    for row in ({}, broken, [], rows[0].as_json() | {"scores": {}}):
        with pytest.raises(InvalidInputError, match="evidence"):
            evidence.from_json(row)


def test_a_film_of_two_classes_is_a_film_of_the_disease():
    truths = (Truth("normal", LUNG, ""), Truth("normal", LUNG, ""), Truth("pneumonia", LUNG, ""))
    row = evidence.of_film(Film(1, Path("a/x.png"), 9, 9, "", truths), [])
    assert row.label == "pneumonia"
    assert (row.key, row.patient) == ("x.png", "x.png")
    assert row.human == evidence.View()
    assert evidence.of_film(Film(1, Path("x.png"), 9, 9, "", ()), []).label == ""


def test_within_a_source_films_of_other_sources_are_not_compared():
    def film(number, source, label):
        return Film(number, Path(f"{number}.png"), 90, 90, source, (Truth(label, LUNG, ""),))

    films = [film(1, "a", "covid"), film(2, "a", "pneumonia"), film(3, "b", "covid")]
    found = {1: [Box("covid", 0.2, *LUNG)], 2: [Box("covid", 0.5, *LUNG)]}
    found[3] = [Box("covid", 0.9, *LUNG)]
    rows = rows_of(films, found)
    assert headline.figures(rows)["auc_covid_vs_pneumonia_within_source"] == 0
    silent = [dataclasses.replace(row, source="") for row in rows]
    assert headline.figures(silent)["auc_covid_vs_pneumonia_within_source"] is None


def test_sensitivity_at_a_specificity():
    def row(number, label, score):
        film = Film(number, Path(f"{number}.png"), 90, 90, "", (Truth(label, LUNG, ""),))
        return evidence.of_film(film, [Box("covid", score, *LUNG)])

    well = [row(i, "normal", i / 20) for i in range(10)]  # 0 .. 0.45: one may be flagged
    ill = [row(20 + i, "covid", s) for i, s in enumerate((0.9, 0.42, 0.4, 0.1))]
    figure = headline.figures(well + ill)["sensitivity_covid_at_specificity_90"]
    assert figure == 0.5  # 0.45 is flagged with 0.42; with 0.40 a second would be


def test_what_a_set_cannot_tell_is_none():
    rows = rows_of(*random_set(1, classes=("covid",)))
    figures = headline.figures(rows)
    assert figures["auc_normal"] is None
    assert figures["auc_covid_vs_pneumonia_within_source"] is None
    assert figures["ap50_mean"] == figures["ap50_covid"]
    one = headline.intervals([dataclasses.replace(row, patient="one") for row in rows])
    assert one["ap50_covid"] == {"value": figures["ap50_covid"], "low": None, "high": None}
    assert set(headline.figures([])) == set(headline.NAMES)
    assert set(headline.figures([]).values()) == {None}


def test_intervals_hold_the_value_and_follow_the_patients():
    rows = rows_of(*random_set(5, films=60, patients=60))
    wide = headline.intervals(rows)
    for name, row in wide.items():
        assert row["low"] <= row["value"] <= row["high"], name
        assert row["low"] < row["high"]
    assert headline.intervals(rows) == wide
    assert headline.intervals(rows, seed=1) != wide
    # the same films of ever more patients: what is known of each figure grows
    many = [
        dataclasses.replace(row, patient=f"{row.patient}-{copy}", key=f"{row.key}-{copy}")
        for row in rows
        for copy in range(9)
    ]
    narrow = headline.intervals(many, draws=300)["auc_covid"]
    span = narrow["high"] - narrow["low"]
    assert span < 0.6 * (wide["auc_covid"]["high"] - wide["auc_covid"]["low"])
    # nine films of one patient are no more than one
    copies = [dataclasses.replace(row, patient=row.patient.split("-")[0]) for row in many]
    same = headline.intervals(copies, draws=300)["auc_covid"]
    assert same["high"] - same["low"] > 1.5 * span


def test_a_thousand_draws_over_a_real_sized_set_take_seconds():
    rows = rows_of(*random_set(6, films=300, patients=250))
    start = time.process_time()
    headline.intervals(rows, draws=1000)
    assert time.process_time() - start < 60


def test_compare_is_paired():
    films, found = random_set(7, films=60, patients=60)
    active = rows_of(films, found)
    same = headline.compare(active, active[::-1])
    assert {row["difference"] for row in same.values()} == {0}
    assert not any(row["worse"] for row in same.values())
    blind = [
        dataclasses.replace(
            row,
            boxes=dataclasses.replace(row.boxes, finds=()),
            scores={"covid": 1.0 - row.has("covid"), "pneumonia": 1.0, "normal": 1.0},
        )
        for row in active
    ]
    result = headline.compare(blind, active)
    assert result["ap50_mean"]["worse"] is True
    assert result["ap50_mean"]["high"] < 0
    assert result["auc_covid"]["worse"] is True
    assert result["ece"]["difference"] > 0
    assert result["ece"]["worse"] is True  # a higher error is worse
    assert result["ap50_lungs"]["worse"] is False
    better = headline.compare(active, blind)
    assert not any(row["worse"] for row in better.values())


def test_compare_wants_the_same_films():
    rows = rows_of(*random_set(8))
    other_boxes = dataclasses.replace(rows[0], boxes=evidence.View({"covid": 9}))
    for active in (rows[1:], [*rows, rows[0]], [other_boxes, *rows[1:]]):
        with pytest.raises(InvalidInputError) as caught:
            headline.compare(rows, active)
        assert caught.value.code == "evidence_differs"
