"""A film as an 8-bit picture that gives the network what the stored film gives it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image as Picture

from detection.detectors.preprocess import WHITE, Grey, fit, image_mask, to_grey
from imaging.frame import Frame
from twinhealth.errors import InvalidInputError

TOLERANCE = 1.0  # grey levels of 255


@dataclass(frozen=True, slots=True)
class Exported:
    """A grey 8-bit PNG and its size in pixels."""

    png: bytes
    width: int
    height: int


def export_picture(frame: Frame, *, longest_side: int | None = None) -> Exported:
    """Grey levels by the network's own chain, as a lossless picture.

    The chain windows each film by percentiles, and will do so again when the picture is read, so
    what comes out then is compared with what the stored film gives. Pixel padding, which doesn't
    count for the window, is declared in the PNG (11.3.2.1 tRNS, level 0); the film itself then
    uses levels 1 to 255.

    Args:
        frame: stored values as decoded.
        longest_side: shrink to so many pixels; a smaller film stays as it is. The chain then
            windows the smaller picture by itself, and no equality is promised.

    Raises:
        InvalidInputError: `input_differs`, by more than `TOLERANCE` at a pixel.
    """
    grey, mask = to_grey(frame), image_mask(frame)
    shrink = longest_side is not None and longest_side < max(grey.shape)
    if shrink and longest_side is not None:
        grey = fit(grey, longest_side)
        if mask is not None:
            size = (grey.shape[1], grey.shape[0])
            small = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
            mask = small.astype(bool)
    levels = _levels(grey) if mask is None else np.where(mask, 1 + _levels(grey, WHITE - 1), 0)
    levels = levels.astype(np.uint8)
    padding = None if mask is None else (0, 0)
    if not shrink:
        again = to_grey(Frame(levels, "MONOCHROME2", 8, padding=padding))
        furthest = float(np.abs(again - grey).max())
        if furthest > TOLERANCE:
            raise InvalidInputError(
                "input_differs",
                "An 8-bit picture of this film would not give the network the same grey levels.",
                levels=round(furthest, 2),
            )
    return Exported(_png(levels, transparent=padding is not None), grey.shape[1], grey.shape[0])


def _levels(grey: Grey, white: float = WHITE) -> np.ndarray:
    return np.rint(grey * (white / WHITE))


def _png(levels: np.ndarray, *, transparent: bool) -> bytes:
    out = io.BytesIO()
    declared = {"transparency": 0} if transparent else {}
    Picture.fromarray(levels).save(out, format="PNG", compress_level=6, **declared)
    return out.getvalue()
