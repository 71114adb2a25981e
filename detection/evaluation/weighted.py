"""Figures of films that each count a whole number of times, for many sets of weights at once.

`weights` is always (draws, films), at least 0; a figure is (draws,), NaN where a draw can't tell.
A bootstrap draw of patients is nothing but such weights, so nothing is sorted or matched again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from detection.detectors.ranking import Array, ratio

from .evidence import Find, View

RECALLS: Final = np.linspace(0.0, 1.0, 101)  # COCO's


class Curve:
    """Precision and recall of one class over films, as COCO accumulates them."""

    def __init__(self, views: Sequence[View], label: str, *, demand75: bool = False) -> None:
        """Sort the finds once.

        Args:
            views: of each film.
            label: the class.
            demand75: right from IoU 0.75 on, not from 0.50.
        """
        rows = [
            (film, find.score, hit)
            for film, view in enumerate(views)
            for find in view.finds
            if find.label == label and (hit := _hit(find, demand75=demand75)) is not None
        ]
        # stable, so that equal scores stay in the films' order, as in COCO
        rows.sort(key=lambda row: -row[1])
        right = [place for place, row in enumerate(rows) if row[2]]
        self._wanted = np.array([view.wanted.get(label, 0) for view in views], float)
        self._right = np.zeros((len(views), len(right)))  # each right find, in its film's row
        self._given = np.zeros((len(views), len(right)))  # finds of a film down to that one
        for column, place in enumerate(right):
            self._right[rows[place][0], column] = 1
        finds = np.zeros(len(views))
        column = 0
        for film, _, hit in rows:
            finds[film] += 1
            if hit:
                self._given[:, column] = finds
                column += 1

    def average_precision(self, weights: Array) -> Array:
        """Mean over 101 recalls of the best precision at that recall or above (COCO)."""
        return self.precisions(weights).mean(axis=1)

    def precisions(self, weights: Array) -> Array:
        """The best precision at each of `RECALLS` or above, (draws, 101); NaN without boxes.

        Only the places of right finds matter: between two of them recall stands and precision
        falls.
        """
        wanted = weights @ self._wanted
        result = np.full((len(weights), len(RECALLS)), np.nan)
        result[wanted > 0] = 0.0
        if not self._right.shape[1]:
            return result
        right = np.cumsum(weights @ self._right, axis=1)
        given = weights @ self._given
        precision = right / np.maximum(given, 1)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        recall = right / np.maximum(wanted, 1)[:, None]
        for draw in np.flatnonzero(wanted > 0):
            place = np.searchsorted(recall[draw], RECALLS, side="left")
            reached = place < recall.shape[1]
            result[draw, reached] = envelope[draw, place[reached]]
        return result


def _hit(find: Find, *, demand75: bool) -> int | None:
    return find.hit75 if demand75 else find.hit50


def sensitivity_at(
    weights: Array, scores: Array, positive: npt.NDArray[np.bool_], specificity: float
) -> Array:
    """Highest share of positive films flagged while enough of the others are not.

    Args:
        weights: (draws, films).
        scores: (films,); a film is flagged from a threshold on.
        positive: (films,).
        specificity: least share of the negative films that stay unflagged.
    """
    thresholds = np.unique(scores[positive])
    flagged = (scores[:, None] >= thresholds).astype(float)
    ill, well = weights[:, positive], weights[:, ~positive]
    alarms = ratio(well @ flagged[~positive], well.sum(1)[:, None])
    found = ratio(ill @ flagged[positive], ill.sum(1)[:, None])
    allowed = alarms <= 1 - specificity + 1e-9
    best = np.where(allowed, found, 0.0).max(axis=1, initial=0.0)
    known = (ill.sum(1) > 0) & (well.sum(1) > 0)
    return np.where(known, best, np.nan)


def share(weights: Array, said: npt.NDArray[np.bool_], of: npt.NDArray[np.bool_]) -> Array:
    """Share of the films `of` for which something is `said`, both (films,)."""
    return ratio(weights @ (said & of).astype(float), weights @ of.astype(float))


def expected_error(weights: Array, chances: Array, happened: Array, bins: int) -> Array:
    """Expected calibration error: mean distance of chance and frequency over bins of equal width.

    Args:
        weights: (draws, films).
        chances: (films, classes), 0 to 1; each class of each film is one statement.
        happened: (films, classes), 0 or 1.
        bins: of equal width from 0 to 1.
    """
    place = bin_of(chances, bins)
    total = np.zeros(len(weights))
    for number in range(bins):
        gap = np.where(place == number, chances - happened, 0.0).sum(axis=1)
        total += np.abs(weights @ gap)
    return ratio(total, weights.sum(1) * chances.shape[1])


def bin_of(chances: Array, bins: int) -> npt.NDArray[np.int_]:
    """Number of the bin of each chance, from 0; the last one includes 1."""
    return np.minimum((chances * bins).astype(int), bins - 1)
