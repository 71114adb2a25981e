"""Annotations in COCO's JSON, checked and brought into one shape; no torch here.

Categories are matched by name, never by id: two sets number them differently more often than not.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twinhealth.errors import InvalidInputError

from .classes import CLASSES


@dataclass(frozen=True, slots=True)
class Truth:
    """One annotated box: label; left, top, width, height within the image; who drew it."""

    label: str
    box: tuple[float, float, float, float]
    origin: str


@dataclass(frozen=True, slots=True)
class Film:
    """One image of a set with its boxes."""

    id: int
    path: Path
    width: int
    height: int
    source: str
    boxes: tuple[Truth, ...]
    tier: str = ""  # of its licence, where the set tells
    patient: str = ""  # where the set tells
    name: str = ""  # `file_name` as the set has it, with its folders


@dataclass(frozen=True, slots=True)
class CocoSet:
    """A set of annotated films.

    Attributes:
        films: in the file's order.
        clipped: boxes that reached outside of their image and were cut at its edge.
        dropped: boxes of which nothing lay inside, or without area.
        other_categories: boxes of categories that the detector doesn't know, left out.
    """

    films: tuple[Film, ...]
    clipped: int = 0
    dropped: int = 0
    other_categories: int = 0


TIERS: Final = {
    "research": ("open", "nc-sa"),
    "open": ("open",),
    "site": ("open", "nc-sa", "site"),
}


def of_tier(films: CocoSet, tier: str) -> CocoSet:
    """The films of a set whose licence allows a use.

    Args:
        films: each names its `licence_tier`: `open` (any use), `nc-sa` (non-commercial, share
            alike), `stated` (a source says so, without a licence text), `site` (the hospital's
            own, which leave it only with its consent).
        tier: `open`, `research` (also non-commercial ones, none that is only stated), or `site`
            (a model that stays in the hospital: its own ones as well).

    Raises:
        InvalidInputError: `tier_unknown`, if films don't tell; `annotations_empty` if none is left.
    """
    silent = [film.path.name for film in films.films if not film.tier]
    if silent:
        raise InvalidInputError(
            "tier_unknown",
            f"{len(silent)} films don't tell their licence_tier, first {silent[0]}; "
            "leave --tier out to take them all.",
        )
    left = tuple(film for film in films.films if film.tier in TIERS[tier])
    if not left:
        raise InvalidInputError("annotations_empty", f"No film of the set has the tier '{tier}'.")
    return dataclasses.replace(films, films=left)


@dataclass(slots=True)
class _Count:
    clipped: int = 0
    dropped: int = 0
    other: int = 0
    boxes: dict[int, list[Truth]] = field(default_factory=dict)


def read_coco(annotations: Path, images: Path) -> CocoSet:
    """Read a COCO file with the categories covid, pneumonia and normal.

    Args:
        annotations: the JSON file.
        images: folder in which its `file_name`s lie.

    Raises:
        InvalidInputError: `annotations_unreadable`, `annotations_invalid`, `categories_missing`,
            `images_missing`.
    """
    try:
        table = json.loads(annotations.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(
            "annotations_unreadable", f"{annotations.name} can't be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise InvalidInputError("annotations_invalid", f"{annotations.name} isn't JSON.") from error
    try:
        return _parse(table, annotations.name, images)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInputError(
            "annotations_invalid",
            f"{annotations.name} isn't a COCO detection file ({type(error).__name__}: {error}).",
        ) from error


def _parse(table: dict[str, Any], name: str, images: Path) -> CocoSet:
    labels = {int(c["id"]): str(c["name"]) for c in table["categories"]}
    missing = sorted(set(CLASSES) - set(labels.values()))
    if missing:
        raise InvalidInputError(
            "categories_missing",
            f"{name} lacks the categories {', '.join(missing)}.",
            found=sorted(labels.values()),
        )
    sizes = {int(i["id"]): (int(i["width"]), int(i["height"])) for i in table["images"]}
    if len(sizes) != len(table["images"]):
        raise InvalidInputError("annotations_invalid", f"{name} uses an image id twice.")
    count = _Count()
    for row in table["annotations"]:
        _add_box(count, row, labels, sizes)
    films = tuple(
        Film(
            id=int(row["id"]),
            path=_inside(images, str(row["file_name"])),
            width=int(row["width"]),
            height=int(row["height"]),
            source=str(row.get("source") or ""),
            boxes=tuple(count.boxes.get(int(row["id"]), ())),
            tier=str(row.get("licence_tier") or ""),
            patient=_text(row.get("patient_id")),
            name=str(row["file_name"]),
        )
        for row in table["images"]
    )
    if not films:
        raise InvalidInputError("annotations_invalid", f"{name} names no image.")
    absent = [film.path.name for film in films if not film.path.is_file()]
    if absent:
        raise InvalidInputError(
            "images_missing",
            f"{len(absent)} of {len(films)} images of {name} are not in {images.name or images}, "
            f"first {absent[0]}.",
            missing=absent[:20],
        )
    return CocoSet(films, count.clipped, count.dropped, count.other)


def _text(value: Any) -> str:
    """A field as text; a patient numbered 0 is one, too."""
    return "" if value is None else str(value)


def _inside(images: Path, file_name: str) -> Path:
    path = images / file_name
    if not path.resolve().is_relative_to(images.resolve()):
        raise ValueError(f"file_name {file_name!r} leaves the folder of images")
    return path


def _add_box(
    count: _Count,
    row: dict[str, Any],
    labels: dict[int, str],
    sizes: dict[int, tuple[int, int]],
) -> None:
    label = labels[int(row["category_id"])]
    if label not in CLASSES:
        count.other += 1
        return
    image = int(row["image_id"])
    width, height = sizes[image]
    x, y, w, h = (float(v) for v in row["bbox"])
    left, top = max(x, 0.0), max(y, 0.0)
    right, bottom = min(x + w, float(width)), min(y + h, float(height))
    # comparisons with NaN are false: such a box is dropped as well
    if not (right > left and bottom > top):
        count.dropped += 1
        return
    # a rounding error at the edge is not worth counting
    if max(left - x, top - y, x + w - right, y + h - bottom) > 0.5:
        count.clipped += 1
    box = (left, top, right - left, bottom - top)
    origin = str(row.get("origin") or "")
    count.boxes.setdefault(image, []).append(Truth(label, box, origin))
