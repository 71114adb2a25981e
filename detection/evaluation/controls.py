"""Negative controls: what readers reach that can't know. A detector is worth what it adds.

Three of them: a regression on the film's border, the detector itself with the lungs painted over,
and one pair of boxes for all films.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detection.detectors.classes import CLASSES
from detection.detectors.coco import Film

from .average_precision import Found, average_precision
from .border import FOLDS, Regression, cross_validated
from .curves import Floats
from .evidence import HUMAN, FilmEvidence, evidence_of, film_label
from .fixed_boxes import everywhere, mean_pair
from .headline import figures, intervals
from .image_level import inside_sources, rounded

_OF_FILMS = (
    *(f"auc_{label}" for label in CLASSES),
    "auc_covid_vs_pneumonia_within_source",
    "sensitivity_covid_at_specificity_90",
)


@dataclass(frozen=True, slots=True)
class Learnt:
    """Films that controls are fitted on, with what the border regression sees of each."""

    films: Sequence[Film]
    borders: Mapping[int, Floats]


def controls(
    films: Sequence[Film],
    *,
    borders: Mapping[int, Floats],
    blanked: Found,
    learnt: Learnt | None,
) -> dict[str, Any]:
    """The three controls on a set.

    Args:
        films: the set.
        borders: `border.features` of each film.
        blanked: what the detector found with the lungs painted over, for films with boxes.
        learnt: what to fit on; the set itself unless given.

    Returns:
        `border`, `lungs_blanked`: the headline figures of whole films as `{"value", "low",
        "high"}` and covid against pneumonia inside each source; `fixed_boxes`: average precision
        with classes ignored, on all boxes and on those drawn by people, `None` if no film has
        exactly two boxes. Each says in `fitted_on` what it was fitted on.
    """
    ordered = sorted(films, key=lambda film: film.id)
    return {
        "border": _border(ordered, borders, learnt),
        "lungs_blanked": {
            "films": len(blanked),
            **_of_films(evidence_of([film for film in ordered if film.id in blanked], blanked)),
        },
        "fixed_boxes": _fixed(ordered, learnt),
    }


def _border(
    films: Sequence[Film], borders: Mapping[int, Floats], learnt: Learnt | None
) -> dict[str, Any]:
    seen = np.stack([borders[film.id] for film in films])
    rows = evidence_of(films, {})
    labels = [film_label(film) for film in learnt.films] if learnt else []
    if learnt and any(labels):
        table = np.stack([learnt.borders[film.id] for film in learnt.films])
        scores = Regression(table, labels).scores(seen)
        fitted_on = f"{len(learnt.films)} training films"
    else:
        scores = cross_validated(seen, [row.label for row in rows], [row.patient for row in rows])
        fitted_on = f"the set itself, {FOLDS} folds by patient"
    judged = [
        FilmEvidence(
            row.key,
            row.patient,
            row.source,
            row.label,
            dict(zip(CLASSES, map(float, score), strict=True)),
            boxes=(),
            wanted=row.wanted,
        )
        for row, score in zip(rows, scores, strict=True)
    ]
    return {"fitted_on": fitted_on, "films": len(films), **_of_films(judged)}


def _of_films(rows: Sequence[FilmEvidence]) -> dict[str, Any]:
    values, ends = figures(rows), intervals(rows)
    return {
        **{name: number(values[name], ends[name]) for name in _OF_FILMS},
        "inside_source": inside_sources(rows),
    }


def number(value: float | None, ends: tuple[float, float] | None) -> dict[str, float | None]:
    """A figure with its interval, rounded."""
    low, high = ends or (None, None)
    return {"value": rounded(value), "low": rounded(low), "high": rounded(high)}


def _fixed(films: Sequence[Film], learnt: Learnt | None) -> dict[str, Any] | None:
    pair = mean_pair(learnt.films) if learnt else None
    fitted_on = "the mean of the training films"
    if pair is None:
        pair, fitted_on = mean_pair(films), "the mean of the set itself"
    if pair is None:
        return None
    found = everywhere(films, pair)
    by_people = [film for film in films if any(truth.origin == HUMAN for truth in film.boxes)]
    return {
        "fitted_on": fitted_on,
        "boxes": [[round(float(part), 4) for part in box] for box in pair],
        "all": average_precision(films, found, classes_ignored=True),
        "human_boxes": average_precision(by_people, found, classes_ignored=True, human_only=True)
        if by_people
        else None,
    }
