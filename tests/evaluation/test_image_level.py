"""Sensitivity, specificity, confusion and FROC, worked out by hand."""

from __future__ import annotations

from pathlib import Path

from detection.detectors.coco import Film, Truth
from detection.detectors.prediction import Box
from detection.evaluation import image_level
from detection.evaluation.evidence import of_film

LUNG, ELSEWHERE = (10.0, 10.0, 30.0, 60.0), (60.0, 10.0, 30.0, 60.0)
HALF = dict.fromkeys(("covid", "pneumonia", "normal"), 0.5)


def row(number, label, *found, patient=None):
    truths = (Truth(label, LUNG, "human"),) if label else ()
    film = Film(number, Path(f"{number}.png"), 100, 80, "", truths, patient=patient or f"p{number}")
    return of_film(film, [Box(name, score, *box) for name, score, box in found])


def test_at_thresholds():
    rows = [
        row(1, "covid", ("covid", 0.5, LUNG)),
        row(2, "covid", ("covid", 0.4, LUNG), ("normal", 0.45, LUNG)),
        row(3, "normal", ("covid", 0.7, ELSEWHERE)),
        row(4, "normal"),
        row(5, ""),
    ]
    report = image_level.at_thresholds(rows, HALF)
    covid = report["classes"]["covid"]
    assert covid["threshold"] == 0.5
    assert covid["sensitivity"]["value"] == 0.5
    assert covid["sensitivity"]["low"] < 0.5 < covid["sensitivity"]["high"]
    assert covid["specificity"]["value"] == 2 / 3
    assert report["classes"]["pneumonia"]["sensitivity"] == {
        "value": None,
        "low": None,
        "high": None,
    }
    assert report["confusion"]["covid"] == {"covid": 1, "pneumonia": 0, "normal": 1, "none": 0}
    assert report["confusion"]["normal"] == {"covid": 1, "pneumonia": 0, "normal": 0, "none": 1}
    assert report["confusion"]["none"]["none"] == 1


def test_froc():
    rows = [
        row(1, "covid", ("covid", 0.9, LUNG), ("covid", 0.6, ELSEWHERE)),
        row(2, "covid", ("covid", 0.6, LUNG)),
        row(3, "covid", ("covid", 0.2, LUNG)),
        row(4, "normal", ("covid", 0.3, ELSEWHERE), ("covid", 0.25, LUNG)),
    ]
    report = image_level.froc(rows)
    # no false box: 1 of 3; one false box in four films comes with the second right one (a tie);
    # three false boxes, 0.75 a film, come before the third
    assert report["covid"] == {
        "0.125": 1 / 3, "0.25": 2 / 3, "0.5": 2 / 3, "1": 1.0, "2": 1.0, "4": 1.0, "8": 1.0,
    }  # fmt: skip
    assert report["pneumonia"] is None
    assert "normal" not in report
    assert set(image_level.froc([row(1, "covid")])["covid"].values()) == {0.0}


def test_counts():
    rows = [row(1, "covid", patient="a"), row(2, "normal", patient="a"), row(3, "", patient="b")]
    counts = image_level.counts(rows)
    assert (counts["patients"], counts["images"], counts["boxes"]) == (2, 3, 2)
    assert counts["by_class"]["covid"] == {"patients": 1, "images": 1, "boxes": 1}
    assert counts["by_class"]["pneumonia"] == {"patients": 0, "images": 0, "boxes": 0}
    assert counts["human_boxes"] == {"patients": 1, "images": 2, "boxes": 2}
