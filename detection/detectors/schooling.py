"""Films with one class each, small and in memory: what a backbone is pretrained on. No torch here.

A set is a folder with `index.csv` (columns `file`, `class`, `split` with `train` and `val`) and
`images/`, or the films of an annotated set, cut to their lungs.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from imaging.pixels import read_file
from twinhealth.errors import InvalidInputError

from . import preprocess
from .classes import CLASSES
from .coco import CocoSet, Film

MARGIN = 0.12  # of the lungs' extent, left around them on each side
Pictures = npt.NDArray[np.uint8]  # (N, side, side)
Labels = npt.NDArray[np.int64]  # (N,)


@dataclass(frozen=True, slots=True)
class School:
    """One set: its classes by name, pictures to learn from and pictures to be asked about."""

    name: str
    classes: tuple[str, ...]
    train: tuple[Pictures, Labels]
    val: tuple[Pictures, Labels]


def read_folder(folder: Path, side: int) -> School:
    """A set of single-class films with an index.

    Args:
        folder: has `index.csv` and `images/`.
        side: pixels of the square that each picture is squeezed into.

    Raises:
        InvalidInputError: `pretraining_unreadable`, `pretraining_invalid`.
    """
    try:
        with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
            rows = [(row["file"], row["class"], row["split"]) for row in csv.DictReader(file)]
    except OSError as error:
        raise InvalidInputError(
            "pretraining_unreadable", f"{folder.name}/index.csv can't be read: {error.strerror}."
        ) from error
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(
            "pretraining_invalid",
            f"{folder.name}/index.csv needs the columns file, class and split.",
        ) from error
    classes = tuple(sorted({label for _, label, _ in rows}))
    if len(classes) < 2 or {split for *_, split in rows} < {"train", "val"}:
        raise InvalidInputError(
            "pretraining_invalid",
            f"{folder.name}/index.csv needs two classes or more, and the splits train and val.",
        )

    def part(wanted: str) -> tuple[Pictures, Labels]:
        mine = [(name, label) for name, label, split in rows if split == wanted]
        pictures = [_whole(_inside(folder / "images", name), side) for name, _ in mine]
        return np.stack(pictures), np.array([classes.index(label) for _, label in mine], np.int64)

    return School(folder.name, classes, part("train"), part("val"))


def from_annotated(train: CocoSet, val: CocoSet | None, side: int) -> School:
    """The films of an annotated set, cut to their lungs; the class of a film is its boxes'."""

    def part(films: Sequence[Film]) -> tuple[Pictures, Labels]:
        mine = [film for film in films if film.boxes]
        if not mine:
            return np.zeros((0, side, side), np.uint8), np.zeros(0, np.int64)
        labels = [CLASSES.index(film.boxes[0].label) for film in mine]
        return np.stack([_lungs(film, side) for film in mine]), np.array(labels, np.int64)

    return School("films", CLASSES, part(train.films), part(val.films if val else ()))


def _whole(path: Path, side: int) -> Pictures:
    return _squeeze(preprocess.to_grey(read_file(path)), side)


def _lungs(film: Film, side: int) -> Pictures:
    grey = preprocess.to_grey(read_file(film.path))
    corners = np.array([[x, y, x + w, y + h] for x, y, w, h in (t.box for t in film.boxes)])
    low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    margin = MARGIN * (high - low)
    left, top = np.maximum(low - margin, 0).astype(int)
    right, bottom = np.minimum(high + margin, (film.width, film.height)).astype(int)
    return _squeeze(grey[top:bottom, left:right], side)


def _squeeze(grey: preprocess.Grey, side: int) -> Pictures:
    small = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(small, 0, 255), np.uint8)


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise InvalidInputError("pretraining_invalid", f"There is no picture {name!r} in the set.")
    return path
