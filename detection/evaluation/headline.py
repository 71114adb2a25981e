"""The figures that versions are compared by, each with its interval.

Intervals are percentiles of a bootstrap (Efron 1979; Efron and Tibshirani 1993, chapter 13) over
patients, because two films of one patient are not two observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from detection.detectors.classes import CLASSES
from detection.detectors.ranking import Array, auc
from twinhealth.errors import InvalidInputError

from .evidence import ANY, FilmEvidence
from .weighted import Curve, expected_error, sensitivity_at

DRAWS: Final = 1000
TAILS: Final = (2.5, 97.5)  # percentiles: 95 % lie between
SPECIFICITY: Final = 0.90
BINS: Final = 10
LOWER_IS_BETTER: Final = frozenset({"ece"})
COVID: Final = "covid"
PNEUMONIA: Final = "pneumonia"
NAMES: Final = (
    "ap50_mean",
    "ap50_covid",
    "ap50_covid_human",
    "ap50_lungs",
    "ap75_lungs",
    "auc_covid",
    "auc_pneumonia",
    "auc_normal",
    "auc_covid_vs_pneumonia_within_source",
    "sensitivity_covid_at_specificity_90",
    "ece",
)


class OfPatient(Protocol):
    """Anything that belongs to a patient, the unit of the bootstrap."""

    @property
    def patient(self) -> str:
        """Whose."""


def figures(
    rows: Sequence[FilmEvidence], weights: npt.ArrayLike | None = None
) -> dict[str, float | None]:
    """Each headline figure of a set.

    Args:
        rows: of all its films, in the order of their numbers in the set, which decides ties.
        weights: how often each film counts, (films,), whole numbers; once unless given.

    Returns:
        By `NAMES`; `None` where the set can't tell, say for a class that it doesn't have.
    """
    once = np.ones(len(rows)) if weights is None else np.asarray(weights, float)
    return {name: _number(values[0]) for name, values in _table(rows, once[None]).items()}


def intervals(
    rows: Sequence[FilmEvidence], draws: int = DRAWS, seed: int = 0
) -> dict[str, dict[str, float | None]]:
    """Each headline figure as `{"value", "low", "high"}`, the last two a 95 % interval.

    Args:
        rows: as for `figures`.
        draws: of as many patients as there are, with replacement.
        seed: of the draws; the same one gives the same interval.

    Returns:
        By `NAMES`; `low` and `high` are `None` with fewer than two patients.
    """
    drawn = _table(rows, patient_weights(rows, draws, seed))
    return {
        name: {"value": value, **interval(drawn[name], rows)}
        for name, value in figures(rows).items()
    }


def compare(
    candidate: Sequence[FilmEvidence],
    active: Sequence[FilmEvidence],
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, dict[str, float | bool | None]]:
    """How a candidate differs from the active version on the same films: a paired bootstrap.

    Args:
        candidate: rows of one version.
        active: rows of the other, of the same films, in any order.
        draws: as for `intervals`; both versions are measured on the same patients in each draw.
        seed: of the draws.

    Returns:
        By `NAMES`: `difference` (candidate less active), `low` and `high` of it, and `worse`:
        whether the whole interval lies on the bad side of zero; `None` where the set can't tell.

    Raises:
        InvalidInputError: `evidence_differs`, if the films aren't the same.
    """
    other = {row.key: row for row in active}
    if len(other) != len(active) or sorted(other) != sorted(row.key for row in candidate):
        raise InvalidInputError(
            "evidence_differs", "The two versions weren't measured on the same films."
        )
    paired = [other[row.key] for row in candidate]
    if any(row.wanted != mate.wanted for row, mate in _boxes(candidate, paired)):
        raise InvalidInputError(
            "evidence_differs", "The films of the two versions don't have the same boxes."
        )
    weights = patient_weights(candidate, draws, seed)
    ours, theirs = _table(candidate, weights), _table(paired, weights)
    now, before = figures(candidate), figures(paired)
    result: dict[str, dict[str, float | bool | None]] = {}
    for name in NAMES:
        after, earlier = now[name], before[name]
        gap = None if after is None or earlier is None else after - earlier
        ends = interval(ours[name] - theirs[name], candidate)
        result[name] = {"difference": gap, **ends, "worse": _worse(name, ends)}
    return result


def patient_weights(rows: Sequence[OfPatient], draws: int, seed: int) -> Array:
    """(draws, films): how often each film's patient was drawn."""
    patients, place = np.unique([row.patient for row in rows], return_inverse=True)
    count = len(patients)
    chance = np.full(count, 1 / count)
    return (
        np.random.default_rng(seed).multinomial(count, chance, size=draws)[:, place].astype(float)
    )


