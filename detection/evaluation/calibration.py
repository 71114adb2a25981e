"""Are scores chances? The reliability of a film's scores, and one temperature that mends them.

Temperature scaling and the expected calibration error are those of Guo, Pleiss, Sun, Weinberger,
"On Calibration of Modern Neural Networks", ICML 2017; here each class of each film is one
statement, "this film is of the class", because the detector's scores don't add up to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from detection.detectors.classes import CLASSES

from .evidence import FilmEvidence
from .folds import patient_folds
from .headline import BINS, DRAWS, image_scores, interval, patient_weights
from .weighted import Array, bin_of, expected_error

LOWEST: Final = 1e-4  # a score of 0 has no logit; nothing found is no certainty either
RANGE: Final = (0.05, 20.0)  # of temperatures that are looked at
_GOLDEN: Final = (np.sqrt(5.0) - 1) / 2
_STEPS: Final = 60  # each narrows the range to 0.618 of it


def fit_temperature(scores: Array, labels: Array) -> float:
    """The temperature at which the scores explain the labels best.

    Args:
        scores: (films, classes), 0 to 1.
        labels: (films, classes), 1 where the film is of the class, else 0.

    Returns:
        T between 0.05 and 20 that minimises the negative log likelihood of logit / T; above 1 the
        scores were too sure of themselves.
    """
    logits = _logit(scores)
    signed = np.where(labels > 0, logits, -logits)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0.0, -signed / np.exp(log_temperature)).mean())

    # convex in 1/T, so there is one minimum, which golden section search closes in on
    low, high = np.log(RANGE)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def tempered(scores: Array, temperature: float) -> Array:
    """Scores at a temperature: the logistic function of logit / T, of any shape."""
    return np.asarray(1 / (1 + np.exp(-_logit(scores) / temperature)))


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
    fitted_on: Sequence[FilmEvidence] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Any]:
    """Calibration before and after a temperature that was not fitted on the films it is judged on.

    Args:
        rows: the set.
        fitted_on: another set of the same version, for the temperature; without it, the set itself
            by patient: each part's temperature comes from the other parts.
        draws: for the intervals.
        seed: of the draws and of the parts.

    Returns:
        `fitted_on` (`another set`, `cross-validation by patient`; `None` where one patient or none
        leaves nothing to fit on), `temperature` (of the other set, or of the whole set for use
        elsewhere), `before` and `after`: `ece` with its interval, `by_class`, `reliability`.
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

    result: dict[str, Any] = {
        "fitted_on": None,
        "temperature": None,
        "before": described(scores),
        "after": None,
    }
    if fitted_on:
        temperature = fit_temperature(*image_scores(fitted_on))
        after = tempered(scores, temperature)
        return result | {
            "fitted_on": "another set",
            "temperature": temperature,
            "after": described(after),
        }
    parts = patient_folds(rows, seed)
    if len(set(parts)) < 2:
        return result
    after = np.zeros_like(scores)
    for part in set(parts):
        others = parts != part
        after[~others] = tempered(scores[~others], fit_temperature(scores[others], labels[others]))
    return result | {
        "fitted_on": "cross-validation by patient",
        "temperature": fit_temperature(scores, labels),
        "after": described(after),
    }


def _logit(scores: Array) -> Array:
    inside = np.clip(scores, LOWEST, 1 - LOWEST)
    return np.asarray(np.log(inside / (1 - inside)))
