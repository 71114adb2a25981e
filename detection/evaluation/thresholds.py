"""Thresholds for serving, chosen from the rows of a validation set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.detectors.classes import CLASSES
from detection.detectors.operating_point import NORMAL, best_f1, sensitive

from .evidence import FilmEvidence


def suggested(rows: Sequence[FilmEvidence]) -> dict[str, float]:
    """Score per class from which a box counts: the rules of `operating_point.suggested`.

    Args:
        rows: of one version on one set. A film is of a class where a box of it is annotated.
    """
    return {
        label: (
            _best_f1(rows, label)
            if label == NORMAL
            else sensitive([row.scores[label] for row in rows if row.has(label)])
        )
        for label in CLASSES
    }


def _best_f1(rows: Sequence[FilmEvidence], label: str) -> float:
    finds = [find for row in rows for find in row.boxes.finds if find.label == label]
    wanted = sum(row.boxes.wanted.get(label, 0) for row in rows)
    return best_f1(
        np.array([find.score for find in finds], float),
        np.array([find.hit50 == 1 for find in finds], bool),
        wanted,
    )