def interval(drawn: Array, rows: Sequence[OfPatient]) -> dict[str, float | None]:
    """`{"low", "high"}` of a figure's draws; draws that can't tell are left out."""
    known = drawn[np.isfinite(drawn)]
    if not len(known) or len({row.patient for row in rows}) < 2:
        return {"low": None, "high": None}
    low, high = np.percentile(known, TAILS)
    return {"low": float(low), "high": float(high)}


def image_scores(rows: Sequence[FilmEvidence]) -> tuple[Array, Array]:
    """Scores of the films, and whether they have the class: (films, classes) both."""
    scores = [[row.scores[label] for label in CLASSES] for row in rows]
    labels = [[float(row.has(label)) for label in CLASSES] for row in rows]
    shape = (len(rows), len(CLASSES))
    return np.array(scores, float).reshape(shape), np.array(labels, float).reshape(shape)


def _table(rows: Sequence[FilmEvidence], weights: Array) -> dict[str, Array]:
    """Each figure for each draw of weights."""
    boxes, human, places = ([getattr(r, v) for r in rows] for v in ("boxes", "human", "places"))
    by_class = [Curve(boxes, label).average_precision(weights) for label in CLASSES]
    scores, labels = image_scores(rows)
    has = labels > 0
    covid, pneumonia = CLASSES.index(COVID), CLASSES.index(PNEUMONIA)
    table = {
        "ap50_mean": _mean_of_known(np.array(by_class)),
        "ap50_covid": by_class[covid],
        "ap50_covid_human": Curve(human, COVID).average_precision(weights),
        "ap50_lungs": Curve(places, ANY).average_precision(weights),
        "ap75_lungs": Curve(places, ANY, demand75=True).average_precision(weights),
    }
    for column, label in enumerate(CLASSES):
        table[f"auc_{label}"] = auc(weights, scores[:, column], has[:, column], ~has[:, column])
    sources = [row.source for row in rows]
    _, group = np.unique(sources, return_inverse=True)
    told = np.array([bool(source) for source in sources], bool)
    # a film with boxes of both is not an example of either
    table["auc_covid_vs_pneumonia_within_source"] = auc(
        weights,
        scores[:, covid] - scores[:, pneumonia],
        told & has[:, covid] & ~has[:, pneumonia],
        told & has[:, pneumonia] & ~has[:, covid],
        group,
    )
    table["sensitivity_covid_at_specificity_90"] = sensitivity_at(
        weights, scores[:, covid], has[:, covid], SPECIFICITY
    )
    table["ece"] = expected_error(weights, scores, labels, BINS)
    return {name: table[name] for name in NAMES}


def _mean_of_known(values: Array) -> Array:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _boxes(first: Sequence[FilmEvidence], second: Sequence[FilmEvidence]) -> Any:
    return ((a.boxes, b.boxes) for a, b in zip(first, second, strict=True))


def _worse(name: str, ends: dict[str, float | None]) -> bool | None:
    low, high = ends["low"], ends["high"]
    if low is None or high is None:
        return None
    return low > 0 if name in LOWER_IS_BETTER else high < 0


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
