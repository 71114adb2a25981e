"""All figures of a set, from the films, what was found in them, and the rows of evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from detection.detectors.classes import CLASSES
from detection.detectors.coco import Film

from .average_precision import Found, average_precision
from .calibration import statements
from .controls import number
from .curves import Floats
from .evidence import HUMAN, FilmEvidence
from .headline import HEADLINE, figures, intervals
from .image_level import (
    SCORE,
    confusion,
    froc,
    image_auc,
    inside_sources,
    precision_recall,
    roc,
    rounded,
)
from .misses import worst
from .operating_point import at_thresholds, films_at_thresholds, flags
from .thresholds import suggested

DRAWS: Final = 1000


def figures_of_a_set(
    films: Sequence[Film],
    found: Found,
    rows: Sequence[FilmEvidence],
    *,
    thresholds: Mapping[str, float],
    temperature: float | None,
    fitted_here: bool,
) -> dict[str, Any]:
    """Everything that is computed without a film being read again.

    Args:
        films: with their annotations.
        found: what the detector saw, by film id.
        rows: the evidence made of both.
        thresholds: at which the version is served.
        temperature: of the version; scores as they are unless given.
        fitted_here: the temperature was fitted on these films.

    Returns:
        `headline`: figure -> value, 95 % interval, and of how many patients, films and boxes;
        `ap`: average precision after COCO (all boxes; classes ignored; boxes drawn by people
        alone, where the set tells who drew them); `by_source` (where it tells sources);
        `image`, `image_auc`: whole films; `curves`; `calibration` before and after temperature;
        `operating_point` and `flags` at the thresholds; `suggested_thresholds`; `worst_misses`.
    """
    ap = {
        "all": average_precision(films, found),
        "classes_ignored": average_precision(films, found, classes_ignored=True),
    }
    by_people = [film for film in films if any(t.origin == HUMAN for t in film.boxes)]
    if by_people:
        ap["human_boxes"] = average_precision(by_people, found, human_only=True)
        ap["human_boxes_classes_ignored"] = average_precision(
            by_people, found, human_only=True, classes_ignored=True
        )
    return {
        "headline": headline(rows, temperature or 1.0),
        "ap": ap,
        "by_source": dict(_by_source(films, found, rows)),
        "image": {
            "score": SCORE,
            "films": {label: sum(row.label == label for row in rows) for label in CLASSES},
            "unknown": sum(not row.label for row in rows),
            "at_thresholds": films_at_thresholds(rows, thresholds),
            "confusion": confusion(rows),
            "covid_vs_pneumonia": inside_sources(rows),
        },
        "image_auc": image_auc(rows),
        "curves": {
            "roc": roc(rows),
            "froc": froc(rows),
            "precision_recall": precision_recall(rows),
        },
        "calibration": _calibration(rows, temperature, fitted_here=fitted_here),
        "suggested_thresholds": suggested(rows),
        "operating_point": at_thresholds(rows, thresholds),
        "flags": flags(rows, thresholds),
        "worst_misses": worst(rows),
    }


def headline(rows: Sequence[FilmEvidence], temperature: float) -> dict[str, dict[str, Any]]:
    """Each headline figure with its interval and with what it was computed from."""
    values = figures(rows, temperature=temperature)
    ends = intervals(rows, DRAWS, temperature=temperature)
    return {name: {**number(values[name], ends[name]), **_counts(name, rows)} for name in HEADLINE}


def table_of_scores(rows: Sequence[FilmEvidence]) -> Floats:
    """(films, classes), in the order of `CLASSES`."""
    return np.array([[row.scores[label] for label in CLASSES] for row in rows], float)


def _counts(name: str, rows: Sequence[FilmEvidence]) -> dict[str, int]:
    """Patients, films and boxes behind a figure."""
    boxes = None
    if name == "ap50_covid_human":
        rows = [row for row in rows if row.human_wanted]
        boxes = sum((row.human_wanted or {})["covid"] for row in rows)
    elif name == "ap50_covid":
        boxes = sum(row.wanted["covid"] for row in rows)
    elif name.startswith("ap"):
        boxes = sum(sum(row.wanted.values()) for row in rows)
    elif name == "auc_covid_vs_pneumonia_within_source":
        sources = inside_sources(rows)
        diseases = {"covid", "pneumonia"}
        rows = [row for row in rows if row.source in sources and row.label in diseases]
    else:
        rows = [row for row in rows if row.label]
    counts = {"patients": len({row.patient for row in rows}), "images": len(rows)}
    return counts if boxes is None else {**counts, "boxes": boxes}


def _by_source(
    films: Sequence[Film], found: Found, rows: Sequence[FilmEvidence]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for source in sorted({film.source for film in films if film.source}):
        group = [film for film in films if film.source == source]
        of_it = [row for row in rows if row.source == source]
        yield (
            source,
            {
                "images": len(group),
                "patients": len({row.patient for row in of_it}),
                "ap": average_precision(group, found),
                "classes_ignored": average_precision(group, found, classes_ignored=True)["any"],
                "image_auc": image_auc(of_it),
            },
        )


def _calibration(
    rows: Sequence[FilmEvidence], temperature: float | None, *, fitted_here: bool
) -> dict[str, Any]:
    origin = "fitted on this set" if fitted_here else "of the version"
    return {
        "temperature": temperature,
        "temperature_from": "none" if temperature is None else origin,
        "before": _reliability(rows, 1.0),
        "after": None if temperature is None else _reliability(rows, temperature),
    }


def _reliability(rows: Sequence[FilmEvidence], temperature: float) -> dict[str, Any]:
    once = np.ones((1, len(rows)))
    every = statements(rows, temperature)
    return {
        "ece": rounded(every.ece(once)[0]),
        "ece_by_class": {
            label: rounded(statements(rows, temperature, [label]).ece(once)[0]) for label in CLASSES
        },
        "reliability": every.reliability(),
    }
