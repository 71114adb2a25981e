"""How often a set's labels seem wrong, and how good a reader could look when judged by them.

Confident learning (Northcutt, Jiang and Chuang, J. Artif. Intell. Res. 70, 2021): readers that
never saw a film name it; where they name another class as surely as they name that class's own
films, the film counts as of the other class. Such readers err too, so the shares are upper bounds
of the labels' errors, and the ceiling that follows is a lower bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detection.detectors.classes import CLASSES
from detection.detectors.ranking import Array
from twinhealth.errors import InvalidInputError

from .headline import interval, patient_weights
from .weighted import RECALLS

DRAWS: Final = 1000
Joint = npt.NDArray[np.float64]  # (sources, given class, seeming class), films


@dataclass(frozen=True, slots=True)
class NamedFilm:
    """A film as its set has it, and as readers that never saw it name it.

    Attributes:
        name: of its file.
        patient, source: as the set has them.
        given: number of its class.
        chances: of each class, by each reader, (readers, classes).
    """

    name: str
    patient: str
    source: str
    given: int
    chances: Array

    @property
    def label(self) -> str:
        """What parts of a cross-validation shall hold alike."""
        return f"{self.source} {self.given}"


def noise_report(films: Sequence[NamedFilm], *, seed: int = 0) -> dict[str, Any]:
    """Joint counts per source, the share of labels in doubt, and the ceiling of AP50.

    Returns:
        `{"films", "patients", "readers", "sources": {source: {given: {"films", "named_otherwise",
        "in_doubt", "seems": {class: films}}}}, "in_doubt": {class: {"value", "low", "high"}},
        "ceiling_ap50": {"mean" and class: {"value", "low", "high"}}, "doubted": [file, ..]}`;
        shares of films; intervals are 95 %, by bootstrap over patients.

    Raises:
        InvalidInputError: `annotations_empty`.
    """
    if not films:
        raise InvalidInputError("annotations_empty", "There is no film with a class in the set.")
    sources = sorted({film.source for film in films})
    mean = np.stack([film.chances.mean(axis=0) for film in films])
    given = np.array([film.given for film in films])
    place = np.array([sources.index(film.source) for film in films])
    seems = seeming(mean, given)
    once = np.ones((1, len(films)))
    draws = patient_weights(films, draws=DRAWS, seed=seed)
    here = _joint(once, place, given, seems, len(sources))[0]
    drawn = _joint(draws, place, given, seems, len(sources))
    unanimous = np.array(
        [
            film.given != seem and bool((film.chances.argmax(axis=1) == seem).all())
            for film, seem in zip(films, seems, strict=True)
        ]
    )
    return {
        "films": len(films),
        "patients": len({film.patient for film in films}),
        "readers": len(films[0].chances),
        "sources": {
            source: _of_source(here[i], mean[place == i], given[place == i])
            for i, source in enumerate(sources)
        },
        "in_doubt": _by_class(_doubt(here[None])[0], _doubt(drawn), films),
        "ceiling_ap50": _ceilings(here, drawn, films),
        "doubted": [
            f"{film.name}: {CLASSES[film.given]}, seems {CLASSES[seem]}"
            for film, seem, sure in zip(films, seems, unanimous, strict=True)
            if sure
        ],
    }


def seeming(chances: Array, given: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    """The class that each film seems to be of.

    A class is named surely from the mean chance on that the films labelled so have of it; of
    several the likeliest counts, and without one the label does.

    Args:
        chances: (films, classes).
        given: (films,), number of the class.

    Returns:
        (films,), number of the class.
    """
    count = chances.shape[1]
    sure = np.array(
        [chances[given == c, c].mean() if (given == c).any() else np.inf for c in range(count)]
    )
    passed = np.where(chances >= sure, chances, -1.0)
    return np.where(passed.max(axis=1) >= 0, passed.argmax(axis=1), given)


def ceiling(joint: Joint) -> Array:
    """AP50 per class of a reader that knows what each film seems, judged by the labels given.

    It places each box rightly and scores a class by how often that label is given to films of that
    source that seem as this one does: no order of the films does better without knowing the labels.

    Args:
        joint: (sources, given, seeming), films.

    Returns:
        (classes,), NaN for a class without a film.
    """
    classes = joint.shape[1]
    groups = joint.sum(axis=1).reshape(-1)  # films of each (source, seeming)
    result = np.full(classes, np.nan)
    for c in range(classes):
        hits = joint[:, c, :].reshape(-1)
        if not hits.sum():
            continue
        share = np.divide(hits, groups, out=np.zeros_like(hits), where=groups > 0)
        order = np.argsort(-share, kind="stable")
        found, shown = np.cumsum(hits[order]), np.cumsum(groups[order])
        # within a group the order is chance: precision goes straight from one corner to the next
        steps = np.linspace(0, found[-1], 2001)[1:]
        precision = steps / np.interp(steps, np.insert(found, 0, 0), np.insert(shown, 0, 0))
        best = np.maximum.accumulate(precision[::-1])[::-1]
        places = np.searchsorted(steps, RECALLS * found[-1] * (1 - 1e-9))
        result[c] = best[np.minimum(places, len(best) - 1)].mean()
    return result


def _joint(
    weights: Array,
    place: npt.NDArray[np.int_],
    given: npt.NDArray[np.int_],
    seems: npt.NDArray[np.int_],
    sources: int,
) -> Array:
    """(draws, films) -> (draws, sources, given, seeming)."""
    classes = len(CLASSES)
    cell = (place * classes + given) * classes + seems
    cells = np.eye(sources * classes * classes)[cell]
    return (weights @ cells).reshape(-1, sources, classes, classes)


def _doubt(joint: Array) -> Array:
    """(draws, sources, given, seeming) -> share of each class's films that seem of another."""
    table = joint.sum(axis=1)
    kept = np.diagonal(table, axis1=1, axis2=2)
    with np.errstate(invalid="ignore"):
        return np.asarray(1 - kept / table.sum(axis=2))


def _of_source(joint: Array, chances: Array, given: npt.NDArray[np.int_]) -> dict[str, Any]:
    named = chances.argmax(axis=1)
    rows = {}
    for c, label in enumerate(CLASSES):
        mine = given == c
        if mine.any():
            rows[label] = {
                "films": int(mine.sum()),
                "named_otherwise": round(float((named[mine] != c).mean()), 4),
                "in_doubt": round(float(1 - joint[c, c] / joint[c].sum()), 4),
                "seems": {other: int(joint[c, i]) for i, other in enumerate(CLASSES)},
            }
    return rows


def _ceilings(here: Joint, drawn: Array, films: Sequence[NamedFilm]) -> dict[str, Any]:
    value = ceiling(here)
    draws = np.stack([ceiling(joint) for joint in drawn])
    # a class that the set lacks, or a draw missed, is not part of the mean
    rows = {"mean": _with_span(float(np.nanmean(value)), np.nanmean(draws, axis=1), films)}
    return rows | _by_class(value, draws, films)


def _by_class(values: Array, draws: Array, films: Sequence[NamedFilm]) -> dict[str, Any]:
    return {
        label: _with_span(float(values[i]), draws[:, i], films)
        for i, label in enumerate(CLASSES)
        if np.isfinite(values[i])
    }


def _with_span(value: float, draws: Array, films: Sequence[NamedFilm]) -> dict[str, float | None]:
    ends = {"value": value, **interval(draws, films)}
    return {name: None if end is None else round(end, 4) for name, end in ends.items()}
