"""The DICOM grey-scale chain: stored values -> modality values -> VOI -> 8 bit. Pure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .frame import Frame, Lut, Window

Grey = npt.NDArray[np.uint8]
_WHITE = 255.0
# share of pixels left below and above the window that is made up where a file offers none
_TAILS = (0.5, 99.5)


def usable(window: Window) -> bool:
    """Whether the standard allows it: finite, and a width of at least 1 (LINEAR) or above 0."""
    if not (math.isfinite(window.center) and math.isfinite(window.width)):
        return False
    return window.width >= 1 if window.function == "LINEAR" else window.width > 0


def apply_window(values: npt.ArrayLike, window: Window) -> npt.NDArray[np.float64]:
    """Modality values to display values 0.0 to 255.0 (PS3.3 C.11.2.1.2 and C.11.2.1.3).

    Args:
        values: modality values, any shape.
        window: a usable one.

    Returns:
        Array of the same shape.
    """
    x = np.asarray(values, dtype=np.float64)
    c, w = window.center, window.width
    if window.function == "SIGMOID":  # C.11.2.1.3.1
        # beyond +-700 the exponential leaves the range of a double; the curve is flat long before
        return _WHITE / (1.0 + np.exp(np.clip(-4.0 * (x - c) / w, -700.0, 700.0)))
    if window.function == "LINEAR_EXACT":  # C.11.2.1.3.2
        return np.where(
            x <= c - w / 2,
            0.0,
            np.where(x > c + w / 2, _WHITE, ((x - c) / w + 0.5) * _WHITE),
        )
    # C.11.2.1.2.1; width 1 is a step, and its middle branch is never taken
    span = max(w - 1, 1e-9)
    return np.where(
        x <= c - 0.5 - (w - 1) / 2,
        0.0,
        np.where(x > c - 0.5 + (w - 1) / 2, _WHITE, ((x - (c - 0.5)) / span + 0.5) * _WHITE),
    )


def modality_values(frame: Frame, stored: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Stored values through the Modality LUT, table or line (PS3.3 C.11.1); any shape."""
    if frame.modality_lut is not None:
        return look_up(stored, frame.modality_lut).astype(np.float64)
    return stored * frame.slope + frame.intercept


def look_up(values: npt.ArrayLike, lut: Lut) -> npt.NDArray[np.uint16]:
    """Entries for values, which are rounded; the first and last go on to both sides."""
    at = np.floor(np.asarray(values, dtype=np.float64) + 0.5) - lut.first
    entries = lut.entries
    return entries[np.clip(at, 0, len(entries) - 1).astype(np.intp)]


def apply_voi(values: npt.ArrayLike, voi: Window | Lut) -> npt.NDArray[np.float64]:
    """Modality values to display values 0.0 to 255.0, by window or by table (PS3.3 C.11.2)."""
    if isinstance(voi, Lut):
        return look_up(values, voi).astype(np.float64) * (_WHITE / voi.top)
    return apply_window(values, voi)


def percentile_window(frame: Frame) -> Window:
    """A window over nearly all values, for a film that offers none; padding doesn't count."""
    pixels = frame.pixels
    # every n-th pixel is enough for a percentile
    step = max(1, int(math.sqrt(pixels.size / 1_000_000)))
    sample = pixels[::step, ::step].ravel()
    if frame.padding is not None:
        first, last = frame.padding
        image = sample[(sample < first) | (sample > last)]
        sample = image if image.size else sample
    ends = modality_values(frame, np.percentile(sample, _TAILS))
    low, high = float(ends.min()), float(ends.max())
    width = max(high - low, 1.0 if frame.modality_lut else abs(frame.slope))
    return Window((low + high) / 2, width, "LINEAR_EXACT")


def default_window(frame: Frame) -> Window:
    """The file's first usable window, else one made from the pixels."""
    return next((w for w in frame.windows if usable(w)), None) or percentile_window(frame)


def default_voi(frame: Frame) -> Window | Lut:
    """What the film is opened with: its first window, else its first table, else percentiles.

    The standard ranks neither of both (PS3.3 C.11.2.1); a window can be changed by dragging.
    """
    return next((w for w in frame.windows if usable(w)), None) or (
        frame.voi_luts[0] if frame.voi_luts else percentile_window(frame)
    )


def render8(frame: Frame, *, window: Window | Lut | None = None, invert: bool = False) -> Grey:
    """The film as it is shown.

    Args:
        frame: stored values and their meaning.
        window: in modality units, or a table; the film's default where absent or not usable.
        invert: swap black and white on top of what the film asks for.

    Returns:
        uint8 (rows, columns), 0 is black. Padding is black either way.
    """
    if window is None or (isinstance(window, Window) and not usable(window)):
        window = default_voi(frame)
    pixels = frame.pixels
    low, high = int(pixels.min()), int(pixels.max())
    # one entry per stored value that occurs: exact, and small beside the film
    stored = np.arange(low, high + 1, dtype=np.int64)
    shown = apply_voi(modality_values(frame, stored), window)
    if frame.inverse != invert:
        shown = _WHITE - shown
    if frame.padding is not None:
        first, last = frame.padding
        shown[(stored >= first) & (stored <= last)] = 0.0
    table = np.floor(shown + 0.5).astype(np.uint8)
    if low == 0 and pixels.dtype.kind == "u":
        return table[pixels]
    return table[pixels.astype(np.int32) - low]
