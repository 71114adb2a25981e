"""Thresholds for serving: from which score a box is a finding. Chosen on a validation set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from detection.detectors.classes import CLASSES

from .evidence import FilmEvidence, best_box
from .operating_point import NORMAL, counted_boxes, f1

SENSITIVITY: Final = 0.95
_GRID: Final = np.arange(5, 96) / 100


def suggested(rows: Sequence[FilmEvidence]) -> dict[str, float]:
    """Thresholds in steps of 0.01, 0.05 to 0.95.

    A disease: the highest at which at least 95 % of the films of the class have a finding of it,
    because a miss costs more than a false alarm. `normal`, which flags nothing: the best F1 of
    boxes at IoU 0.5; of equal ones the middle, as the exact optimum is the score of a chance box.

    Args:
        rows: of one version on one set; a film is of each class that one of its boxes has.
    """
    return {
        label: _best_f1(rows, label) if label == NORMAL else _sensitive(rows, label)
        for label in CLASSES
    }


def _best_f1(rows: Sequence[FilmEvidence], label: str) -> float:
    scores, right, wanted = counted_boxes(rows, label)
    values = np.array([f1(right[scores >= t], wanted) for t in _GRID])
    best = _GRID[values >= values.max() - 1e-9]
    return round(float(best[len(best) // 2]), 2)


def _sensitive(rows: Sequence[FilmEvidence], label: str) -> float:
    best = np.array([best_box(row, label) for row in rows if row.wanted[label]])
    if not len(best):
        return round(float(_GRID[len(_GRID) // 2]), 2)
    enough = [t for t in _GRID if (best >= t).mean() >= SENSITIVITY]
    return round(float(max(enough, default=_GRID[0])), 2)
