"""Changes to a film for training: where it is cut, how it lies, how it looks. No torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.frame import Frame

from .preprocess import WHITE, Grey
from .recipe import Training

Corners = npt.NDArray[np.float32]  # (N, 4): left, top, right, bottom
Levels = npt.NDArray[np.float32]  # (33,)
_SHARES: Final = np.linspace(0, 1, 33)


def crop_to_lungs(
    frame: Frame, boxes: Corners, recipe: Training, rng: np.random.Generator
) -> tuple[Frame, Corners]:
    """With the recipe's probability, cut the film to its boxes and a random margin around them.

    The border of a film tells where it comes from, and so its class; it shouldn't.

    Args:
        frame: the film.
        boxes: in its pixels.
        recipe: `crop`, `crop_margin`.
        rng: source of chance.

    Returns:
        The film and its boxes, no box cut.
    """
    if not len(boxes) or rng.random() >= recipe.crop:
        return frame, boxes
    left, top, right, bottom = _around(boxes, frame.pixels.shape, recipe, rng)
    cut = dataclasses.replace(frame, pixels=frame.pixels[top:bottom, left:right])
    return cut, boxes - np.array([left, top, left, top], np.float32)


def mirror(
    grey: Grey, boxes: Corners, recipe: Training, rng: np.random.Generator
) -> tuple[Grey, Corners]:
    """With the recipe's probability `flip`, left becomes right."""
    if rng.random() >= recipe.flip:
        return grey, boxes
    flipped = boxes.copy()
    flipped[:, [0, 2]] = grey.shape[1] - boxes[:, [2, 0]]
    return np.ascontiguousarray(grey[:, ::-1]), flipped


def turn(
    grey: Grey, boxes: Corners, recipe: Training, rng: np.random.Generator
) -> tuple[Grey, Corners]:
    """Turn about the centre by at most `rotation` degrees; black comes in at the corners.

    A box becomes the box around the turned ellipse inside it: nearer to a lung than around its
    corners.
    """
    angle = rng.uniform(-recipe.rotation, recipe.rotation)
    if not angle:
        return grey, boxes
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    turned = cv2.warpAffine(grey, matrix, (width, height), flags=cv2.INTER_LINEAR)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    centre = centre @ matrix[:, :2].T + matrix[:, 2]
    half = np.sqrt(half**2 @ (matrix[:, :2] ** 2).T)
    edges = np.hstack([centre - half, centre + half])
    limits = np.array([width, height, width, height])
    return np.asarray(turned, np.float32), np.clip(edges, 0, limits).astype(np.float32)


def blank_border(grey: Grey, boxes: Corners, recipe: Training, rng: np.random.Generator) -> Grey:
    """With the recipe's probability `blank`, blacken what lies outside the lungs and a margin."""
    if not len(boxes) or rng.random() >= recipe.blank:
        return grey
    left, top, right, bottom = _around(boxes, grey.shape, recipe, rng)
    blank = np.zeros_like(grey)
    blank[top:bottom, left:right] = grey[top:bottom, left:right]
    return blank


def levels(grey: Grey) -> Levels:
    """The grey levels below which 0, 1/32, .. of a film lie: what `match` gives to another film."""
    return np.quantile(grey[::4, ::4], _SHARES).astype(np.float32)


def match(grey: Grey, others: Sequence[Levels], recipe: Training, rng: np.random.Generator) -> Grey:
    """With the recipe's probability `match`, take over another film's grey levels, in part.

    Each source has a look of its own (machine, processing, compression); mixing looks across films
    of all sources makes the look tell less about the class.
    """
    if not others or rng.random() >= recipe.match:
        return grey
    own, other = levels(grey), others[int(rng.integers(len(others)))]
    # `interp` needs rising places; equal ones (black borders) are spread by nothing visible
    places = own + np.arange(len(own), dtype=np.float32) * 1e-3
    share = rng.uniform(0.3, 1.0)
    moved = np.interp(grey, places, other)
    return np.asarray(grey + share * (moved - grey), np.float32)


def expose(grey: Grey, recipe: Training, rng: np.random.Generator) -> Grey:
    """Another gamma, contrast and noise, within the recipe's bounds; stays within 0 to 255."""
    share = (grey / WHITE) ** np.exp(rng.uniform(*np.log(recipe.gamma)))
    level = 0.5 + (share - 0.5) * rng.uniform(*recipe.contrast)
    noise = rng.normal(0.0, rng.uniform(0.0, recipe.noise), size=grey.shape)
    return np.clip(level * WHITE + noise, 0.0, WHITE).astype(np.float32)


def _around(
    boxes: Corners, shape: tuple[int, ...], recipe: Training, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of all boxes with a random margin on each side, within the film."""
    height, width = shape
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    margins = rng.uniform(*recipe.crop_margin, size=4) * np.tile(high - low, 2)
    left, top = np.floor(np.maximum(low - margins[:2], 0)).astype(int)
    right, bottom = np.ceil(np.minimum(high + margins[2:], (width, height))).astype(int)
    return int(left), int(top), int(right), int(bottom)
