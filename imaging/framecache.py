"""Decoded films as files: a line of JSON, then the values. No Django: the decoder uses it."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from .frame import Frame, Window

# the first line of a file; another layout needs another number
_VERSION = 1


def _head(frame: Frame) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "dtype": frame.pixels.dtype.str,
        "shape": list(frame.pixels.shape),
        "photometric": frame.photometric,
        "bits_stored": frame.bits_stored,
        "slope": frame.slope,
        "intercept": frame.intercept,
        "windows": [[w.center, w.width, w.function] for w in frame.windows],
        "padding": frame.padding,
    }


def read(path: Path) -> Frame | None:
    """The frame, or `None` where it isn't there or isn't whole."""
    try:
        with path.open("rb") as file:
            line = file.readline(64 * 1024)
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
