"""Which box found which: COCO's greedy matching on one film.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the rules of its
evaluation server: best score first, each box takes the free annotation that it overlaps most; an
annotation that doesn't count (a crowd, or one outside the question asked) is taken only where no
other is left, by any number of boxes, and such a box is neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

MOST_BOXES: Final = 100  # of a class on one film that are looked at, best first
Corner = tuple[float, float, float, float]  # left, top, width, height
Hit = bool | None  # right, wrong, neither


def overlaps(
    boxes: Sequence[Corner], truths: Sequence[Corner], crowd: Sequence[bool]
) -> npt.NDArray[np.float64]:
    """Intersection over union, for a crowd over the found box alone.

    Args:
        boxes: what was found, (left, top, width, height).
        truths: what is annotated, the same way.
        crowd: whether each of them stands for many.

    Returns:
        (boxes, truths), 0 to 1.
    """
    found = np.asarray(boxes, float).reshape(-1, 1, 4)
    there = np.asarray(truths, float).reshape(1, -1, 4)
    shared = np.prod(
        np.maximum(
            np.minimum(found[..., :2] + found[..., 2:], there[..., :2] + there[..., 2:])
            - np.maximum(found[..., :2], there[..., :2]),
            0.0,
        ),
        axis=-1,
    )
    area = found[..., 2] * found[..., 3]
    union = np.where(np.asarray(crowd, bool), area, area + there[..., 2] * there[..., 3] - shared)
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def match(overlap: npt.NDArray[np.float64], ignored: Sequence[bool], demand: float) -> list[Hit]:
    """Right, wrong or neither, for boxes in the order of their scores.

    Args:
        overlap: (boxes, truths) as `overlaps` gives it.
        ignored: truths that don't count.
        demand: intersection over union from which a box counts as found.
    """
    order = sorted(range(len(ignored)), key=lambda i: ignored[i])
    taken: set[int] = set()
    hits: list[Hit] = []
    for row in overlap:
        best, share = -1, min(demand, 1 - 1e-10)
        for i in order:
            if i in taken:
                continue
            if ignored[i] and best >= 0 and not ignored[best]:
                break
            if row[i] >= share:
                best, share = i, row[i]
        if best < 0:
            hits.append(False)
        elif ignored[best]:
            hits.append(None)
        else:
            taken.add(best)
            hits.append(True)
    return hits
