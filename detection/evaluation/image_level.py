"""Figures of whole films, and of boxes against false alarms, at thresholds people set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from detection.detectors.classes import CLASSES
from detection.detectors.operating_point import NORMAL
from detection.detectors.ranking import Array

from .curves import Points, free_response
from .evidence import FilmEvidence
from .headline import DRAWS, image_scores, interval, patient_weights
from .weighted import share

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
        flagged = scores[:, column] >= thresholds[label]
        has = labels[:, column] > 0
        classes[label] = {
            "threshold": thresholds[label],
            "sensitivity": _interval(share(weights, flagged, has), rows),
            "specificity": _interval(share(weights, ~flagged, ~has), rows),
        }
    names = (*CLASSES, NOTHING)
    confusion = {label: dict.fromkeys(names, 0) for label in names}
    for row in rows:
        confusion[row.label or NOTHING][called(row)] += 1
    return {"classes": classes, "confusion": confusion}


def froc(rows: Sequence[FilmEvidence]) -> dict[str, Any]:
    """Free-response ROC of each disease (Bunch and others 1977; Chakraborty 1989) at IoU 0.5.

    Returns:
        For each disease with boxes: false boxes a film, at most -> share of its boxes found, at the
        threshold that finds most; `None` for one without.
    """
    curves = free_response(rows)
    return {
        label: {f"{most:g}": _most_found(curves[label], most) for most in FALSE_BOXES}
        if label in curves
        else None
        for label in CLASSES
        if label != NORMAL
    }


def called(row: FilmEvidence) -> str:
    """The class that a film scores best for; `none` where nothing was found."""
    label = max(CLASSES, key=lambda name: row.scores[name])
    return label if row.scores[label] > 0 else NOTHING


def _most_found(curve: Points, false_boxes: float) -> float:
    return max(found for wrong, found in curve if wrong <= false_boxes)


def _interval(values: Array, rows: Sequence[FilmEvidence]) -> dict[str, float | None]:
    value = float(values[0]) if np.isfinite(values[0]) else None
    return {"value": value, **interval(values[1:], rows)}
