"""Decoded films as files: a line of JSON, then the values. No Django: the decoder uses it."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .facts import lut_from_json, lut_to_json
from .frame import Frame, Spacing, Window

# the first line of a file; another layout needs another number
_VERSION = 2
# tables lie in it as text
_LONGEST_LINE = 4 * 1024**2


def _head(frame: Frame) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "dtype": frame.pixels.dtype.str,
        "shape": list(frame.pixels.shape),
        "photometric": frame.photometric,
        "bits_stored": frame.bits_stored,
        "slope": frame.slope,
        "intercept": frame.intercept,
        "windows": [[w.center, w.width, w.function, w.name] for w in frame.windows],
        "padding": frame.padding,
        "modality_lut": lut_to_json(frame.modality_lut),
        "voi_luts": [lut_to_json(lut) for lut in frame.voi_luts],
        "presentation": frame.shape,
        "spacing": asdict(frame.spacing) if frame.spacing else None,
    }


def read(path: Path) -> Frame | None:
    """The frame, or `None` where it isn't there or isn't whole."""
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_LINE)
        head = json.loads(line)
        dtype, shape = np.dtype(head["dtype"]), tuple(head["shape"])
        whole = len(line) + dtype.itemsize * shape[0] * shape[1]
        if head["version"] != _VERSION or path.stat().st_size != whole:
            raise ValueError  # noqa: TRY301 - handled as every other damage
        pixels = np.asarray(np.memmap(path, dtype, "r", offset=len(line), shape=shape))
        os.utime(path)  # used just now: the last to be pruned
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return None
    return Frame(
        pixels=pixels,
        photometric=head["photometric"],
        bits_stored=head["bits_stored"],
        slope=head["slope"],
        intercept=head["intercept"],
        windows=tuple(Window(*w) for w in head["windows"]),
        padding=tuple(head["padding"]) if head["padding"] else None,
        modality_lut=lut_from_json(head["modality_lut"]),
        voi_luts=tuple(lut for lut in map(lut_from_json, head["voi_luts"]) if lut is not None),
        shape=head["presentation"],
        spacing=Spacing(**head["spacing"]) if head["spacing"] else None,
    )


def write(path: Path, frame: Frame) -> None:
    """Keep it, whole or not at all.

    Raises:
        OSError: the disk is full or broken; nothing is left behind.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(json.dumps(_head(frame)).encode() + b"\n")
            file.write(np.ascontiguousarray(frame.pixels).data)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
