"""Films of an annotated set, as fitting and measuring the gate take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from detection.detectors.coco import Film
from detection.detectors.preprocess import to_grey
from imaging.frame import Frame
from imaging.pixels import read_file

from . import made
from .made import Picture
from .thumbnail import Features, features, reduce

WORKING_SIDE: Final = 384  # pixels of the longer side, for fitting


@dataclass(frozen=True, slots=True)
class Small:
    """A reduced film, and where its lungs are (left, top, right, bottom)."""

    picture: Picture
    lungs: made.Box
    source: str


def shrink(films: Iterable[Film], *, side: int = WORKING_SIDE) -> Iterator[Small]:
    """Read and reduce to `side` pixels.

    Raises:
        InvalidInputError: what `imaging.pixels.read_file` raises.
    """
    for film in films:
        grey = to_grey(read_file(film.path))
        height, width = grey.shape
        factor = min(side / max(height, width), 1.0)
        size = (max(round(width * factor), 1), max(round(height * factor), 1))
        small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
        boxes = [(x * factor, y * factor, w * factor, h * factor)
                 for x, y, w, h in (truth.box for truth in film.boxes)]  # fmt: skip
        yield Small(small, made.field(boxes, small.shape), film.source)


def as_frame(picture: Picture) -> Frame:
    """A made picture as a decoder would give it."""
    return Frame(pixels=picture, photometric="MONOCHROME2", bits_stored=8)


def describe(picture: Picture) -> Features:
    """The features of a made picture, by the steps of `decision.decide`."""
    return features(to_grey(reduce(as_frame(picture))))
