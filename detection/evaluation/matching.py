"""COCO's greedy matching of the boxes of one class in one film (pycocotools' COCOeval)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from pycocotools import mask

from detection.detectors.prediction import Box

Hit = int | None  # right, wrong, doesn't count
MOST: Final = 100  # finds of one class in one film; COCO's largest maxDets
DEMANDS: Final = (0.50, 0.75)  # IoU
Box4 = tuple[float, float, float, float]


def match(
    truths: Sequence[tuple[Box4, bool]], boxes: Sequence[Box]
) -> list[tuple[float, Hit, Hit]]:
    """Which finds are right, best score first.

    Each find in turn takes the free box it overlaps most, if by as much as demanded. One that
    finds none may lie on an ignored box, however many do; then it doesn't count. IoU with an
    ignored box is the share of the find that lies on it, as COCO has it for a crowd.

    Args:
        truths: left, top, width, height of each box, and whether it is ignored.
        boxes: the finds; of more than 100 the best count.

    Returns:
        Score, and the outcome at IoU 0.50 and at 0.75, for each find.
    """
    best = sorted(boxes, key=lambda box: -box.score)[:MOST]
    if not best:
        return []
    ordered = sorted(truths, key=lambda truth: truth[1])  # ignored ones last
    ignored = np.array([truth[1] for truth in ordered], bool)
    overlaps = np.zeros((len(best), 0))
    if ordered:
        overlaps = mask.iou(
            np.array([[b.x, b.y, b.w, b.h] for b in best], float),
            np.array([truth[0] for truth in ordered], float),
            ignored.astype(np.uint8),
        )
    at50, at75 = (_greedy(overlaps, ignored, demand) for demand in DEMANDS)
    return [(float(b.score), x, y) for b, x, y in zip(best, at50, at75, strict=True)]


def _greedy(overlaps: Any, ignored: Any, demand: float) -> list[Hit]:
    free = np.ones(len(ignored), bool)
    outcome: list[Hit] = []
    for row in overlaps:
        enough = row >= min(demand, 1 - 1e-10)
        real = np.flatnonzero(enough & free & ~ignored)
        if len(real):
            # of equal overlaps COCO takes the last
            free[real[np.flatnonzero(row[real] == row[real].max())[-1]]] = False
            outcome.append(1)
        else:
            outcome.append(None if (enough & ignored).any() else 0)
    return outcome
