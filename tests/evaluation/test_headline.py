"""Figures from rows of evidence, against pycocotools and against cases worked out by hand."""

from __future__ import annotations

import dataclasses
import json
import time

import numpy as np
import pytest

from detection.detectors.classes import CLASSES
from detection.detectors.coco import Truth
from detection.detectors.prediction import Box
from detection.evaluation import average_precision as coco
from detection.evaluation.evidence import FilmEvidence, Judged, evidence_of
from detection.evaluation.headline import HEADLINE, class_curve, compare, figures, intervals
from tests.evaluation.sets import random_set
from twinhealth.errors import InvalidInputError


@pytest.fixture(autouse=True)
def _exact(monkeypatch):
    monkeypatch.setattr(coco, "_round", float)


def by_pycocotools(films, found, **how):
    if how.get("human_only"):
        films = [f for f in films if any(t.origin == "human" and not t.crowd for t in f.boxes)]
    return coco.average_precision(films, found, **how)


def ap(report, label, key="ap50"):
    return report[label] and report[label][key]


@pytest.mark.parametrize("seed", range(40))
def test_average_precision_is_that_of_pycocotools(seed):
    films, found = random_set(seed)
    rows = evidence_of(films, found)
    got = figures(rows)
    every, lungs = by_pycocotools(films, found), by_pycocotools(films, found, classes_ignored=True)
    human = by_pycocotools(films, found, human_only=True)
    assert got["ap50_mean"] == pytest.approx(ap(every, "mean"), abs=1e-6)
    assert got["ap50_covid"] == pytest.approx(ap(every, "covid"), abs=1e-6)
    assert got["ap50_covid_human"] == pytest.approx(ap(human, "covid"), abs=1e-6)
    assert got["ap50_lungs"] == pytest.approx(ap(lungs, "any"), abs=1e-6)
    assert got["ap75_lungs"] == pytest.approx(ap(lungs, "any", "ap75"), abs=1e-6)
    for label in CLASSES:
        for strict, key in ((False, "ap50"), (True, "ap75")):
            for human_only, report in ((False, every), (True, human)):
                curve = class_curve(rows, label, strict=strict, human_only=human_only)
                value = curve.average_precision(np.ones((1, len(rows))))[0]
                wanted = ap(report, label, key)
                assert np.isnan(value) if wanted is None else value == pytest.approx(wanted)


def test_a_film_drawn_twice_counts_as_two():
    # no equal scores: their order between films is the only thing that a copy changes
    films, found = random_set(3)
    rng = np.random.default_rng(1)
    found = {i: [b._replace(score=rng.random()) for b in boxes] for i, boxes in found.items()}
    weights = rng.integers(0, 4, len(films))
    by_id = sorted(films, key=lambda film: film.id)
    copies, copied = [], {}
    for film, times in zip(by_id, weights, strict=True):
        for _ in range(times):
            number = len(copies) + 1
            copies.append(dataclasses.replace(film, id=number))
            copied[number] = found[film.id]
    drawn = figures(evidence_of(films, found), weights)
    assert drawn == pytest.approx(figures(evidence_of(copies, copied)))
    assert drawn["ap50_mean"] == pytest.approx(
        coco.average_precision(copies, copied)["mean"]["ap50"]
    )


def test_more_than_a_hundred_boxes_of_a_film():
    films, found = random_set(5, films=3)
    rng = np.random.default_rng(2)
    target = next(film for film in films if film.boxes)
    found[target.id] = [
        Box(
            target.boxes[0].label,
            rng.random(),
            *np.add(target.boxes[0].box, rng.normal(0, 9, 4) ** 2),
        )
        for _ in range(300)
    ]
    report = by_pycocotools(films, found)
    assert figures(evidence_of(films, found))["ap50_mean"] == pytest.approx(report["mean"]["ap50"])


def row(key, label, covid=0.0, pneumonia=0.0, normal=0.0, *, source="", patient=""):
    scores = {"covid": covid, "pneumonia": pneumonia, "normal": normal}
    return FilmEvidence(
        key, patient or key, source, label, scores, (), dict.fromkeys(CLASSES, 0)
    )  # fmt: skip


