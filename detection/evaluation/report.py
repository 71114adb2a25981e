"""The whole report of a detector on a set: figures, intervals, calibration, controls, evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detection.detectors.coco import CocoSet, Film
from detection.detectors.evaluation import Progress, evaluate, frame_of
from detection.detectors.prediction import Box, Detector
from detection.manifest import Scaling
from imaging.frame import Frame
from twinhealth.errors import InvalidInputError

from .border import border_features
from .calibration import calibration
from .controls import Training, blanked_control, border_control, fixed_boxes_control
from .evidence import FilmEvidence, from_json, of_film
from .headline import intervals
from .image_level import at_thresholds, counts, froc


def full_report(
    detector: Detector,
    annotated: CocoSet,
    *,
    progress: Progress = iter,
    calibrate_on: Sequence[FilmEvidence] | Scaling | None = None,
    training: Training | None = None,
    blank_lungs: bool = False,
) -> dict[str, Any]:
    """Read every film of a set and say all that is known.

    Args:
        detector: as loaded for serving.
        annotated: the set; needs no field beyond COCO's own.
        progress: wraps the films, to show how far it is.
        calibrate_on: evidence of another set, to fit the scaling of scores on, or the version's
            own scaling; by cross-validation unless given.
        training: films the controls are fitted on; the set itself unless given.
        blank_lungs: read all films once more without their lungs.

    Returns:
        What `evaluate` returns, and `headline`, `counts`, `image_level`, `froc`, `calibration`,
        `controls`, `evidence` (a row a film); JSON-safe.

    Raises:
        InvalidInputError: as `evaluate`.
    """
    seen: dict[int, tuple[FilmEvidence, Any]] = {}

    def look(film: Film, frame: Frame, boxes: Sequence[Box]) -> None:
        seen[film.id] = of_film(film, boxes), border_features(frame)

    report = evaluate(detector, annotated, progress=progress, look=look)
    # in the order of their numbers, as COCO ranks equal scores
    films = sorted(annotated.films, key=lambda film: film.id)
    rows = [seen[film.id][0] for film in films]
    features = np.array([seen[film.id][1] for film in films])
    blanked = blanked_control(detector, progress(films), frame_of) if blank_lungs else None
    return {
        **report,
        "headline": intervals(rows),
        "counts": counts(rows),
        "image_level": at_thresholds(rows, detector.version_info.thresholds),
        "froc": froc(rows),
        "calibration": calibration(rows, calibrate_on),
        "controls": {
            "border": border_control(rows, features, training),
            "lungs_blanked": blanked,
            "fixed_boxes": fixed_boxes_control(films, training),
        },
        "evidence": [row.as_json() for row in rows],
    }


def training_films(annotated: CocoSet, *, progress: Progress = iter) -> Training:
    """Read the films that the controls are fitted on.

    Raises:
        InvalidInputError: as `detectors.evaluation.frame_of`.
    """
    features = [border_features(frame_of(film)) for film in progress(annotated.films)]
    return Training(annotated.films, np.array(features))


def scaling_of(report: Mapping[str, Any]) -> Scaling | None:
    """The scaling that a report's calibration found; `None` where there was nothing to fit on."""
    found = report["calibration"]
    if found["temperature"] is None:
        return None
    return Scaling(round(found["temperature"], 4), round(found["offset"], 4))


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write it as JSON that reads well, with one line for each film's evidence."""
    head = {key: value for key, value in report.items() if key != "evidence"}
    text = json.dumps(head, indent=2, allow_nan=False)
    lines = ",\n    ".join(json.dumps(row, allow_nan=False) for row in report["evidence"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{text[:-2]},\n  "evidence": [\n    {lines}\n  ]\n}}\n', encoding="utf-8")


def read_evidence(path: Path, *, sha256: str) -> list[FilmEvidence]:
    """The evidence of a report.

    Args:
        path: the JSON file.
        sha256: of the weights it must be of.

    Raises:
        InvalidInputError: `report_unreadable`, `report_invalid`, `report_of_another_version`,
            `evidence_invalid`.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInputError(
            "report_unreadable", f"The report {path.name} can't be read: {error}."
        ) from error
    rows = report.get("evidence") if isinstance(report, dict) else None
    if not isinstance(rows, list) or not rows:
        raise InvalidInputError("report_invalid", f"{path.name} isn't a report with evidence rows.")
    if report.get("sha256") != sha256:
        raise InvalidInputError(
            "report_of_another_version",
            f"{path.name} is of the version {report.get('version')}, with other weights.",
        )
    return [from_json(row) for row in rows]
