"""Negative controls: what is reached without looking at the lungs.

A figure of the detector means as much as it exceeds the same figure of these.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from detection.detectors.coco import Film
from detection.detectors.operating_point import NORMAL
from detection.detectors.prediction import Box, Detector
from detection.detectors.ranking import Array
from imaging.frame import Frame

from . import border
from .evidence import FilmEvidence, of_film
from .folds import patient_folds
from .headline import COVID, PNEUMONIA, intervals

ITSELF: Final = "the set itself"
BY_PATIENT: Final = "the set itself, cross-validated by patient"
OTHER: Final = "the training set"
_CLASS_FIGURES: Final = (
    "auc_covid",
    "auc_pneumonia",
    "auc_normal",
    "auc_covid_vs_pneumonia_within_source",
    "sensitivity_covid_at_specificity_90",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Training:
    """What the controls are fitted on: films, their border features, whether each is covid."""

    films: Sequence[Film]
    features: Array

    @property
    def covid(self) -> Any:
        """(films,) of bool."""
        return np.array([any(t.label == COVID for t in film.boxes) for film in self.films], bool)


def border_control(
    rows: Sequence[FilmEvidence], features: Array, training: Training | None
) -> dict[str, Any] | None:
    """A logistic regression that sees border pixels and side ratio alone; covid or not.

    Args:
        rows: of the set.
        features: (films, features) of the set, by `border.border_features`.
        training: films to fit on; without them the set itself, by patient.

    Returns:
        `fitted_on`, `auc_covid` and `auc_covid_vs_pneumonia_within_source` with intervals; `None`
        where there is only one patient or one class to fit on.
    """
    covid = np.array([row.has(COVID) for row in rows], bool)
    chances = np.zeros(len(rows))
    if training:
        model = border.fit(training.features, training.covid)
        if model is None:
            return None
        chances = model.chances(features)
    else:
        parts = patient_folds(rows)
        for part in set(parts):
            inside = parts == part
            model = border.fit(features[~inside], covid[~inside]) if not inside.all() else None
            if model is None:
                return None
            chances[inside] = model.chances(features[inside])
    said = [
        dataclasses.replace(row, scores={COVID: float(chance), PNEUMONIA: 0.0, NORMAL: 0.0})
        for row, chance in zip(rows, chances, strict=True)
    ]
    names = ("auc_covid", "auc_covid_vs_pneumonia_within_source")
    return {"fitted_on": OTHER if training else BY_PATIENT, **_some(said, names)}


def fixed_boxes_control(films: Sequence[Film], training: Training | None) -> dict[str, Any] | None:
    """One pair of boxes for all films, the mean left and right one; classes ignored.

    Returns:
        `fitted_on`, `boxes` (left, top, width, height in parts of the image), `ap50_lungs` and
        `ap75_lungs` with intervals; `None` where no film has just two boxes.
    """
    pairs = [
        sorted(
            [(x / f.width, y / f.height, w / f.width, h / f.height) for x, y, w, h in _places(f)],
            key=lambda box: box[0] + box[2] / 2,
        )
        for f in (training.films if training else films)
        if len(f.boxes) == 2
    ]
    if not pairs:
        return None
    mean = np.mean(pairs, axis=0)
    said = [of_film(film, [_box(place, film) for place in mean]) for film in films]
    return {
        "fitted_on": OTHER if training else ITSELF,
        "boxes": mean.round(4).tolist(),
        **_some(said, ("ap50_lungs", "ap75_lungs")),
    }


def blanked_control(detector: Detector, films: Iterable[Film], read: Any) -> dict[str, Any]:
    """The detector on films whose annotated boxes hold nothing but the film's median.

    Args:
        detector: as loaded for serving.
        films: of the set.
        read: film -> its `Frame`.

    Returns:
        The headline figures that need no boxes, with intervals.
    """
    said = [
        of_film(film, detector.predict(blanked(read(film), film), min_score=0.0).boxes)
        for film in films
    ]
    return _some(said, _CLASS_FIGURES)


def blanked(frame: Frame, film: Film) -> Frame:
    """A film without what lies in its boxes."""
    pixels = frame.pixels.copy()
    level = pixels.dtype.type(np.median(pixels))
    for x, y, w, h in _places(film):
        rows = slice(int(y), int(np.ceil(y + h)))
        pixels[rows, int(x) : int(np.ceil(x + w))] = level
    return dataclasses.replace(frame, pixels=pixels)


def _places(film: Film) -> list[tuple[float, float, float, float]]:
    return [truth.box for truth in film.boxes]


def _box(place: Any, film: Film) -> Box:
    x, y, w, h = place * (film.width, film.height, film.width, film.height)
    return Box(NORMAL, 1.0, float(x), float(y), float(w), float(h))


def _some(rows: Sequence[FilmEvidence], names: Sequence[str]) -> dict[str, Any]:
    every = intervals(rows)
    return {name: every[name] for name in names}
