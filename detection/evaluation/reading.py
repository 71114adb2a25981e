"""A set through a detector, by the same door and steps as in serving, and its report."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from detection.detectors.coco import CocoSet, Film
from detection.detectors.prediction import Box, Detector
from imaging.frame import Frame
from imaging.pixels import read_file
from twinhealth.errors import InvalidInputError

from .border import features
from .calibration import fit_temperature
from .controls import Learnt, controls
from .curves import Floats
from .evidence import evidence_of
from .report import figures_of_a_set, table_of_scores

Progress = Callable[[Iterable[Film]], Iterable[Film]]


@dataclass(slots=True)
class Reading:
    """What was seen: boxes and seconds of each film, and what the controls need."""

    found: dict[int, list[Box]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    blanked: dict[int, list[Box]] = field(default_factory=dict)
    borders: dict[int, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Controls:
    """That the negative controls are wanted, and what they may learn from.

    Attributes:
        train: films that the border regression and the fixed boxes are fitted on; the set itself
            where there are none (the regression then never sees a patient it is asked about).
        progress: wraps those films.
    """

    train: CocoSet | None = None
    progress: Progress = iter


@dataclass(frozen=True, slots=True)
class Measured:
    """A report, and what was found in each film (by id), for pictures."""

    report: dict[str, Any]
    found: dict[int, list[Box]]


def evaluate(
    detector: Detector, annotated: CocoSet, *, progress: Progress = iter, fit: bool = False
) -> dict[str, Any]:
    """The report of `measure` without the negative controls."""
    return measure(detector, annotated, progress=progress, fit=fit).report


def measure(
    detector: Detector,
    annotated: CocoSet,
    *,
    progress: Progress = iter,
    temperature: float | None = None,
    fit: bool = False,
    controls_wanted: Controls | None = None,
) -> Measured:
    """Read every film of a set and compare with what is annotated.

    Args:
        detector: as loaded for serving.
        annotated: the films and their boxes.
        progress: wraps the films, to show how far it is.
        temperature: of the version, for its calibration; scores as they are unless given.
        fit: fit the temperature on this very set, which is right for a validation set only.
        controls_wanted: measure the negative controls as well; reads each film twice.

    Returns:
        The report is JSON-safe, see `report.figures_of_a_set`; beside those figures it has
        `version`, `sha256`, `data`, `seconds`, `controls` (`controls.controls`, or `None`) and
        `evidence`, the rows that the figures were computed from.

    Raises:
        InvalidInputError: `image_size_mismatch`, if a film isn't the one that was annotated;
            `calibration_impossible`; and what `imaging.pixels.read_file` raises, with the film.
    """
    read = _read(detector, annotated.films, progress, twice=controls_wanted is not None)
    rows = evidence_of(annotated.films, read.found)
    if fit:
        temperature = fit_temperature(table_of_scores(rows), [row.label for row in rows])
    report = {
        "version": detector.version_info.name,
        "sha256": detector.version_info.sha256,
        "data": {
            "images": len(annotated.films),
            "boxes": sum(len(film.boxes) for film in annotated.films),
            "patients": len({row.patient for row in rows}),
            "clipped": annotated.clipped,
            "dropped": annotated.dropped,
            "other_categories": annotated.other_categories,
        },
        **figures_of_a_set(
            annotated.films,
            read.found,
            rows,
            thresholds=detector.version_info.thresholds,
            temperature=temperature,
            fitted_here=fit,
        ),
        "controls": controls_wanted
        and controls(
            annotated.films,
            borders=read.borders,
            blanked=read.blanked,
            learnt=_learn(controls_wanted),
        ),
        "seconds": {
            "median": round(float(np.median(read.seconds)), 4),
            "p95": round(float(np.percentile(read.seconds, 95)), 4),
        },
        "evidence": [row.as_json() for row in rows],
    }
    return Measured(report, read.found)


def frame_of(film: Film) -> Frame:
    """The film's pixels, if they are those that were annotated.

    Raises:
        InvalidInputError: `image_size_mismatch`, and what `imaging.pixels.read_file` raises.
    """
    try:
        frame = read_file(film.path)
    except InvalidInputError as error:
        raise InvalidInputError(
            error.code, f"{film.path.name}: {error.message}", **error.extra
        ) from error
    if frame.pixels.shape != (film.height, film.width):
        height, width = frame.pixels.shape
        raise InvalidInputError(
            "image_size_mismatch",
            f"{film.path.name} has {width} x {height} pixels, its annotation says "
            f"{film.width} x {film.height}.",
        )
    return frame


def blank_lungs(frame: Frame, film: Film) -> Frame:
    """The film with every annotated box filled with its median grey level."""
    pixels = frame.pixels.copy()
    grey = np.median(pixels).astype(pixels.dtype)
    for truth in film.boxes:
        x, y, w, h = truth.box
        pixels[int(y) : int(np.ceil(y + h)), int(x) : int(np.ceil(x + w))] = grey
    return dataclasses.replace(frame, pixels=pixels)


def _read(detector: Detector, films: Sequence[Film], progress: Progress, *, twice: bool) -> Reading:
    read = Reading()
    for film in progress(films):
        frame = frame_of(film)
        prediction = detector.predict(frame, min_score=0.0)
        read.found[film.id] = prediction.boxes
        read.seconds.append(prediction.seconds)
        if twice:
            read.borders[film.id] = features(frame)
            if film.boxes:
                hidden = detector.predict(blank_lungs(frame, film), min_score=0.0)
                read.blanked[film.id] = hidden.boxes
    return read


def _learn(wanted: Controls) -> Learnt | None:
    if wanted.train is None:
        return None
    films = wanted.train.films
    return Learnt(films, {film.id: features(frame_of(film)) for film in wanted.progress(films)})
