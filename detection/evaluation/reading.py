"""Figures of a detector on an annotated set, by the same door and steps as in serving."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from detection.detectors.coco import CocoSet, Film
from detection.detectors.prediction import Box, Detector
from imaging.pixels import read_file
from twinhealth.errors import InvalidInputError

from .average_precision import Found, average_precision
from .evidence import HUMAN
from .operating_point import at_thresholds, flags, image_auc, suggested


def evaluate(
    detector: Detector,
    annotated: CocoSet,
    *,
    progress: Callable[[Iterable[Film]], Iterable[Film]] = iter,
) -> dict[str, Any]:
    """Read every film of a set and compare.

    Args:
        detector: as loaded for serving.
        annotated: the films and their boxes.
        progress: wraps the films, to show how far it is.

    Returns:
        JSON-safe: `ap` (all films; classes ignored; boxes drawn by people alone, where the set
        tells who drew them), `by_source` (where it tells sources), `image_auc`,
        `operating_point` and `flags` at the version's thresholds, `suggested_thresholds`, `data`,
        `seconds`.

    Raises:
        InvalidInputError: `image_size_mismatch`, if a film isn't the one that was annotated; and
            what `imaging.pixels.read_file` raises.
    """
    found: dict[int, list[Box]] = {}
    seconds = []
    for film in progress(annotated.films):
        prediction = detector.predict(_frame(film), min_score=0.0)
        found[film.id] = prediction.boxes
        seconds.append(prediction.seconds)
    return {
        "version": detector.version_info.name,
        "sha256": detector.version_info.sha256,
        "data": _data(annotated),
        **_figures(annotated.films, found, detector.version_info.thresholds),
        "seconds": {
            "median": round(float(np.median(seconds)), 4),
            "p95": round(float(np.percentile(seconds, 95)), 4),
        },
    }


def _figures(films: tuple[Film, ...], found: Found, thresholds: dict[str, float]) -> dict[str, Any]:
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
        "ap": ap,
        "by_source": {
            source: {
                "ap": average_precision(group, found),
                "image_auc": image_auc(group, found),
            }
            for source, group in _sources(films)
        },
        "image_auc": image_auc(films, found),
        "suggested_thresholds": suggested(films, found),
        "operating_point": at_thresholds(films, found, thresholds),
        "flags": flags(films, found, thresholds),
    }


def _sources(films: tuple[Film, ...]) -> Iterator[tuple[str, list[Film]]]:
    for source in sorted({film.source for film in films if film.source}):
        yield source, [film for film in films if film.source == source]


def _frame(film: Film) -> Any:
    frame = read_file(film.path)
    if frame.pixels.shape != (film.height, film.width):
        height, width = frame.pixels.shape
        raise InvalidInputError(
            "image_size_mismatch",
            f"{film.path.name} has {width} x {height} pixels, its annotation says "
            f"{film.width} x {film.height}.",
        )
    return frame


def _data(annotated: CocoSet) -> dict[str, Any]:
    return {
        "images": len(annotated.films),
        "boxes": sum(len(film.boxes) for film in annotated.films),
        "clipped": annotated.clipped,
        "dropped": annotated.dropped,
        "other_categories": annotated.other_categories,
    }
