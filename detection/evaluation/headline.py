"""The figures that versions are judged by, their intervals, and one version against another.

From rows of evidence alone: no film is read, and nothing here needs more than numpy.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from detection.detectors.classes import CLASSES
from twinhealth.errors import InvalidInputError

from .bootstrap import film_weights, interval
from .calibration import statements
from .curves import BoxCurve, Floats, Ranking, box_curve, ranking, share
from .evidence import FilmEvidence

SPECIFICITY: Final = 0.90  # at which the sensitivity for covid is reported
LOWER_IS_BETTER: Final = frozenset({"ece"})
# figure -> what it says, for people
HEADLINE: Final = {
    "ap50_mean": (
        "Area under precision against recall of boxes that overlap an annotated one by half and "
        "bear its name; 1 is perfect."
    ),
    "ap50_covid": "The same for covid boxes alone, the task of the paper this grew from.",
    "ap50_covid_human": "The same where only boxes drawn by people are to be found.",
    "ap50_lungs": "Whether lungs are found at all, whatever they are called.",
    "ap75_lungs": "Whether they are found closely: an overlap of three quarters.",
    "auc_covid": (
        "How often a covid film scores higher for covid than another film; 0.5 is chance."
    ),
    "auc_pneumonia": "How often a pneumonia film scores higher for pneumonia than another film.",
    "auc_normal": "How often a normal film scores higher for normal than another film.",
    "auc_covid_vs_pneumonia_within_source": (
        "Of a covid and a pneumonia film from the same source, how often the covid film looks more "
        "like covid: the source can't give the answer away."
    ),
    "sensitivity_covid_at_specificity_90": (
        "Share of covid films that are picked out when nine in ten of the other films are left "
        "alone."
    ),
    "ece": (
        "Mean distance between a film's score and how often such a score is right, after "
        "temperature; 0 is best."
    ),
}


class Headline:
    """Rows brought into arrays once; then any number of weightings.

    Args:
        rows: of one version on one set.
        temperature: of the version, for the calibration error (1: scores as they are).
    """

    def __init__(self, rows: Sequence[FilmEvidence], temperature: float = 1.0) -> None:
        self._classes = [class_curve(rows, label) for label in CLASSES]
        self._human = class_curve(rows, "covid", human_only=True)
        self._lungs = [lung_curve(rows, strict=strict) for strict in (False, True)]
        self._rankings = {label: class_ranking(rows, label) for label in CLASSES}
        self._inside = rankings_inside(rows)
        self._statements = statements(rows, temperature)

    def of(self, weights: Floats) -> dict[str, Floats]:
        """Each figure for each weighting.

        Args:
            weights: (draws, films), how often each film counts.

        Returns:
            Figure -> (draws,), NaN where it isn't defined.
        """
        by_class = np.stack([curve.average_precision(weights) for curve in self._classes])
        pairs = [one.pairs(weights) for one in self._inside.values()]
        nothing = np.zeros(len(weights))
        right, compared = (sum((pair[k] for pair in pairs), nothing) for k in (0, 1))
        with warnings.catch_warnings():
            # a draw without a box of any class has no mean
            warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
            mean = np.nanmean(by_class, axis=0)
        covid = self._rankings["covid"]
        return {
            "ap50_mean": mean,
            "ap50_covid": by_class[CLASSES.index("covid")],
            "ap50_covid_human": self._human.average_precision(weights),
            "ap50_lungs": self._lungs[0].average_precision(weights),
            "ap75_lungs": self._lungs[1].average_precision(weights),
            **{f"auc_{label}": one.auc(weights) for label, one in self._rankings.items()},
            "auc_covid_vs_pneumonia_within_source": share(right, compared),
            "sensitivity_covid_at_specificity_90": covid.sensitivity_at(weights, SPECIFICITY),
            "ece": self._statements.ece(weights),
        }


def figures(
    rows: Sequence[FilmEvidence], weights: Sequence[float] | None = None, *, temperature: float = 1
) -> dict[str, float | None]:
    """The headline figures of a set.

    Args:
        rows: of one version on one set, in the order that `evidence_of` gives.
        weights: how often each film counts; once each unless given.
        temperature: of the version.

    Returns:
        The keys of `HEADLINE`; `None` where the set doesn't define a figure (no film of a class,
        no source told, no box drawn by people).
    """
    counted = np.ones((1, len(rows))) if weights is None else np.array([weights], float)
    values = Headline(rows, temperature).of(counted)
    return {name: _number(value[0]) for name, value in values.items()}


def intervals(
    rows: Sequence[FilmEvidence], draws: int = 1000, seed: int = 0, *, temperature: float = 1
) -> dict[str, tuple[float, float] | None]:
    """95 % interval of each headline figure, by bootstrap over patients.

    Args:
        rows: as in `figures`.
        draws: of as many patients as there are, with replacement.
        seed: of the draws.
        temperature: of the version.

    Returns:
        Low and high end; `None` where the set or most draws don't define a figure.
    """
    weights = film_weights([row.patient for row in rows], draws, seed)
    values = Headline(rows, temperature).of(weights)
    return {name: interval(value) for name, value in values.items()}


def compare(
    candidate_rows: Sequence[FilmEvidence],
    active_rows: Sequence[FilmEvidence],
    draws: int = 1000,
    seed: int = 0,
    *,
    temperatures: tuple[float, float] = (1.0, 1.0),
) -> dict[str, dict[str, Any]]:
    """A candidate against the active version on the same films, by paired bootstrap.

    Each draw takes the same patients for both, so that what makes films hard for both cancels.

    Args:
        candidate_rows: of the one.
        active_rows: of the other, the same films in any order.
        draws: as in `intervals`.
        seed: of the draws.
        temperatures: of the candidate and of the active version.

    Returns:
        Per headline figure `difference` (candidate minus active), `low` and `high` of its 95 %
        interval, and `worse`: the whole interval lies on the bad side of 0. Numbers are `None`
        where the set doesn't define the figure, which is then not worse.

    Raises:
        InvalidInputError: `evidence_differs`, if the rows aren't of the same films.
    """
    active = {row.key: row for row in active_rows}
    if len(active) != len(active_rows) or sorted(active) != sorted(r.key for r in candidate_rows):
        raise InvalidInputError(
            "evidence_differs", "Two versions can only be compared on the same films."
        )
    pairs = [(row, active[row.key]) for row in candidate_rows]
    weights = film_weights([row.patient for row, _ in pairs], draws, seed)
    weights = np.vstack([np.ones(len(pairs)), weights])  # the first is the set itself
    new, old = (Headline([pair[k] for pair in pairs], temperatures[k]).of(weights) for k in (0, 1))
    return {name: _difference(name, new[name] - old[name]) for name in HEADLINE}


def class_curve(
    rows: Sequence[FilmEvidence], label: str, *, human_only: bool = False, strict: bool = False
) -> BoxCurve:
    """Found boxes of a class at IoU 0.5, or 0.75 where `strict`."""
    return box_curve(
        [
            (i, box.score, box.hit75 if strict else box.hit50)
            for i, row in enumerate(rows)
            for box in (row.human_boxes if human_only else row.boxes)
            if box.label == label
        ],
        [((row.human_wanted or {}) if human_only else row.wanted).get(label, 0) for row in rows],
    )


def lung_curve(rows: Sequence[FilmEvidence], *, strict: bool = False) -> BoxCurve:
    """Found boxes of any class at IoU 0.5, or 0.75 where `strict`."""
    return box_curve(
        [
            (i, box.score, box.hit75 if strict else box.hit50)
            for i, row in enumerate(rows)
            for box in row.lung_boxes
        ],
        [row.lung_wanted for row in rows],
    )


def class_ranking(rows: Sequence[FilmEvidence], label: str) -> Ranking:
    """Films whose class is known, by their score for a class: the class against the rest."""
    known = [(i, row) for i, row in enumerate(rows) if row.label]
    return ranking(
        [i for i, _ in known],
        [row.scores[label] for _, row in known],
        [row.label == label for _, row in known],
    )


def rankings_inside(rows: Sequence[FilmEvidence]) -> dict[str, Ranking]:
    """Per source that has both: covid films against pneumonia films, by `covid_not_pneumonia`."""
    found = {}
    for source in sorted({row.source for row in rows} - {""}):
        both = [
            (i, row)
            for i, row in enumerate(rows)
            if row.source == source and row.label in {"covid", "pneumonia"}
        ]
        if len({row.label for _, row in both}) == 2:
            found[source] = ranking(
                [i for i, _ in both],
                [covid_not_pneumonia(row) for _, row in both],
                [row.label == "covid" for _, row in both],
            )
    return found


def covid_not_pneumonia(row: FilmEvidence) -> float:
    """Covid's part of what the film scores for covid and pneumonia together, 0 to 1."""
    both = row.scores["covid"] + row.scores["pneumonia"]
    return row.scores["covid"] / both if both > 0 else 0.5


def _difference(name: str, values: Floats) -> dict[str, Any]:
    ends = interval(values[1:])
    if np.isnan(values[0]) or ends is None:
        return {"difference": _number(values[0]), "low": None, "high": None, "worse": False}
    low, high = ends
    return {
        "difference": float(values[0]),
        "low": low,
        "high": high,
        "worse": low > 0 if name in LOWER_IS_BETTER else high < 0,
    }


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
