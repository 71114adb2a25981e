"""A frame as PNG, and as raw values for a viewer that windows by itself."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image as Picture

from .frame import Frame, Window
from .grayscale import default_window, render8, usable

_ROWS_AT_ONCE = 256


def png(
    frame: Frame, *, window: Window | None = None, invert: bool = False, size: int | None = None
) -> bytes:
    """8-bit grey PNG.

    Args:
        frame: the film.
        window: in modality units; the film's own where absent.
        invert: swap black and white.
        size: longest side; never enlarged.
    """
    picture = Picture.fromarray(render8(frame, window=window, invert=invert))
    if size is not None and size < max(picture.size):
        picture.thumbnail((size, size), Picture.Resampling.BOX, reducing_gap=None)
    out = io.BytesIO()
    picture.save(out, format="PNG", compress_level=3)
    return out.getvalue()


def facts(frame: Frame) -> dict[str, Any]:
    """What a viewer needs beside the raw values; `windows` has at least one, the default first."""
    rows, columns = frame.pixels.shape
    windows = [w for w in frame.windows if usable(w)] or [default_window(frame)]
    return {
        "rows": rows,
        "columns": columns,
        "bits_stored": frame.bits_stored,
        "signed": frame.pixels.dtype.kind == "i",
        "photometric": frame.photometric,
        "slope": frame.slope,
        "intercept": frame.intercept,
        "padding": list(frame.padding) if frame.padding else None,
        "windows": [
            {"center": w.center, "width": w.width, "function": w.function} for w in windows
        ],
    }


def raw16(frame: Frame) -> Iterator[bytes]:
    """Stored values, 16 bits each, little-endian, row by row; signed as the film is."""
    kind = "<i2" if frame.pixels.dtype.kind == "i" else "<u2"
    for top in range(0, frame.pixels.shape[0], _ROWS_AT_ONCE):
        yield np.ascontiguousarray(frame.pixels[top : top + _ROWS_AT_ONCE], dtype=kind).tobytes()
