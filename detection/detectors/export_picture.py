"""A film as an 8-bit picture that gives the network what the stored film gives it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture

from detection.detectors.preprocess import WHITE, image_mask, to_grey
from imaging.frame import Frame
from twinhealth.errors import InvalidInputError

TOLERANCE: Final = 1.0  # grey levels of 255
INPUT_DIFFERS: Final = "input_differs"


@dataclass(frozen=True, slots=True)
class Exported:
    """A grey 8-bit PNG, and the levels in it, (rows, columns) uint8."""

    png: bytes
    levels: npt.NDArray[np.uint8]


def export_picture(frame: Frame) -> Exported:
    """Grey levels by the network's own chain, as a lossless picture in the film's own size.

    The chain windows each film by percentiles, and will do so again when the picture is read, so
    what comes out then is compared with what the stored film gives. Pixel padding, which doesn't
    count for the window, is declared in the PNG (11.3.2.1 tRNS, level 0); the film itself then
    uses levels 1 to 255.

    Args:
        frame: stored values as decoded.

    Raises:
        InvalidInputError: `input_differs`, by more than `TOLERANCE` at a pixel.
    """
    grey, mask = to_grey(frame), image_mask(frame)
    if mask is None:
        levels = np.rint(grey).astype(np.uint8)
    else:
        film = 1 + np.rint(grey * ((WHITE - 1) / WHITE))
        levels = np.where(mask, film, 0).astype(np.uint8)
    padding = None if mask is None else (0, 0)
    again = to_grey(Frame(levels, "MONOCHROME2", 8, padding=padding))
    furthest = float(np.abs(again - grey).max())
    if furthest > TOLERANCE:
        raise InvalidInputError(
            INPUT_DIFFERS,
            "An 8-bit picture of this film would not give the network the same grey levels.",
            levels=round(furthest, 2),
        )
    return Exported(_png(levels, transparent=padding is not None), levels)


def _png(levels: npt.NDArray[np.uint8], *, transparent: bool) -> bytes:
    out = io.BytesIO()
    declared = {"transparency": 0} if transparent else {}
    Picture.fromarray(levels).save(out, format="PNG", compress_level=3, **declared)
    return out.getvalue()
