"""What a version's thresholds cost in misses and false alarms, per box and per film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from detection.detectors.classes import CLASSES

from .evidence import FilmEvidence, best_box

NORMAL: Final = "normal"


def at_thresholds(
    rows: Sequence[FilmEvidence], thresholds: Mapping[str, float]
) -> dict[str, dict[str, float | int | None]]:
    """What each class's threshold gives: precision, recall and F1 of boxes at IoU 0.5."""
    report: dict[str, dict[str, float | int | None]] = {}
    for label in CLASSES:
        scores, right, wanted = counted_boxes(rows, label)
        threshold = thresholds[label]
        right = right[scores >= threshold]
        hits = int(right.sum())
        report[label] = {
            "threshold": threshold,
            "precision": round(hits / len(right), 4) if len(right) else None,
            "recall": round(hits / wanted, 4) if wanted else None,
            "f1": round(f1(right, wanted), 4),
            "found": len(right),
            "wanted": wanted,
        }
    return report


def films_at_thresholds(
    rows: Sequence[FilmEvidence], thresholds: Mapping[str, float]
) -> dict[str, dict[str, float | int | None]]:
    """Per class: of the films of the class, how many have a finding of it; of the others, how few.

    Returns:
        `threshold`, `sensitivity`, `specificity`, and of how many films each is the share.
    """
    known = [row for row in rows if row.label]
    report: dict[str, dict[str, float | int | None]] = {}
    for label in CLASSES:
        called = np.array([best_box(row, label) >= thresholds[label] for row in known], bool)
        there = np.array([row.label == label for row in known], bool)
        report[label] = {
            "threshold": thresholds[label],
            "sensitivity": round(float(called[there].mean()), 4) if there.any() else None,
            "specificity": round(float(1 - called[~there].mean()), 4) if not there.all() else None,
            "films_of_the_class": int(there.sum()),
            "other_films": int((~there).sum()),
        }
    return report


def flags(rows: Sequence[FilmEvidence], thresholds: Mapping[str, float]) -> dict[str, float | None]:
    """How flagging works: a film is flagged when it has a finding of a disease.

    Returns:
        `sensitivity` (of films with a disease, those flagged), `specificity` (of normal films,
        those not flagged), `films_without_finding` (share of all). Films whose class nobody knows
        are part of the last only.
    """
    found = [
        {label for label in CLASSES if best_box(row, label) >= thresholds[label]} for row in rows
    ]
    flagged = np.array([bool(labels - {NORMAL}) for labels in found], bool)
    ill = np.array([row.label not in {"", NORMAL} for row in rows], bool)
    well = np.array([row.label == NORMAL for row in rows], bool)
    return {
        "sensitivity": round(float(flagged[ill].mean()), 4) if ill.any() else None,
        "specificity": round(float(1 - flagged[well].mean()), 4) if well.any() else None,
        "films_without_finding": round(float(np.mean([not labels for labels in found])), 4),
    }


def counted_boxes(
    rows: Sequence[FilmEvidence], label: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], int]:
    """Score of each box of a class that is right or wrong, which it is, how many were wanted."""
    counted = [b for row in rows for b in row.boxes if b.label == label and b.hit50 is not None]
    return (
        np.array([box.score for box in counted], float),
        np.array([box.hit50 for box in counted], bool),
        sum(row.wanted[label] for row in rows),
    )


def f1(right: npt.NDArray[np.bool_], wanted: int) -> float:
    """Harmonic mean of precision and recall of found boxes, 0 where there is nothing at all."""
    total = len(right) + wanted
    return 2 * float(right.sum()) / total if total else 0.0
