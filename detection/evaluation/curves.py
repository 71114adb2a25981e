"""Whole curves of a set, for a chart: every threshold and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from detection.detectors.classes import CLASSES
from detection.detectors.operating_point import NORMAL
from detection.detectors.ranking import Array

from .evidence import FilmEvidence
from .headline import image_scores
from .weighted import RECALLS, Curve

Points = list[tuple[float, float]]


def roc(rows: Sequence[FilmEvidence]) -> dict[str, Points]:
    """Share of the films flagged: (of the others, of the class), from no film to all.

    Classes that all films have, or none, are left out; so they are in the other curves.
    """
    scores, labels = image_scores(rows)
    curves = {}
    for column, label in enumerate(CLASSES):
        has = labels[:, column] > 0
        if has.any() and not has.all():
            hits, alarms = _passed(scores[:, column], has)
            rates = zip(alarms / (~has).sum(), hits / has.sum(), strict=True)
            curves[label] = [(0.0, 0.0), *((float(x), float(y)) for x, y in rates)]
    return curves


def precision_recall(rows: Sequence[FilmEvidence]) -> dict[str, Points]:
    """Best precision of boxes at IoU 0.5 at each of COCO's 101 recalls or above."""
    once = np.ones((1, len(rows)))
    curves = {
        label: Curve([row.boxes for row in rows], label).precisions(once)[0] for label in CLASSES
    }
    return {
        label: list(zip(RECALLS.tolist(), precision.tolist(), strict=True))
        for label, precision in curves.items()
        if np.isfinite(precision).all()
    }


def free_response(rows: Sequence[FilmEvidence]) -> dict[str, Points]:
    """Of each disease: (false boxes a film, share of its boxes found) at IoU 0.5."""
    curves = {}
    for label in CLASSES:
        wanted = sum(row.boxes.wanted.get(label, 0) for row in rows)
        if label == NORMAL or not wanted:
            continue
        finds = [find for row in rows for find in row.boxes.finds if find.label == label]
        found, wrong = _passed(
            np.array([find.score for find in finds], float),
            np.array([find.hit50 == 1 for find in finds], bool),
        )
        places = zip(wrong / len(rows), found / wanted, strict=True)
        curves[label] = [(0.0, 0.0), *((float(x), float(y)) for x, y in places)]
    return curves


def _passed(scores: Array, right: npt.NDArray[np.bool_]) -> tuple[Any, Any]:
    """How many right ones, and wrong ones, reach each score that occurs, the highest first."""
    order = np.argsort(-scores, kind="stable")
    # a threshold takes all of its score
    last = np.append(np.diff(scores[order]) < 0, True)[: len(scores)]
    return np.cumsum(right[order])[last], np.cumsum(~right[order])[last]
