"""Made cases: films with a known fault, and pictures that are no chest. Pure, seeded.

The gate is fitted and measured with them. Each function takes the random source first; what is
drawn for fitting and what is drawn for measuring differ in source, films, typefaces and kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
Random = np.random.Generator

BLACK, WHITE = 0, 255
LOST: Final = (0.45, 0.65)  # share of the lung field's width or height that a cut takes away
TURNS: Final = {"rotated_90": 3, "rotated_180": 2, "rotated_270": 1}  # for numpy, anticlockwise


def field(boxes: Sequence[Box], shape: tuple[int, int]) -> Box:
    """Left, top, right, bottom of both lungs; the middle of the film where no box is known."""
    height, width = shape
    if not boxes:
        return 0.15 * width, 0.12 * height, 0.85 * width, 0.85 * height
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[0] + b[2] for b in boxes),
        max(b[1] + b[3] for b in boxes),
    )


def turned(film: Picture, name: str) -> Picture:
    """Turned clockwise by the angle in the name."""
    return np.ascontiguousarray(np.rot90(film, TURNS[name]))


def inverted(film: Picture) -> Picture:
    """Bone black, air white, while the header says otherwise."""
    return WHITE - film


def cut_off(random: Random, film: Picture, lungs: Box) -> Picture:
    """About half of the lung field is outside the picture, or hidden under a shutter."""
    height, width = film.shape
    left, top, right, bottom = lungs
    lost = random.uniform(*LOST)
    x0, y0, x1, y1 = 0.0, 0.0, float(width), float(height)
    side = random.integers(4)
    if side == 0:
        x0 = left + lost * (right - left)
    elif side == 1:
        x1 = right - lost * (right - left)
    elif side == 2:
        y0 = top + lost * (bottom - top)
    else:
        y1 = bottom - lost * (bottom - top)
    x0, y0, x1, y1 = int(x0), int(y0), int(np.ceil(x1)), int(np.ceil(y1))
    if random.random() < 0.3:
        hidden = np.full_like(film, BLACK)
        hidden[y0:y1, x0:x1] = film[y0:y1, x0:x1]
        return hidden
    return np.ascontiguousarray(film[y0:y1, x0:x1])


def clipped(random: Random, film: Picture) -> Picture:
    """A window so narrow that nearly all is black or white."""
    width = random.uniform(2.0, 16.0)
    center = float(np.percentile(film, random.uniform(20, 80)))
    values = (film.astype(np.float32) - center) / width + 0.5
    return np.asarray(np.clip(values, 0, 1) * 255, np.uint8)


def blank(random: Random, film: Picture) -> Picture:
    """An exposure that failed: one value and a little noise."""
    level = int(random.integers(BLACK + 4, WHITE - 4))
    if random.random() < 0.3:
        return np.full_like(film, level)
    return np.asarray(np.rint(random.normal(level, 1.0, film.shape)), np.uint8)


def tiny(film: Picture) -> Picture:
    """A preview instead of the film."""
    height, width = film.shape
    factor = 96 / min(height, width)
    size = (round(width * factor), round(height * factor))
    return np.asarray(cv2.resize(film, size, interpolation=cv2.INTER_AREA), np.uint8)


def varied(random: Random, film: Picture, lungs: Box) -> Picture:
    """The same film as another department might have sent it: still to be read.

    Crop around the lungs, mirror, tilt, contrast, noise, blur, burnt-in letters, black borders.
    """
    film = _cropped(random, film, lungs) if random.random() < 0.8 else film
    if random.random() < 0.5:
        film = film[:, ::-1]
    film = _tilted(random, film)
    film = varied_tone(random, film)
    if random.random() < 0.3:
        film = _lettered(random, film)
    if random.random() < 0.35:
        film = _bordered(random, film)
    if random.random() < 0.2:
        film = _stretched(random, film)
    return np.ascontiguousarray(film)


def varied_tone(random: Random, film: Picture) -> Picture:
    """The same film with another contrast, sharpness and noise."""
    values = film.astype(np.float32) / 255
    values = values ** np.exp(random.normal(0, 0.3))
    values = values * np.exp(random.normal(0, 0.15)) + random.normal(0, 0.05)
    if random.random() < 0.4:
        values = cv2.GaussianBlur(values, (0, 0), random.uniform(0.3, 2.0))
    if random.random() < 0.4:
        values = values + random.normal(0, random.uniform(0.005, 0.05), values.shape)
    return np.asarray(np.clip(values, 0, 1) * 255, np.uint8)


def _cropped(random: Random, film: Picture, lungs: Box) -> Picture:
    height, width = film.shape
    left, top, right, bottom = lungs
    # a little of the lungs may be lost: the detector reads such films
    spare = random.uniform(-0.06, 0.5, 4)
    w, h = right - left, bottom - top
    x0 = int(max(left - spare[0] * w, 0))
    y0 = int(max(top - spare[1] * h, 0))
    x1 = int(min(right + spare[2] * w, width))
    y1 = int(min(bottom + spare[3] * h, height))
    return film[y0:y1, x0:x1]


def _tilted(random: Random, film: Picture) -> Picture:
    height, width = film.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), random.normal(0, 5), 1.0)
    border = cv2.BORDER_REPLICATE if random.random() < 0.5 else cv2.BORDER_CONSTANT
    return np.asarray(cv2.warpAffine(film, turn, (width, height), borderMode=border), np.uint8)


def _lettered(random: Random, film: Picture) -> Picture:
    film = film.copy()
    height, width = film.shape
    for word in random.choice(["L", "R", "PA", "AP ERECT", "PORTABLE", "SUPINE"], 2):
        at = (int(random.uniform(0, 0.85) * width), int(random.uniform(0.05, 0.98) * height))
        size = random.uniform(0.4, 1.0) * height / 256
        cv2.putText(film, str(word), at, cv2.FONT_HERSHEY_SIMPLEX, size, WHITE, 2)
    return film


def _bordered(random: Random, film: Picture) -> Picture:
    height, width = film.shape
    shares = random.uniform(0, 0.12, 4)
    if random.random() < 0.4:  # a shutter that left much of the detector unexposed
        shares[random.integers(4)] += random.uniform(0.1, 0.4)
    top, bottom, left, right = (int(v) for v in shares * (height, height, width, width))
    value = WHITE if random.random() < 0.15 else int(random.integers(BLACK, 40))
    bordered = np.full((height + top + bottom, width + left + right), value, np.uint8)
    bordered[top : top + height, left : left + width] = film
    return bordered


def _stretched(random: Random, film: Picture) -> Picture:
    height, width = film.shape
    return np.asarray(cv2.resize(film, (int(width * random.uniform(0.75, 1.3)), height)), np.uint8)
