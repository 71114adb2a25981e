"""How far two readers of the same films agree, and what a signature makes of a score; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.detectors.prediction import Box
from detection.evaluation.matching import match


@dataclass(frozen=True, slots=True)
class Pair:
    """One film as two versions saw it.

    Attributes:
        film: its number.
        flags: whether the one and the other flagged it.
        boxes: what counted for the one and for the other.
    """

    film: int
    flags: tuple[bool, bool]
    boxes: tuple[Sequence[Box], Sequence[Box]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two versions on some films.

    Attributes:
        films: how many both read.
        same_flag: share that both or neither flagged; `None` without a film.
        flagged: share that the one and the other flagged.
        kappa: Cohen's kappa of the flags; `None` where chance alone gives full agreement.
        same_boxes: share of all boxes that the other version has too; `None` without a box.
        differing: numbers of the films that one flagged and the other didn't, as given.
    """

    films: int
    same_flag: float | None
    flagged: tuple[float, float] | None
    kappa: float | None
    same_boxes: float | None
    differing: tuple[int, ...]


def agreement(pairs: Sequence[Pair]) -> Agreement:
    """Compare two versions film by film.

    Kappa: J. Cohen, "A coefficient of agreement for nominal scales", Educational and
    Psychological Measurement 20, 1960. Boxes: Dice, twice the matched over all boxes; a match has
    the same label and an intersection over union of at least 0.5, each box once, best first.
    """
    if not pairs:
        return Agreement(0, None, None, None, None, ())
    flags = np.array([pair.flags for pair in pairs], bool)
    same = float((flags[:, 0] == flags[:, 1]).mean())
    first, second = (float(share) for share in flags.mean(axis=0))
    chance = first * second + (1 - first) * (1 - second)
    boxes = sum(len(one) + len(other) for one, other in (pair.boxes for pair in pairs))
    matched = sum(_matched(*pair.boxes) for pair in pairs)
    return Agreement(
        films=len(pairs),
        same_flag=same,
        flagged=(first, second),
        kappa=(same - chance) / (1 - chance) if chance < 1 else None,
        same_boxes=2 * matched / boxes if boxes else None,
        differing=tuple(pair.film for pair in pairs if pair.flags[0] != pair.flags[1]),
    )


def _matched(one: Sequence[Box], other: Sequence[Box]) -> int:
    count = 0
    for label in {box.label for box in one}:
        mine = [((box.x, box.y, box.w, box.h), False) for box in one if box.label == label]
        theirs = [box for box in other if box.label == label]
        count += sum(hit50 == 1 for _, hit50, _ in match(mine, theirs))
    return count
