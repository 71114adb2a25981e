"""Figures of weighted films, many weightings at once: what a bootstrap needs.

A *weighting* says how often each film is drawn. Weights are (draws, films); each figure gives one
number per draw, NaN where it isn't defined (no box to find, no film of a class).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RECALLS: Final = np.linspace(0.0, 1.0, 101)  # COCO's points of a precision-recall curve
_ELEMENTS: Final = 1 << 22  # numbers of one intermediate table, to bound memory


@dataclass(frozen=True, slots=True)
class BoxCurve:
    """Found boxes of one question, best first, films in order where scores are equal.

    Attributes:
        film: (boxes,) place of the film of each box that is right or wrong.
        hit: (boxes,) whether it is right.
        score: (boxes,).
        wanted: (films,) boxes to find.
    """

    film: npt.NDArray[np.intp]
    hit: npt.NDArray[np.bool_]
    score: Floats
    wanted: Floats

    def average_precision(self, weights: Floats) -> Floats:
        """COCO's interpolated average precision, (draws,)."""
        return self.precisions(weights).mean(axis=1)

    def precisions(self, weights: Floats) -> Floats:
        """The best precision at each of `RECALLS` or a higher recall, (draws, 101)."""
        to_find = weights @ self.wanted
        found = np.full((len(weights), len(RECALLS)), np.nan)
        found[to_find > 0] = 0.0
        last = int(np.flatnonzero(self.hit)[-1]) + 1 if self.hit.any() else 0
        film, hit = self.film[:last], self.hit[:last]
        for part in _parts(len(weights), last):
            drawn = weights[part][:, film]
            right = np.cumsum(drawn * hit, axis=1)[:, hit]
            seen = np.cumsum(drawn, axis=1)[:, hit]
            precision = right / (seen + np.spacing(1))
            best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            for row, i in enumerate(range(*part.indices(len(weights)))):
                if to_find[i] > 0:
                    at = np.searchsorted(right[row] / to_find[i], RECALLS, side="left")
                    reached = at < best.shape[1]
                    found[i, reached] = best[row, at[reached]]
        return found


def box_curve(
    boxes: Sequence[tuple[int, float, bool | None]], wanted: Sequence[int] | Floats
) -> BoxCurve:
    """From (film, score, hit) in the films' order; a hit of `None` doesn't count either way."""
    counted = [box for box in boxes if box[2] is not None]
    score = np.array([box[1] for box in counted], float)
    order = np.argsort(-score, kind="stable")
    return BoxCurve(
        film=np.array([box[0] for box in counted], np.intp)[order],
        hit=np.array([box[2] for box in counted], bool)[order],
        score=score[order],
        wanted=np.asarray(wanted, float),
    )


@dataclass(frozen=True, slots=True)
class Ranking:
    """Films of two kinds by score: what a ROC curve is made of.

    Attributes:
        film: (n,) place of each film, lowest score first.
        positive: (n,) of the class asked for, or not.
        starts: where each group of equal scores begins.
        score: (groups,) the score of each.
    """

    film: npt.NDArray[np.intp]
    positive: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.intp]
    score: Floats

    def pairs(self, weights: Floats) -> tuple[Floats, Floats]:
        """Pairs of a positive and a negative: those in the right order (ties half), and all."""
        positive, negative = self._groups(weights)
        below = np.cumsum(negative, axis=1) - negative
        right = (positive * (below + negative / 2)).sum(axis=1)
        return right, positive.sum(axis=1) * negative.sum(axis=1)

    def auc(self, weights: Floats) -> Floats:
        """Area under the ROC curve, (draws,); ties count half."""
        return share(*self.pairs(weights))

    def sensitivity_at(self, weights: Floats, specificity: float) -> Floats:
        """Share of positives at or above the lowest score that keeps a specificity, (draws,)."""
        true, false = self.roc(weights)
        kept = np.where(false <= 1 - specificity + 1e-9, true, 0.0).max(axis=1)
        return np.where(np.isnan(true[:, -1]) | np.isnan(false[:, -1]), np.nan, kept)

    def roc(self, weights: Floats) -> tuple[Floats, Floats]:
        """True and false positive rates, for no film and then down the scores: (draws, 1 + n)."""
        start = np.zeros((len(weights), 1))
        rates = [
            share(np.hstack([start, np.cumsum(kind[:, ::-1], axis=1)]), kind.sum(1, keepdims=True))
            for kind in self._groups(weights)
        ]
        return rates[0], rates[1]

    def _groups(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weight of positives and of negatives in each group of equal scores."""
        drawn = weights[:, self.film]
        if not len(self.starts):
            nothing = np.zeros((len(weights), 1))
            return nothing, nothing
        return (
            np.add.reduceat(drawn * self.positive, self.starts, axis=1),
            np.add.reduceat(drawn * ~self.positive, self.starts, axis=1),
        )


def ranking(
    film: Sequence[int], score: Sequence[float] | Floats, positive: Sequence[bool]
) -> Ranking:
    """Films (by place) with their scores, and whether they are of the class asked for."""
    scores = np.asarray(score, float)
    order = np.argsort(scores, kind="stable")
    values, starts = np.unique(scores[order], return_index=True)
    return Ranking(
        film=np.asarray(film, np.intp)[order],
        positive=np.asarray(positive, bool)[order],
        starts=starts,
        score=values,
    )


def share(part: Floats, whole: Floats) -> Floats:
    """`part / whole`, NaN where there is nothing."""
    shape = np.broadcast_shapes(np.shape(part), np.shape(whole))
    return np.divide(part, whole, out=np.full(shape, np.nan), where=whole > 0)


def _parts(draws: int, columns: int) -> Iterator[slice]:
    step = max(_ELEMENTS // max(columns, 1), 1)
    for start in range(0, draws, step):
        yield slice(start, min(start + step, draws))
