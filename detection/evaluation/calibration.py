"""Are scores chances? The reliability of a film's scores, and a scaling that mends them.

The scaling is a temperature (Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural
Networks", ICML 2017) and an offset (Platt, "Probabilistic Outputs for Support Vector Machines",
1999), the same for all classes. Each class of each film is one statement, "this film is of the
class", because the detector's scores don't add up to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from detection.detectors.classes import CLASSES
from detection.detectors.ranking import Array
from detection.manifest import Scaling

from .evidence import FilmEvidence
from .folds import patient_folds
from .headline import BINS, DRAWS, image_scores, interval, patient_weights
from .logistic import logistic, logit
from .weighted import bin_of, expected_error

RANGE: Final = (0.05, 20.0)  # of temperatures that are looked at
FARTHEST: Final = 20.0  # offset of a logit that is looked at, either way
OTHER_SET: Final = "another set"
VERSION: Final = "the version's validation set"
BY_PATIENT: Final = "cross-validation by patient"
_GOLDEN: Final = (np.sqrt(5.0) - 1) / 2
_STEPS: Final = 60  # each narrows the range of temperatures to 0.618 of it
_HALVES: Final = 40  # each halves the range of offsets


def fit_scaling(scores: Array, labels: Array) -> Scaling:
    """The temperature and the offset at which the scores explain the labels best.

    Args:
        scores: (films, classes), 0 to 1.
        labels: (films, classes), 1 where the film is of the class, else 0.

    Returns:
        T between 0.05 and 20 and b between -20 and 20 that minimise the negative log likelihood of
        logit / T + b; T above 1 says that the scores were too sure of themselves, b below 0 that
        they were too high.
    """
    logits = logit(scores)

    def best_offset(sharp: Array) -> float:
        # the mean chance grows with the offset, and at the best one it is the share of the labels
        low, high = -FARTHEST, FARTHEST
        for _ in range(_HALVES):
            middle = (low + high) / 2
            low, high = (
                (low, middle) if logistic(sharp + middle).mean() > labels.mean() else (middle, high)
            )
        return (low + high) / 2

    def loss(log_temperature: float) -> float:
        sharp = logits / np.exp(log_temperature)
        odds = sharp + best_offset(sharp)
        return float(np.logaddexp(0.0, np.where(labels > 0, -odds, odds)).mean())

    # convex in 1/T and the offset together, so there is one minimum, which golden section search
    # closes in on
    low, high = np.log(RANGE)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    temperature = float(np.exp((low + high) / 2))
    return Scaling(temperature, best_offset(logits / temperature))


def scaled(scores: Array, scaling: Scaling) -> Array:
    """The logistic function of logit / temperature + offset, of any shape."""
    return logistic(logit(scores) / scaling.temperature + scaling.offset)


def ece(scores: Array, labels: Array, bins: int = BINS) -> float | None:
    """Expected calibration error of (films, classes) over bins of equal width; `None` if empty."""
    value = expected_error(np.ones((1, len(scores))), scores, labels, bins)[0]
    return float(value) if np.isfinite(value) else None


def reliability(scores: Array, labels: Array, bins: int = BINS) -> list[dict[str, Any]]:
    """The reliability curve: for each bin its bounds, statements, mean score and frequency."""
    place = bin_of(scores, bins)
    curve = []
    for number in range(bins):
        inside = place == number
        count = int(inside.sum())
        curve.append(
            {
                "from": number / bins,
                "to": (number + 1) / bins,
                "count": count,
                "score": float(scores[inside].mean()) if count else None,
                "frequency": float(labels[inside].mean()) if count else None,
            }
        )
    return curve


def calibration(
    rows: Sequence[FilmEvidence],
    fitted_on: Sequence[FilmEvidence] | Scaling | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Any]:
    """Calibration before and after a scaling that was not fitted on the films it is judged on.

    Args:
        rows: the set.
        fitted_on: another set of the same version, to fit the scaling on, or the scaling that the
            version came with; without either, the set itself by patient: each part's scaling comes
            from the other parts.
        draws: for the intervals.
        seed: of the draws and of the parts.

    Returns:
        `fitted_on` (`another set`, `the version's validation set`, `cross-validation by patient`;
        `None` where one patient or none leaves nothing to fit on), `temperature` and `offset` (by
        cross-validation those of the whole set, for use elsewhere), `before` and `after`: `ece`
        with its interval, `by_class`, `reliability`.
    """
    scores, labels = image_scores(rows)
    weights = patient_weights(rows, draws, seed) if rows else np.zeros((draws, 0))

    def described(chances: Array) -> dict[str, Any]:
        drawn = expected_error(weights, chances, labels, BINS)
        return {
            "ece": {"value": ece(chances, labels), **interval(drawn, rows)},
            "by_class": {
                label: ece(chances[:, [i]], labels[:, [i]]) for i, label in enumerate(CLASSES)
            },
            "reliability": reliability(chances, labels),
        }

    def report(source: str | None, scaling: Scaling | None, after: Array | None) -> dict[str, Any]:
        return {
            "fitted_on": source,
            "temperature": scaling and scaling.temperature,
            "offset": scaling and scaling.offset,
            "before": described(scores),
            "after": None if after is None else described(after),
        }

    if isinstance(fitted_on, Scaling):
        return report(VERSION, fitted_on, scaled(scores, fitted_on))
    if fitted_on:
        scaling = fit_scaling(*image_scores(fitted_on))
        return report(OTHER_SET, scaling, scaled(scores, scaling))
    parts = patient_folds(rows, seed)
    if len(set(parts)) < 2:
        return report(None, None, None)
    after = np.zeros_like(scores)
    for part in set(parts):
        others = parts != part
        after[~others] = scaled(scores[~others], fit_scaling(scores[others], labels[others]))
    return report(BY_PATIENT, fit_scaling(scores, labels), after)
