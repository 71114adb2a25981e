"""Thresholds: which score makes a box a finding, and what that costs in misses and false alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from .average_precision import Found
from .classes import CLASSES
from .coco import Film
from .prediction import Box
from .ranking import auc

MATCH_IOU: Final = 0.5
NORMAL: Final = "normal"
SENSITIVITY: Final = 0.95
_GRID: Final = np.arange(5, 96) / 100
Box4 = tuple[float, float, float, float]


def at_thresholds(
    films: Sequence[Film], found: Found, thresholds: Mapping[str, float]
) -> dict[str, dict[str, float | int | None]]:
    """What each class's threshold gives: precision, recall and F1 of boxes at IoU 0.5."""
    report = {}
    for label in CLASSES:
        scores, right, wanted = _curve(films, found, label)
        threshold = thresholds[label]
        report[label] = _figures(threshold, right[scores >= threshold], wanted)
    return report


def suggested(films: Sequence[Film], found: Found) -> dict[str, float]:
    """Thresholds for serving, to be chosen on a validation set; steps of 0.01, 0.05 to 0.95.

    A disease: the highest at which at least 95 % of the films of the class have a finding of it,
    because a miss costs more than a false alarm. `normal`, which flags nothing: the best F1 of
    boxes at IoU 0.5; of equal ones the middle, as the exact optimum is the score of a chance box.
    """
    return {
        label: best_f1(*_curve(films, found, label))
        if label == NORMAL
        else _sensitive(films, found, label)
        for label in CLASSES
    }


def flags(
    films: Sequence[Film], found: Found, thresholds: Mapping[str, float]
) -> dict[str, float | None]:
    """How flagging works: a film is flagged when it has a finding of a disease.

    Returns:
        `sensitivity` (of films with a disease, those flagged), `specificity` (of the others, those
        not flagged), `films_without_finding` (share of all).
    """
    flagged, diseased, empty = [], [], []
    for film in films:
        labels = {b.label for b in found.get(film.id, ()) if b.score >= thresholds[b.label]}
        flagged.append(bool(labels - {NORMAL}))
        empty.append(not labels)
        diseased.append(any(truth.label != NORMAL for truth in film.boxes))
    flag, ill = np.array(flagged, bool), np.array(diseased, bool)
    return {
        "sensitivity": round(float(flag[ill].mean()), 4) if ill.any() else None,
        "specificity": round(float(1 - flag[~ill].mean()), 4) if not ill.all() else None,
        "films_without_finding": round(float(np.mean(empty)), 4),
    }


def image_auc(films: Sequence[Film], found: Found) -> dict[str, float | None]:
    """Per class: how often a film of the class has a higher best score than a film without it.

    Area under the ROC curve (ties count half); `None` where all films or none are of the class.
    """
    report = {}
    for label in CLASSES:
        best = np.array([_best(found.get(film.id, ()), label) for film in films])
        positive = np.array([any(t.label == label for t in film.boxes) for film in films], bool)
        area = float(auc(np.ones((1, len(films))), best, positive, ~positive)[0])
        report[label] = round(area, 4) if np.isfinite(area) else None
    return report


def best_f1(scores: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], wanted: int) -> float:
    """The threshold with the best F1 of boxes; of equal ones the middle.

    Args:
        scores: of each box of the class.
        right: whether it is right.
        wanted: how many boxes there are to find.
    """
    f1 = np.array([_f1(right[scores >= t], wanted) for t in _GRID])
    best = _GRID[f1 >= f1.max() - 1e-9]
    return round(float(best[len(best) // 2]), 2)


def _sensitive(films: Sequence[Film], found: Found, label: str) -> float:
    return sensitive(
        [
            _best(found.get(film.id, ()), label)
            for film in films
            if any(truth.label == label for truth in film.boxes)
        ]
    )


def sensitive(scores: Sequence[float]) -> float:
    """The highest threshold that at least 95 % of these films' best scores reach."""
    best = np.array(scores, float)
    if not len(best):
        return round(float(_GRID[len(_GRID) // 2]), 2)
    enough = [t for t in _GRID if (best >= t).mean() >= SENSITIVITY]
    return round(float(max(enough, default=_GRID[0])), 2)


def _best(boxes: Sequence[Box], label: str) -> float:
    return max((box.score for box in boxes if box.label == label), default=0.0)


def _curve(
    films: Sequence[Film], found: Found, label: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], int]:
    """Score of each box of a class, whether it is right, and how many boxes were wanted."""
    scores, right, wanted = [], [], 0
    for film in films:
        left = [truth.box for truth in film.boxes if truth.label == label]
        wanted += len(left)
        boxes = sorted(
            (b for b in found.get(film.id, ()) if b.label == label), key=lambda b: -b.score
        )
        for box in boxes:
            shares = [iou((box.x, box.y, box.w, box.h), other) for other in left]
            hit = bool(shares) and max(shares) >= MATCH_IOU
            if hit:
                left.pop(int(np.argmax(shares)))
            scores.append(box.score)
            right.append(hit)
    return np.array(scores, float), np.array(right, bool), wanted


def _f1(right: npt.NDArray[np.bool_], wanted: int) -> float:
    total = len(right) + wanted
    return 2 * float(right.sum()) / total if total else 0.0


def _figures(
    threshold: float, right: npt.NDArray[np.bool_], wanted: int
) -> dict[str, float | int | None]:
    hits = int(right.sum())
    return {
        "threshold": threshold,
        "precision": round(hits / len(right), 4) if len(right) else None,
        "recall": round(hits / wanted, 4) if wanted else None,
        "f1": round(_f1(right, wanted), 4),
        "found": len(right),
        "wanted": wanted,
    }


def iou(a: Box4, b: Box4) -> float:
    """Share of the union of two boxes given as left, top, width, height."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = a[2] * a[3] + b[2] * b[3] - shared
    return shared / union if union > 0 else 0.0
