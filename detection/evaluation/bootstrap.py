"""Draws of patients with replacement: how far a figure would move with other patients.

B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13: the percentile
interval. Patients are drawn, not films or boxes: films of one patient resemble each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .curves import Floats

LEVEL = 0.95  # of the intervals
_DEFINED = 0.5  # share of the draws that must define a figure for it to have an interval


def film_weights(patients: Sequence[str], draws: int, seed: int) -> Floats:
    """(draws, films): how often each film is in each draw of as many patients as there are."""
    if not patients:
        return np.zeros((draws, 0))
    names, place = np.unique(np.asarray(patients, str), return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=draws
    )
    return drawn[:, place].astype(float)


def interval(values: Floats) -> tuple[float, float] | None:
    """The middle 95 % of a figure over the draws; `None` where most draws don't define it."""
    defined = values[~np.isnan(values)]
    if len(defined) < _DEFINED * len(values) or not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
