"""Thresholds for serving, chosen from the rows of a validation set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from detection.detectors.classes import CLASSES

from .evidence import FilmEvidence

NORMAL: Final = "normal"
SENSITIVITY: Final = 0.95
GRID: Final = np.arange(5, 96) / 100


def suggested(rows: Sequence[FilmEvidence]) -> dict[str, float]:
    """Score per class from which a box counts, in steps of 0.01, 0.05 to 0.95.

    A disease: the highest at which at least 95 % of the films of the class have a finding of it,
    because a miss costs more than a false alarm. `normal`, which flags nothing: the best F1 of
    boxes at IoU 0.5; of equal ones the middle, as the exact optimum is the score of a chance box.

    Args:
        rows: of one version on one set. A film is of a class where a box of it is annotated.
    """
    return {
        label: _best_f1(rows, label) if label == NORMAL else _sensitive(rows, label)
        for label in CLASSES
    }


def _sensitive(rows: Sequence[FilmEvidence], label: str) -> float:
    best = np.array([row.scores[label] for row in rows if row.wanted[label]])
    if not len(best):
        return _rounded(GRID[len(GRID) // 2])
    return _rounded(max((t for t in GRID if (best >= t).mean() >= SENSITIVITY), default=GRID[0]))


def _best_f1(rows: Sequence[FilmEvidence], label: str) -> float:
    judged = [b for row in rows for b in row.boxes if b.label == label and b.hit50 is not None]
    scores = np.array([box.score for box in judged])
    right = np.array([box.hit50 for box in judged], bool)
    wanted = sum(row.wanted[label] for row in rows)
    f1 = np.array(
        [_f1(int(right[scores >= t].sum()), int((scores >= t).sum()), wanted) for t in GRID]
    )
    best = GRID[f1 >= f1.max() - 1e-9]
    return _rounded(best[len(best) // 2])


def _f1(right: int, found: int, wanted: int) -> float:
    total = found + wanted
    return 2 * right / total if total else 0.0


def _rounded(value: float) -> float:
    return round(float(value), 2)
