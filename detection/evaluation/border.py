"""A reader that sees no lung: logistic regression on border pixels and side ratio.

What it can tell is told by where and how a film was taken, not by the patient. A detector's figure
means what it adds to this one's. (Shortcuts of this kind: A. DeGrave et al., "AI for radiographic
COVID-19 detection selects shortcuts over signal", Nature Machine Intelligence 3, 2021.)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from detection.detectors.classes import CLASSES
from imaging.frame import Frame

from .curves import Floats

FOLDS: Final = 5
_STRIP: Final = 0.02  # of the side: what counts as border
_POINTS: Final = 12  # means along each of the four sides
_RIDGE: Final = 1.0  # on coefficients of features with deviation 1, beside a sum over films
_STEPS: Final = 50


def features(frame: Frame) -> Floats:
    """Twelve grey levels along each side, 0 (lowest value that can be stored) to 1, and the ratio.

    Args:
        frame: as decoded; bright and dark are turned so that high is white.

    Returns:
        (49,): top, bottom, left, right, then the logarithm of width by height.
    """
    pixels = frame.pixels
    height, width = pixels.shape
    rows, columns = (max(round(side * _STRIP), 1) for side in (height, width))
    strips = (
        pixels[:rows].mean(axis=0),
        pixels[-rows:].mean(axis=0),
        pixels[:, :columns].mean(axis=1),
        pixels[:, -columns:].mean(axis=1),
    )
    levels = np.concatenate([_means(strip) for strip in strips])
    lowest = -(1 << (frame.bits_stored - 1)) if pixels.dtype.kind == "i" else 0
    levels = (levels - lowest) / ((1 << frame.bits_stored) - 1)
    if (frame.photometric == "MONOCHROME1") != (frame.slope < 0):
        levels = 1 - levels
    return np.append(levels, np.log(width / height))


class Regression:
    """One class against the rest, for each class, with a ridge; Newton's method.

    Args:
        seen: (films, features).
        labels: the class of each film; films without one are left out.
    """

    def __init__(self, seen: Floats, labels: Sequence[str]) -> None:
        known = np.array([bool(label) for label in labels], bool)
        table = seen[known]
        self._mean, deviation = table.mean(axis=0), table.std(axis=0)
        self._scale = np.where(deviation > 1e-9, deviation, 1.0)
        names = np.array(labels)[known]
        inputs = self._inputs(table)
        self._weights = np.stack([_fit(inputs, names == label) for label in CLASSES], axis=1)

    def scores(self, seen: Floats) -> Floats:
        """(films, classes), 0 to 1, in the order of `CLASSES`."""
        return _sigmoid(self._inputs(seen) @ self._weights)

    def _inputs(self, seen: Floats) -> Floats:
        return np.hstack([(seen - self._mean) / self._scale, np.ones((len(seen), 1))])


def cross_validated(seen: Floats, labels: Sequence[str], patients: Sequence[str]) -> Floats:
    """Scores of each film by a regression that saw no film of its patient, (films, classes).

    Patients are dealt to five folds (fewer where there are fewer patients) in a fixed shuffle.
    One patient alone, or no film with a class, gives scores of 0.
    """
    names = np.unique(np.asarray(patients, str))
    folds = min(FOLDS, len(names))
    scores = np.zeros((len(labels), len(CLASSES)))
    if folds < 2:
        return scores
    shuffled = np.random.default_rng(0).permutation(names)
    dealt = {name: i % folds for i, name in enumerate(shuffled)}
    fold = np.array([dealt[patient] for patient in patients])
    for i in range(folds):
        learnt = [label if f != i else "" for label, f in zip(labels, fold, strict=True)]
        if any(learnt):
            scores[fold == i] = Regression(seen, learnt).scores(seen[fold == i])
    return scores


def _means(strip: Floats) -> Floats:
    """Twelve means along a strip, also of one that has fewer pixels."""
    edges = np.linspace(0, len(strip), _POINTS + 1)
    return np.array(
        [
            strip[int(low) : max(int(np.ceil(high)), int(low) + 1)].mean()
            for low, high in pairwise(edges)
        ]
    )


def _fit(inputs: Floats, wanted: npt.NDArray[np.bool_]) -> Floats:
    """Coefficients with the least log loss plus ridge; the last, the offset, is free of it."""
    weights = np.zeros(inputs.shape[1])
    ridge = np.full(len(weights), _RIDGE)
    ridge[-1] = 1e-6
    for _ in range(_STEPS):
        said = _sigmoid(inputs @ weights)
        slope = inputs.T @ (said - wanted) + ridge * weights
        bend = (inputs.T * (said * (1 - said))) @ inputs + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        # far from the valley a whole step can overshoot
        weights -= step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _sigmoid(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -30, 30))))
