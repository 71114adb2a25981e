"""Chances and their log odds."""

from __future__ import annotations

from typing import Final

import numpy as np

from detection.detectors.ranking import Array

LOWEST: Final = 1e-4  # a score of 0 has no logit; nothing found is no certainty either
_FARTHEST: Final = 30.0  # beyond it a chance is 0 or 1 to thirteen digits


def logit(chances: Array) -> Array:
    """Log odds of chances, which are cut to 0.0001 to 0.9999."""
    inside = np.clip(chances, LOWEST, 1 - LOWEST)
    return np.asarray(np.log(inside / (1 - inside)))


def logistic(odds: Array) -> Array:
    """Chances of log odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -_FARTHEST, _FARTHEST))))
