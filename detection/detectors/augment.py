"""Changes to a film for training: where it is cut, how it lies, how it is exposed. Numpy only."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from imaging.frame import Frame

from .preprocess import WHITE, Grey
from .recipe import Training

Corners = npt.NDArray[np.float32]  # (N, 4): left, top, right, bottom


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
    height, width = frame.pixels.shape
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    margins = rng.uniform(*recipe.crop_margin, size=4) * np.tile(high - low, 2)
    left, top = np.floor(np.maximum(low - margins[:2], 0)).astype(int)
    right, bottom = np.ceil(np.minimum(high + margins[2:], (width, height))).astype(int)
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


def expose(grey: Grey, recipe: Training, rng: np.random.Generator) -> Grey:
    """Another gamma, contrast and noise, within the recipe's bounds; stays within 0 to 255."""
    share = (grey / WHITE) ** np.exp(rng.uniform(*np.log(recipe.gamma)))
    level = 0.5 + (share - 0.5) * rng.uniform(*recipe.contrast)
    noise = rng.normal(0.0, rng.uniform(0.0, recipe.noise), size=grey.shape)
    return np.clip(level * WHITE + noise, 0.0, WHITE).astype(np.float32)
