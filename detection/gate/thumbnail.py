"""What the gate looks at: a small copy of a film, and numbers that describe it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from detection.detectors.preprocess import Grey
from imaging.frame import Frame

Features = npt.NDArray[np.float32]

LONGEST_SIDE: Final = 256  # pixels of the small copy
SIDE: Final = 64  # of the square the copy is squeezed into: squeezed films must be read too
CELLS: Final = 8  # gradient cells along a side
BINS: Final = 8  # directions of a gradient, all round: their sign tells an inverted film
COARSE: Final = 24  # side of the grey levels that are features themselves
LENGTH: Final = CELLS * CELLS * BINS + COARSE * COARSE + 1
_FLOOR: Final = 1e-3 * SIDE * SIDE  # a cell without gradients stays without
_RESIZED: Final = {np.dtype(t) for t in (np.uint8, np.uint16, np.int16)}  # what OpenCV averages


def reduce(frame: Frame) -> Frame:
    """The film with its longer side `LONGEST_SIDE` pixels at most; stored values stay such.

    What follows costs a tenth of what it would on the whole film.
    """
    pixels = frame.pixels
    height, width = pixels.shape
    factor = LONGEST_SIDE / max(height, width)
    if factor >= 1:
        return frame
    if frame.padding is not None or pixels.dtype not in _RESIZED:
        # a mean of image and padding would be neither
        step = int(np.ceil(1 / factor))
        return replace(frame, pixels=np.ascontiguousarray(pixels[::step, ::step]))
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    small = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    return replace(frame, pixels=np.asarray(small))


def features(grey: Grey) -> Features:
    """A film as `LENGTH` numbers, free of its size, exposure and contrast.

    Histograms of gradient directions in 8 x 8 cells (Dalal and Triggs, CVPR 2005, with signed
    directions), 24 x 24 grey levels with mean 0 and deviation 1, and the logarithm of width by
    height.

    Args:
        grey: the reduced film (`reduce`) as grey levels (`to_grey`).
    """
    height, width = grey.shape
    square = np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)
    coarse = cv2.resize(square, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    coarse = (coarse - coarse.mean()) / (coarse.std() + 1.0)
    ratio = np.log(width / height)
    parts = (_directions(square).ravel(), coarse.ravel(), [ratio])
    return np.concatenate(parts).astype(np.float32)


def _directions(square: Grey) -> npt.NDArray[np.float32]:
    """(8, 8, 8) share of each direction in each cell, against the strength of its neighbours."""
    smooth = cv2.GaussianBlur(square, (3, 3), 0)
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3)
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)
    strength, angle = cv2.cartToPolar(dx, dy)
    place = angle * (BINS / (2 * np.pi))
    lower = np.floor(place)
    share = place - lower
    first = lower.astype(np.int64) % BINS
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    cell = (rows * CELLS // SIDE) * CELLS + columns * CELLS // SIDE
    total = np.zeros(CELLS * CELLS * BINS)
    for index, part in ((first, strength * (1 - share)), ((first + 1) % BINS, strength * share)):
        total += np.bincount(cell * BINS + index.ravel(), part.ravel(), total.size)
    cells = total.reshape(CELLS, CELLS, BINS)
    around = cv2.blur(cells.sum(axis=2), (3, 3), borderType=cv2.BORDER_REFLECT)
    shares = cells / (around[..., None] + _FLOOR)
    return np.asarray(np.sqrt(shares), np.float32)