def test_film_figures_by_hand():
    rows = [
        row("a", "covid", 0.9, 0.1, source="x"),
        row("b", "covid", 0.4, 0.4, source="x"),
        row("c", "pneumonia", 0.4, 0.2, source="x"),
        row("d", "normal", 0.1, 0.0, 0.8, source="y"),
        row("e", "", 1.0),  # nobody knows
    ]
    got = figures(rows)
    # pairs covid against the rest: a beats both, b ties with c and beats d
    assert got["auc_covid"] == pytest.approx(3.5 / 4)
    assert got["auc_pneumonia"] == pytest.approx(2 / 3)
    assert got["auc_normal"] == 1
    # covid's part of both: a 0.9, b 0.5, c 0.67
    assert got["auc_covid_vs_pneumonia_within_source"] == 0.5
    # no other film may be flagged: 90 % of two are two
    assert got["sensitivity_covid_at_specificity_90"] == 0.5
    assert got["ap50_mean"] is None
    assert set(got) == set(HEADLINE)


def test_films_of_two_sources_are_not_compared_with_each_other():
    rows = [
        row("a", "covid", 0.2, 0.8, source="x"),
        row("b", "pneumonia", 0.1, 0.9, source="x"),
        row("c", "pneumonia", 0.9, 0.1, source="y"),
        row("d", "covid", 0.9, 0.0),
        row("e", "pneumonia", 0.9, 0.0),
    ]
    assert figures(rows)["auc_covid_vs_pneumonia_within_source"] == 1
    assert figures(rows[1:])["auc_covid_vs_pneumonia_within_source"] is None


def test_ties_do_not_buy_sensitivity():
    rows = [row(f"n{i}", "normal", 0.5) for i in range(10)] + [row("c", "covid", 0.5)]
    assert figures(rows)["sensitivity_covid_at_specificity_90"] == 0
    rows[0] = row("n0", "normal", 0.6)
    rows[-1] = row("c", "covid", 0.6)
    assert figures(rows)["sensitivity_covid_at_specificity_90"] == 1


def test_nothing_to_say():
    assert set(figures([row("a", "")]).values()) == {None}
    assert set(intervals([row("a", "")], draws=10).values()) == {None}
    assert set(figures([]).values()) == {None}
    assert set(intervals([], draws=10).values()) == {None}


def test_intervals_hold_the_figure_and_narrow_with_patients():
    films, found = random_set(7, films=60, patients=50)
    rows = evidence_of(films, found)
    few = intervals(rows, draws=400)
    assert few == intervals(rows, draws=400)
    assert few != intervals(rows, draws=400, seed=1)
    more = intervals(
        [
            dataclasses.replace(r, key=f"{k}{r.key}", patient=f"{k}{r.patient}")
            for k in range(9)
            for r in rows
        ],
        draws=400,
    )
    for name in ("ap50_mean", "ap50_lungs", "auc_covid"):
        low, high = few[name]
        assert low < figures(rows)[name] < high
        assert more[name][1] - more[name][0] < 0.6 * (high - low)


