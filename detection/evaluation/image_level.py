"""Figures of whole films, and of boxes against false alarms, at thresholds people set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from detection.detectors.classes import CLASSES
from detection.detectors.operating_point import NORMAL

from .evidence import FilmEvidence
from .headline import DRAWS, image_scores, interval, patient_weights
from .weighted import Array, share

NOTHING: Final = "none"
FALSE_BOXES: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # a film


def counts(rows: Sequence[FilmEvidence]) -> dict[str, Any]:
    """Patients, images and boxes of the set, of each class, and of boxes drawn by people."""
    return {
        **_count(rows, [sum(row.boxes.wanted.values()) for row in rows]),
        "by_class": {
            label: _count(rows, [row.boxes.wanted.get(label, 0) for row in rows], some=True)
            for label in CLASSES
        },
        "human_boxes": _count(rows, [sum(row.human.wanted.values()) for row in rows], some=True),
    }


def _count(
    rows: Sequence[FilmEvidence], boxes: Sequence[int], *, some: bool = False
) -> dict[str, int]:
    counted = [row for row, n in zip(rows, boxes, strict=True) if n or not some]
    return {
        "patients": len({row.patient for row in counted}),
        "images": len(counted),
        "boxes": sum(boxes),
    }


def at_thresholds(
    rows: Sequence[FilmEvidence], thresholds: Mapping[str, float], draws: int = DRAWS, seed: int = 0
) -> dict[str, Any]:
    """What films are called at the version's thresholds, and which class scores best.

    Args:
        rows: the set.
        thresholds: class -> score from which a film is said to have it.
        draws: for the intervals, as in `headline.intervals`.
        seed: of the draws.

    Returns:
        `classes`: for each `threshold`, `sensitivity` and `specificity` as `{"value", "low",
        "high"}`; `confusion`: label of the film -> class with the best score -> films (`none`: no
        box in the set; nothing found).
    """
    scores, labels = image_scores(rows)
    drawn = patient_weights(rows, draws, seed)
    weights = np.vstack([np.ones((1, len(rows))), drawn])
    classes = {}
    for column, label in enumerate(CLASSES):
        called = scores[:, column] >= thresholds[label]
        has = labels[:, column] > 0
        classes[label] = {
            "threshold": thresholds[label],
            "sensitivity": _interval(share(weights, called, has), rows),
            "specificity": _interval(share(weights, ~called, ~has), rows),
        }
    names = (*CLASSES, NOTHING)
    confusion = {label: dict.fromkeys(names, 0) for label in names}
    for row in rows:
        confusion[row.label or NOTHING][_best(row)] += 1
    return {"classes": classes, "confusion": confusion}


def froc(rows: Sequence[FilmEvidence]) -> dict[str, Any]:
    """Free-response ROC of each disease (Bunch and others 1977; Chakraborty 1989) at IoU 0.5.

    Returns:
        For each disease with boxes: false boxes a film, at most -> share of its boxes found, at the
        threshold that finds most; `None` for one without.
    """
    return {label: _froc(rows, label) for label in CLASSES if label != NORMAL}


def _froc(rows: Sequence[FilmEvidence], label: str) -> dict[str, float] | None:
    wanted = sum(row.boxes.wanted.get(label, 0) for row in rows)
    if not wanted:
        return None
    finds = [find for row in rows for find in row.boxes.finds if find.label == label]
    scores = np.array([find.score for find in finds])
    order = np.argsort(-scores, kind="stable")
    right = np.array([find.hit50 == 1 for find in finds], bool)[order]
    found, wrong = np.cumsum(right), np.cumsum(~right)
    # a threshold takes all boxes of its score
    last = np.append(np.diff(scores[order]) < 0, True)[: len(finds)]
    return {
        f"{most:g}": float(found[last & (wrong <= most * len(rows))].max(initial=0) / wanted)
        for most in FALSE_BOXES
    }


def _best(row: FilmEvidence) -> str:
    label = max(CLASSES, key=lambda name: row.scores[name])
    return label if row.scores[label] > 0 else NOTHING


def _interval(values: Array, rows: Sequence[FilmEvidence]) -> dict[str, float | None]:
    value = float(values[0]) if np.isfinite(values[0]) else None
    return {"value": value, **interval(values[1:], rows)}
