"""What a film's border alone tells of its class: a regression that never sees a lung.

Films of one hospital share their collimation, their markers and their format. Where class and
hospital go together, such a regression names the class, and a detector may do no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from detection.detectors.ranking import Array
from imaging.frame import Frame

from .logistic import logistic

STRIP: Final = 0.02  # of the shorter side, at least one pixel
SEGMENTS: Final = 16  # means taken along each side
PENALTY: Final = 1.0  # on the squares of the coefficients of standardised features
_SAMPLE: Final = 1 << 18  # pixels that the percentiles look at
_STEPS: Final = 50


def border_features(frame: Frame) -> Array:
    """Mean grey of 16 segments of each side's outermost 2 %, and the logarithm of width / height.

    Grey is 0 to 1 between the 1st and 99th percentile of the whole film, black is air.

    Returns:
        (65,), top, bottom, left, right, ratio.
    """
    pixels = frame.pixels
    height, width = pixels.shape
    step = max(1, int(np.sqrt(pixels.size / _SAMPLE)))
    low, high = np.percentile(pixels[::step, ::step], (1, 99))
    deep = max(1, round(STRIP * min(height, width)))
    sides = (pixels[:deep], pixels[-deep:], pixels[:, :deep].T, pixels[:, -deep:].T)
    means = np.concatenate([_means(side.mean(axis=0)) for side in sides])
    grey = np.clip((means - low) / max(high - low, 1), 0, 1)
    if frame.low_is_white:
        grey = 1 - grey
    return np.append(grey, np.log(width / height))


def _means(line: Array) -> Array:
    # a film narrower than 16 pixels repeats some
    edges = np.linspace(0, len(line), SEGMENTS + 1)
    return np.array([line[int(a) : max(int(b), int(a) + 1)].mean() for a, b in pairwise(edges)])


@dataclass(frozen=True, slots=True)
class Regression:
    """A fitted logistic regression on standardised features."""

    mean: Array
    spread: Array
    coefficients: Array  # the last one is the intercept

    def chances(self, features: Array) -> Array:
        """(films,) from (films, features)."""
        return logistic(_standardised(features, self.mean, self.spread) @ self.coefficients)


def fit(features: Array, positive: npt.NDArray[np.bool_]) -> Regression | None:
    """Ridge logistic regression by Newton's method (Hosmer and Lemeshow, chapter 1).

    Args:
        features: (films, features).
        positive: (films,).

    Returns:
        `None` where all films or none are positive.
    """
    if positive.all() or not positive.any():
        return None
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    design = _standardised(features, mean, spread)
    ridge = np.full(design.shape[1], PENALTY)
    ridge[-1] = 1e-6  # the intercept is free; the trace keeps the matrix invertible
    coefficients = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chance = logistic(design @ coefficients)
        slope = design.T @ (chance - positive) + ridge * coefficients
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        coefficients = coefficients - step
        if np.abs(step).max() < 1e-8:
            break
    return Regression(mean, spread, coefficients)


def _standardised(features: Array, mean: Array, spread: Array) -> Array:
    return np.hstack([(features - mean) / spread, np.ones((len(features), 1))])
