"""One decoded film in memory, with what the grey-scale chain needs to show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window in modality units (PS3.3 C.11.2.1.2)."""

    center: float
    width: float
    function: VoiFunction = "LINEAR"


@dataclass(frozen=True, slots=True)
class Frame:
    """Stored values of one monochrome frame.

    Attributes:
        pixels: integer array (rows, columns) of stored values, as decoded.
        photometric: `MONOCHROME1` (low is white) or `MONOCHROME2` (low is black).
        bits_stored: 8 to 16.
        slope, intercept: Modality LUT, linear (PS3.3 C.11.1); finite, slope not 0.
        windows: the VOI windows that the file offers, usable ones only.
        padding: stored value(s) that aren't image (PS3.3 C.7.5.1.1.2), inclusive range.
    """

    pixels: npt.NDArray[np.integer]
    photometric: Literal["MONOCHROME1", "MONOCHROME2"]
    bits_stored: int
    slope: float = 1.0
    intercept: float = 0.0
    windows: tuple[Window, ...] = field(default=())
    padding: tuple[int, int] | None = None
