"""How well scores rank films: one reckoning for the detector's own figures and for evaluation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def auc(
    weights: Array,
    scores: Array,
    positive: npt.NDArray[np.bool_],
    negative: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.int_] | None = None,
) -> Array:
    """How often a positive film scores above a negative one; ties count half (Mann and Whitney).

    Args:
        weights: (draws, films), how often each film counts.
        scores: (films,).
        positive: films that should score high, (films,).
        negative: films that should score low, (films,).
        groups: where given, only films of one group are compared with each other, (films,).

    Returns:
        (draws,), NaN where there is no pair.
    """
    high, low = scores[positive][:, None], scores[negative]
    pair = np.ones((positive.sum(), negative.sum()))
    if groups is not None:
        pair = (groups[positive][:, None] == groups[negative]).astype(float)
    won = pair * ((high > low) + (high == low) / 2)
    first, second = weights[:, positive], weights[:, negative]
    return ratio(((first @ won) * second).sum(1), ((first @ pair) * second).sum(1))


def ratio(above: Array, below: Array) -> Array:
    """`above / below`, NaN where there is nothing below."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)
