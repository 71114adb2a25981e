"""The files of an exported set: three COCO annotation files and one that names their hashes.

Nothing in them tells a time or a number of ours, and everything stands in one order, so equal
content is equal bytes. No clock, no database, no disk.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from detection.detectors.classes import CLASSES
from detection.truth import Box

FORMAT: Final = 1
SPLITS: Final = ("train", "val", "test")
CATEGORIES: Final = {label: number for number, label in enumerate(CLASSES, start=1)}


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One annotation; box in pixels of the exported picture, reader by pseudonym."""

    label: str
    box: Box
    origin: str
    verdict: str
    labeller: str
    role: str


@dataclass(frozen=True, slots=True)
class FilmRow:
    """One picture with its boxes; patient and source (machine) by pseudonym.

    Attributes:
        file_name: below `images/`.
        sha256: of that file.
        view: `PA`, `AP` or empty.
        demo: it came with the program and isn't a film of this hospital.
        model: name of the version whose findings were judged; empty without one.
    """

    split: str
    file_name: str
    sha256: str
    width: int
    height: int
    patient: str
    source: str
    view: str
    demo: bool
    model: str
    boxes: tuple[BoxRow, ...]


def coco(films: Iterable[FilmRow], split: str) -> bytes:
    """A COCO detection file of one split, films by file name."""
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for film in sorted((f for f in films if f.split == split), key=lambda f: f.file_name):
        images.append({"id": len(images) + 1, **_image(film)})
        boxes += [
            {"id": len(boxes) + number, "image_id": len(images), **_annotation(row)}
            for number, row in enumerate(film.boxes, start=1)
        ]
    return _dump(
        {
            "info": {"description": f"Signed films of one hospital, {split}", "version": FORMAT},
            "images": images,
            "annotations": boxes,
            "categories": [
                {"id": number, "name": label, "supercategory": "lung"}
                for label, number in CATEGORIES.items()
            ],
        }
    )


def index(
    files: Mapping[str, bytes], films: Sequence[FilmRow], *, longest_side: int | None
) -> bytes:
    """`dataset.json`: hash and counts of each annotation file; its own hash is the version's.

    Args:
        files: split -> annotation file.
        films: of all splits.
        longest_side: of the pictures, as asked for; `None`: as stored.
    """
    counted = counts(films)
    return _dump(
        {
            "format": FORMAT,
            "longest_side": longest_side,
            "annotations": {
                split: {
                    "file": f"annotations/{split}.json",
                    "sha256": hashlib.sha256(data).hexdigest(),
                    **counted[split],
                }
                for split, data in files.items()
            },
        }
    )


def counts(films: Iterable[FilmRow]) -> dict[str, dict[str, Any]]:
    """Films, patients and boxes per label of each split."""
    films = list(films)
    found: dict[str, dict[str, Any]] = {}
    for split in SPLITS:
        mine = [f for f in films if f.split == split]
        labels = [box.label for f in mine for box in f.boxes]
        found[split] = {
            "films": len(mine),
            "patients": len({f.patient for f in mine}),
            "boxes": {label: labels.count(label) for label in CLASSES},
        }
    return found


def content_sha256(film: FilmRow) -> str:
    """Of all that the set says of a film: another one means that the film has changed."""
    rows = [_image(film), film.split, *(_annotation(row) for row in film.boxes)]
    return hashlib.sha256(_dump(rows)).hexdigest()


def scaled(box: Box, factors: tuple[float, float], size: tuple[int, int]) -> Box:
    """A box of the stored film on the exported one, to hundredths of a pixel, inside of it.

    Args:
        box: left, top, width, height in stored pixels.
        factors: exported pixels per stored one, across and down.
        size: width, height of the exported picture.
    """
    left, top = (max(round(box[i] * factors[i], 2), 0.0) for i in (0, 1))
    right, bottom = (
        min(round((box[i] + box[i + 2]) * factors[i], 2), float(size[i])) for i in (0, 1)
    )
    return (left, top, round(right - left, 2), round(bottom - top, 2))


def _image(film: FilmRow) -> dict[str, Any]:
    return {
        "file_name": film.file_name,
        "width": film.width,
        "height": film.height,
        "sha256": film.sha256,
        "patient_id": film.patient,
        "source": film.source,
        "view": film.view,
        "demo": film.demo,
        "model": film.model,
    }


def _annotation(row: BoxRow) -> dict[str, Any]:
    return {
        "category_id": CATEGORIES[row.label],
        "bbox": list(row.box),
        "area": round(row.box[2] * row.box[3], 2),
        "iscrowd": 0,
        "origin": row.origin,
        "verdict": row.verdict,
        "labeller": row.labeller,
        "labeller_role": row.role,
    }


def _dump(table: Any) -> bytes:
    return (json.dumps(table, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
