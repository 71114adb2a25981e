"""Made pictures that are no chest: text, noise, test patterns, limbs, torn and zoomed films. Pure.

No set of other X-rays is at hand, so these are drawn. `FITTING` and `MEASURING` name what each use
may draw; two typefaces are kept for measuring alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from .made import Picture, Random

SIDES: Final = (200, 420)
WORDS: Final = (
    "RADIOLOGY REPORT", "Name", "Date", "Chest PA", "No acute findings", "The heart is normal",
    "in size.", "Dr", "Ward 7", "Lungs are clear", "Impression:", "consent form", "Tel 555 0100",
    "page 1 of 2", "dose 0.02 mGy", "2024-03-11", "signature", "please return to",
)  # fmt: skip
FITTED_TYPES: Final = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_COMPLEX,
)
KEPT_TYPES: Final = (cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)

Maker = Callable[[Random, Picture], Picture]


def _size(random: Random) -> tuple[int, int]:
    height, width = (int(v) for v in random.integers(*SIDES, 2))
    return height, width


def _cloud(random: Random, shape: tuple[int, int], exponent: float) -> np.ndarray:
    """Noise whose power falls with the frequency, 0 to 1: white for 0, clouds for 2 and more."""
    height, width = shape
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    frequency = np.sqrt(fx**2 + fy**2)
    frequency[0, 0] = 1
    phase = random.normal(size=frequency.shape) + 1j * random.normal(size=frequency.shape)
    values = np.fft.irfft2(phase / frequency**exponent, s=shape)
    low, high = np.percentile(values, (1, 99))
    return np.clip((values - low) / (high - low + 1e-9), 0, 1)


def _grey(values: np.ndarray) -> Picture:
    return np.asarray(np.clip(values, 0, 1) * 255, np.uint8)


def _page(random: Random, types: tuple[int, ...]) -> Picture:
    """A page of text under a lamp, photographed at a slant."""
    height, width = _size(random)
    dark = random.random() < 0.35
    page = np.full((height, width), 20 if dark else 235, np.uint8)
    ink = int(random.integers(200, 255)) if dark else int(random.integers(0, 80))
    face = int(random.choice(types))
    size = random.uniform(0.3, 1.6)
    step = int(26 * size) + 4
    thick = int(random.integers(1, 3))
    for y in range(step, height, step):
        if random.random() < 0.15:
            continue
        line = " ".join(random.choice(WORDS, 4))
        cv2.putText(page, line, (int(random.uniform(0, 0.3) * width), y), face, size, ink, thick)
    if random.random() < 0.6:
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        slant = np.asarray(
            corners + random.uniform(-0.12, 0.12, (4, 2)) * (width, height), np.float32
        )
        turn = cv2.getPerspectiveTransform(corners, slant)
        page = np.asarray(
            cv2.warpPerspective(page, turn, (width, height), borderValue=90), np.uint8
        )
    lamp = 0.6 + 0.4 * _cloud(random, (height, width), 2.5)
    return _grey(page / 255 * lamp)


def text(random: Random, film: Picture) -> Picture:
    """A photographed page."""
    return _page(random, FITTED_TYPES)


def kept_text(random: Random, film: Picture) -> Picture:
    """A photographed page in typefaces that fitting never saw."""
    return _page(random, KEPT_TYPES)


def noise(random: Random, film: Picture) -> Picture:
    """White noise to clouds."""
    return _grey(_cloud(random, _size(random), random.uniform(0, 3)))


def grains(random: Random, film: Picture) -> Picture:
    """Independent pixels: Gaussian, uniform, salt and pepper."""
    shape = _size(random)
    kind = random.integers(3)
    if kind == 0:
        return _grey(random.normal(0.5, random.uniform(0.05, 0.3), shape))
    if kind == 1:
        return _grey(random.random(shape))
    return _grey((random.random(shape) < random.uniform(0.1, 0.9)).astype(float))


def pattern(random: Random, film: Picture) -> Picture:
    """Ramps, stripes, checks, step wedges and rings, as test phantoms have them."""
    height, width = _size(random)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = random.uniform(0, 2 * np.pi)
    along = x / width * np.cos(angle) + y / height * np.sin(angle)
    period = random.uniform(0.03, 0.5)
    kind = random.integers(5)
    if kind == 0:
        values = (along - along.min()) / (np.ptp(along) + 1e-6)
    elif kind == 1:
        values = 0.5 + 0.5 * np.sin(2 * np.pi * along / period)
    elif kind == 2:
        values = ((x / width // period + y / height // period) % 2).astype(np.float32)
    elif kind == 3:
        values = np.floor((along - along.min()) * random.integers(4, 14)) / 10
    else:
        distance = np.hypot(x / width - random.random(), y / height - random.random())
        values = 0.5 + 0.5 * np.sin(2 * np.pi * distance / period)
    return _grey(values + random.normal(0, random.uniform(0, 0.1), values.shape))


def blobs(random: Random, film: Picture) -> Picture:
    """Ellipses within ellipses: a slice through a head or a trunk, a skull, a fruit."""
    height, width = _size(random)
    values = np.full((height, width), random.uniform(0, 0.2), np.float32)
    center = (width * random.uniform(0.4, 0.6), height * random.uniform(0.4, 0.6))
    axes = np.array([width, height]) * random.uniform(0.2, 0.5, 2)
    turn = random.uniform(-20, 20)
    rim = random.uniform(0.5, 1.0)
    _ellipse(values, center, axes, turn, rim)
    inner = axes * random.uniform(0.75, 0.97)
    _ellipse(values, center, inner, turn, random.uniform(0.15, 0.7))
    for _ in range(random.integers(0, 9)):
        where = np.array(center) + random.uniform(-0.7, 0.7, 2) * inner
        _ellipse(
            values, where, inner * random.uniform(0.03, 0.5, 2), random.uniform(0, 180),
            random.uniform(0, 1),
        )  # fmt: skip
    soft = cv2.GaussianBlur(values, (0, 0), random.uniform(0.5, 4))
    grain = _cloud(random, (height, width), random.uniform(0.5, 2)) - 0.5
    return _grey(soft + 0.15 * grain)


def slices(random: Random, film: Picture) -> Picture:
    """A cut across a trunk, as CT and MR give it: skin, ribs, a spine, organs, black around."""
    height, width = _size(random)
    values = np.zeros((height, width), np.float32)
    center = np.array([width, height]) * random.uniform(0.46, 0.54, 2)
    axes = np.array([width, height]) * random.uniform(0.35, 0.49, 2)
    _ellipse(values, center, axes, 0, random.uniform(0.3, 0.9))
    inside = axes * random.uniform(0.86, 0.97)
    _ellipse(values, center, inside, 0, random.uniform(0.05, 0.5))
    for _ in range(random.integers(8, 30)):
        where = center + random.uniform(-0.75, 0.75, 2) * inside
        size = inside * random.uniform(0.04, 0.35, 2)
        _ellipse(values, where, size, random.uniform(0, 180), random.uniform(0, 1))
    ribs, bone = int(random.integers(0, 18)), random.uniform(0.5, 1)
    for i in range(ribs):
        angle = 2 * np.pi * i / ribs
        where = center + 0.92 * inside * (np.cos(angle), np.sin(angle))
        _ellipse(values, where, inside * 0.06, np.degrees(angle) + 90, bone)
    _ellipse(values, center + (0, 0.62) * inside, inside * random.uniform(0.1, 0.2, 2), 0, bone)
    soft = cv2.GaussianBlur(values, (0, 0), random.uniform(0.5, 2.5))
    texture = 1 + 0.5 * (_cloud(random, (height, width), random.uniform(0.3, 1.5)) - 0.5)
    picture = _grey(soft * texture)
    return np.ascontiguousarray(np.rot90(picture, int(random.integers(4))))


def limbs(random: Random, film: Picture) -> Picture:
    """Bright shafts on black, with soft tissue around: an arm, a leg, a hand."""
    height, width = _size(random)
    soft = np.zeros((height, width), np.float32)
    bone = np.zeros((height, width), np.float32)
    fan = random.uniform(-0.4, 0.4)
    count = int(random.integers(1, 7))
    for i in range(count):
        place = (i + 0.5) / count + random.normal(0, 0.03)
        start = (int((0.5 + (place - 0.5) * 0.5) * width), int(height * random.uniform(0.9, 1.1)))
        end = (int((place + fan) * width), int(height * random.uniform(-0.1, 0.3)))
        thick = int(width / (count + 1) * random.uniform(0.5, 0.9)) + 2
        cv2.line(soft, start, end, 1.0, thick)
        parts = int(random.integers(1, 5))
        for p in range(parts):
            a = np.array(start) + (np.array(end) - start) * (p + 0.08) / parts
            b = np.array(start) + (np.array(end) - start) * (p + 0.92) / parts
            ends = tuple(int(v) for v in a), tuple(int(v) for v in b)
            cv2.line(bone, *ends, 1.0, max(thick // 3, 1))
            for e in ends:
                cv2.circle(bone, e, max(thick // 4, 1), 1.0, -1)
    blur = width / 60
    values = 0.35 * cv2.GaussianBlur(soft, (0, 0), blur * 1.5) + 0.5 * cv2.GaussianBlur(
        bone, (0, 0), blur
    )
    values = values * (0.8 + 0.4 * _cloud(random, (height, width), 1.5))
    picture = _grey(values + random.normal(0, 0.01, values.shape))
    return np.ascontiguousarray(np.rot90(picture, int(random.integers(4))))


def torn(random: Random, film: Picture) -> Picture:
    """A film's tiles in another order: its greys without its shape."""
    tiles = int(random.integers(2, 5))
    height, width = (side // tiles for side in film.shape)
    order = random.permutation(tiles * tiles)
    while np.array_equal(order, np.arange(order.size)):
        order = random.permutation(tiles * tiles)
    out = np.empty((height * tiles, width * tiles), np.uint8)
    for target, source in enumerate(order):
        ty, tx = divmod(target, tiles)
        sy, sx = divmod(int(source), tiles)
        tile = film[sy * height : (sy + 1) * height, sx * width : (sx + 1) * width]
        out[ty * height : (ty + 1) * height, tx * width : (tx + 1) * width] = tile
    return out


def zoomed(random: Random, film: Picture) -> Picture:
    """A small part of a film, turned anyhow."""
    height, width = film.shape
    share = random.uniform(0.15, 0.33)
    h, w = int(height * share), int(width * share)
    y, x = int(random.integers(0, height - h)), int(random.integers(0, width - w))
    part = cv2.resize(film[y : y + h, x : x + w], (256, 256), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.rot90(part, int(random.integers(4))))


def mixed(random: Random, film: Picture) -> Picture:
    """Shapes and lettering of many sizes over clouds: a photograph of anything."""
    height, width = _size(random)
    picture = _grey(_cloud(random, (height, width), 2.0))
    for _ in range(random.integers(8, 40)):
        at = random.uniform(0, 1, (3, 2)) * (width, height)
        shade = int(random.integers(0, 256))
        if random.random() < 0.5:
            cv2.fillPoly(picture, [at.astype(np.int32)], shade)
        else:
            radius = int(random.uniform(0.01, 0.2) * width)
            cv2.circle(picture, tuple(int(v) for v in at[0]), radius, shade, -1)
    return picture


def _ellipse(
    values: np.ndarray, center: object, axes: np.ndarray, turn: float, shade: float
) -> None:
    middle = tuple(int(v) for v in np.asarray(center))
    size = tuple(max(int(v), 1) for v in axes)
    cv2.ellipse(values, middle, size, turn, 0, 360, float(shade), -1)


FITTING: Final[dict[str, Maker]] = {
    "text": text,
    "noise": noise,
    "grains": grains,
    "pattern": pattern,
    "blobs": blobs,
    "limbs": limbs,
    "torn": torn,
    "zoomed": zoomed,
    "mixed": mixed,
}
# what a hospital may meet; torn and zoomed films only teach, slices only measure
MEASURING: Final[dict[str, Maker]] = {
    "text": kept_text,
    "noise": noise,
    "grains": grains,
    "pattern": pattern,
    "blobs": blobs,
    "slices": slices,
    "limbs": limbs,
    "mixed": mixed,
}
