"""COCO's average precision, by pycocotools, for a set of films and what was found in them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from detection.detectors.classes import CLASSES
from detection.detectors.coco import Film
from detection.detectors.prediction import Box

from .evidence import HUMAN

Found = Mapping[int, Sequence[Box]]  # by the film's id
_IOU_50, _IOU_75 = 0, 5  # places among COCO's thresholds 0.50, 0.55 .. 0.95


def average_precision(
    films: Sequence[Film],
    found: Found,
    *,
    classes_ignored: bool = False,
    human_only: bool = False,
) -> dict[str, Any]:
    """AP over IoU 0.50..0.95, AP50 and AP75 of each class that occurs, and their mean.

    Args:
        films: the films that count.
        found: what the detector saw, by film id, at a threshold low enough for a whole curve.
        classes_ignored: one class for all: how well lungs are placed, whatever they are called.
        human_only: only boxes drawn by people are wanted; a find on another box is neither right
            nor wrong.

    Returns:
        `{"images", "boxes", "mean": {"ap", "ap50", "ap75"}, <class>: {...}}`; a class without a
        box is `None` and not part of the mean.
    """
    names = ("any",) if classes_ignored else CLASSES
    number = {label: 1 + (0 if classes_ignored else i) for i, label in enumerate(CLASSES)}
    truths = [
        (film.id, truth, truth.crowd or (human_only and truth.origin != HUMAN))
        for film in films
        for truth in film.boxes
    ]
    report: dict[str, Any] = {
        "images": len(films),
        "boxes": sum(not ignored for _, _, ignored in truths),
    }
    wanted = [
        {
            "id": i + 1,
            "image_id": film,
            "category_id": number[truth.label],
            "bbox": list(truth.box),
            "area": truth.box[2] * truth.box[3],
            "iscrowd": int(ignored),  # COCO's way to say "don't count"
        }
        for i, (film, truth, ignored) in enumerate(truths)
    ]
    given = [
        {
            "image_id": film.id,
            "category_id": number[box.label],
            "bbox": [box.x, box.y, box.w, box.h],
            "score": box.score,
        }
        for film in films
        for box in found.get(film.id, ())
    ]
    precision = _precision(films, wanted, given, len(names))
    rows = []
    for i, name in enumerate(names):
        curve = precision[:, :, i]  # (IoU thresholds, recalls), -1 where there is nothing to find
        row = None
        if (curve >= 0).all():
            row = {
                "ap": _round(curve.mean()),
                "ap50": _round(curve[_IOU_50].mean()),
                "ap75": _round(curve[_IOU_75].mean()),
            }
            rows.append(row)
        report[name] = row
    report["mean"] = (
        {key: _round(np.mean([row[key] for row in rows])) for key in rows[0]} if rows else None
    )
    return report


def _precision(
    films: Sequence[Film], wanted: list[dict[str, Any]], given: list[dict[str, Any]], classes: int
) -> Any:
    """(IoU thresholds, recalls, classes) for boxes of any size, 100 a film at most."""
    categories = [{"id": i + 1, "name": str(i + 1)} for i in range(classes)]
    images = [{"id": film.id, "width": film.width, "height": film.height} for film in films]
    if not given:
        nothing_to_find = [all(w["category_id"] != c["id"] for w in wanted) for c in categories]
        return np.where(nothing_to_find, -1.0, 0.0) * np.ones((10, 101, 1))
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": images,
            "annotations": wanted,
            "categories": categories,
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(given), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"][:, :, :, 0, -1]


def _round(value: Any) -> float:
    return round(float(value), 4)