def test_patients_are_drawn_not_films():
    # 40 films in all: of 40 patients, or of two
    films = [row(f"{i}", ("covid", "normal")[i % 2], (i * 7 % 40) / 40) for i in range(40)]
    pair = [dataclasses.replace(r, patient=str(i // 20)) for i, r in enumerate(films)]
    assert len({r.patient for r in pair}) == 2
    rng = np.random.default_rng(0)
    scores = np.where(np.arange(40) < 20, 0.9, 0.1)  # all that differs, differs by patient
    by_patient = [
        dataclasses.replace(
            r, label="covid" if rng.random() < s else "normal", scores={**r.scores, "covid": s}
        )
        for r, s in zip(pair, scores, strict=True)
    ]
    alone = [dataclasses.replace(r, patient=r.key) for r in by_patient]
    wide, narrow = (intervals(rows, draws=500)["auc_covid"] for rows in (by_patient, alone))
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_the_better_version_and_the_worse():
    films, found = random_set(11, films=80, crowds=False, patients=80)
    right = {f.id: [Box(t.label, 0.9, *t.box) for t in f.boxes] for f in films}
    good, bad = evidence_of(films, right), evidence_of(films, found)
    better, worse = compare(good, bad, draws=300), compare(bad, good[::-1], draws=300)
    assert set(better) == set(HEADLINE)
    assert not any(one["worse"] for one in better.values())
    for name in ("ap50_mean", "ap50_lungs", "ap75_lungs", "auc_covid", "ece"):
        assert worse[name]["worse"], name
        sign = -1 if name == "ece" else 1
        assert better[name]["difference"] * sign > 0
        assert better[name]["difference"] == pytest.approx(-worse[name]["difference"])
        assert better[name]["low"] <= better[name]["difference"] <= better[name]["high"]
    same = compare(bad, bad, draws=50)
    assert all(one["difference"] in {0.0, None} and not one["worse"] for one in same.values())


def test_a_figure_that_the_set_does_not_define_is_not_worse():
    rows = [row("a", "covid", 0.9), row("b", "normal", 0.1)]
    assert compare(rows, rows, draws=20)["ap50_covid_human"] == {
        "difference": None, "low": None, "high": None, "worse": False,
    }  # fmt: skip


def test_versions_on_other_films_are_not_compared():
    rows = [row("a", "covid"), row("b", "normal")]
    for other in (rows[:1], [rows[0], rows[0]], [row("a", "covid"), row("c", "normal")]):
        with pytest.raises(InvalidInputError) as caught:
            compare(other, rows)
        assert caught.value.code == "evidence_differs"
        with pytest.raises(InvalidInputError):
            compare(rows, other)


def test_a_thousand_draws_take_seconds():
    films, found = random_set(1, films=300, patients=200)
    rows = evidence_of(films, found)
    start = time.process_time()
    intervals(rows)
    assert time.process_time() - start < 60  # a loop over draws and films takes many minutes


def test_rows_survive_json():
    films, found = random_set(2)
    rows = evidence_of(films, found)
    again = [FilmEvidence.from_json(json.loads(json.dumps(r.as_json()))) for r in rows]
    assert again == rows
    assert any(box.hit50 is None for r in again for box in r.human_boxes)


@pytest.mark.parametrize(
    "change",
    [
        {"scores": {"covid": 1}},
        {"boxes": [["covid", 0.5, 1, True]]},
        {"boxes": [["covid", 0.5, True]]},
        {"wanted": None},
        {"human_wanted": {"covid": "x"}},
    ],
)
def test_a_stored_row_that_is_none(change):
    stored = row("a", "covid", 0.5).as_json() | change
    with pytest.raises(InvalidInputError) as caught:
        FilmEvidence.from_json(stored)
    assert caught.value.code == "evidence_invalid"


def test_what_a_set_does_not_tell():
    films, found = random_set(4)
    films = [dataclasses.replace(f, patient="", source="", key="", image_class="") for f in films]
    rows = evidence_of(films, found)
    assert [r.key for r in rows] == sorted(
        (r.key for r in rows), key=lambda k: int(k.split(".")[0])
    )
    assert all(r.patient == r.key for r in rows)
    by_key = {f.path.name: f for f in films}
    for r in rows:
        labels = {t.label for t in by_key[r.key].boxes}
        assert r.label == next((label for label in CLASSES if label in labels), "")


def test_boxes_are_judged():
    made, _ = random_set(0, films=1)
    film = dataclasses.replace(made[0], boxes=(Truth("covid", (0, 0, 10, 10), "human"),))
    found = {
        film.id: [
            Box("covid", 0.6, 0, 0, 10, 6),  # IoU 0.6, but the next one took it
            Box("covid", 0.9, 0, 0, 10, 9),
            Box("normal", 0.8, 0, 0, 10, 10),
        ]
    }
    one = evidence_of([film], found)[0]
    assert one.boxes == (
        Judged("covid", 0.9, True, True),
        Judged("covid", 0.6, False, False),
        Judged("normal", 0.8, False, False),
    )
    assert [box.hit75 for box in one.lung_boxes] == [True, False, False]
    assert one.scores == {"covid": 0.75, "pneumonia": 0.0, "normal": 0.4}
