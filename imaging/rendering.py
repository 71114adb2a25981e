"""A frame as PNG, and as raw values for a viewer that windows by itself."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from PIL import Image as Picture

from .frame import Frame, Lut, Window
from .grayscale import default_voi, percentile_window, render8, usable

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
    windows = [w for w in frame.windows if usable(w)] or [percentile_window(frame)]
    return {
        "rows": rows,
        "columns": columns,
        "bits_stored": frame.bits_stored,
        "signed": frame.pixels.dtype.kind == "i",
        "photometric": frame.photometric,
        "slope": frame.slope,
        "intercept": frame.intercept,
        "padding": list(frame.padding) if frame.padding else None,
        "windows": [asdict(w) for w in windows],
        "inverse": frame.inverse,
        "spacing": asdict(frame.spacing) if frame.spacing else None,
        # the tables themselves are too long for a header, see `tables`
        "tables": frame.modality_lut is not None or bool(frame.voi_luts),
    }


def tables(frame: Frame) -> dict[str, Any]:
    """The film's Modality and VOI LUTs with all entries; `default` says what it opens with.

    A VOI LUT is the default only where the file has no usable window.
    """
    return {
        "modality": _table(frame.modality_lut) if frame.modality_lut else None,
        "voi": [_table(lut) for lut in frame.voi_luts],
        "default": "voi" if isinstance(default_voi(frame), Lut) else "window",
    }


def _table(lut: Lut) -> dict[str, Any]:
    return {
        "first": lut.first,
        "bits": lut.bits,
        "name": lut.name,
        "entries": lut.entries.tolist(),
    }


def raw16(frame: Frame) -> Iterator[bytes]:
    """Stored values, 16 bits each, little-endian, row by row; signed as the film is."""
    kind = "<i2" if frame.pixels.dtype.kind == "i" else "<u2"
    for top in range(0, frame.pixels.shape[0], _ROWS_AT_ONCE):
        yield np.ascontiguousarray(frame.pixels[top : top + _ROWS_AT_ONCE], dtype=kind).tobytes()
