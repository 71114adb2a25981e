"""From a file, or a stored image, to a `Frame`; decoded films are kept on disk for a while."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings

from imaging.decoding import client
from twinhealth.errors import InvalidInputError, UnavailableError

from .facts import Header
from .frame import Frame, Window
from .models import Image
from .sniff import Kind, sniff_file

log = structlog.get_logger(__name__)

# the first line of a cached file; another layout needs another number
_VERSION = 1
_SUFFIX = ".frame"


def read_file(path: Path) -> Frame:
    """Decode a DICOM, PNG or JPEG film in the capped child process.

    Raises:
        InvalidInputError: `empty_file`, `unknown_format`, and the codes of
            `imaging.decoding.client.decode`.
        TooLargeError: a cap was passed.
    """
    kind = sniff_file(path)
    if kind not in {Kind.DICOM, Kind.PICTURE}:
        raise InvalidInputError(
            "unknown_format", "This is neither DICOM nor PNG nor JPEG. Choose an X-ray file."
        )
    header, pixels = client.decode(path, kind="dicom" if kind is Kind.DICOM else "picture")
    return _frame(header, pixels)


def _frame(header: Header, pixels: npt.NDArray[np.integer[Any]]) -> Frame:
    return Frame(
        pixels=pixels,
        photometric="MONOCHROME1" if header.photometric == "MONOCHROME1" else "MONOCHROME2",
        bits_stored=header.bits_stored,
        slope=header.slope,
        intercept=header.intercept,
        windows=header.windows,
        padding=header.padding,
    )


def stored_path(image: Image) -> Path:
    """Where the image's file lies."""
    return Path(settings.MEDIA_ROOT) / image.path


def load(image: Image) -> Frame:
    """The stored film's frame, from the cache where it's there (its pixels are then mapped).

    Raises:
        InvalidInputError: `cannot_display` where nothing here shows it.
        UnavailableError: `file_missing` where the archive lost the file.
    """
    if image.display_problem:
        raise InvalidInputError(image.display_problem, image.display_message)
    cached = _cache_path(image)
    frame = _read_cached(cached)
    if frame is None:
        path = stored_path(image)
        if not path.exists():
            log.error("file_missing", image=image.pk, path=image.path)
            raise UnavailableError(
                "file_missing", "The film's file isn't in the archive. Tell an admin."
            )
        frame = read_file(path)
        _write_cached(cached, frame)
    return frame


def _cache_path(image: Image) -> Path:
    root = Path(settings.PIXEL_CACHE_ROOT) / "frames"
    return root / image.sha256[:2] / f"{image.sha256}{_SUFFIX}"


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


def _read_cached(path: Path) -> Frame | None:
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


def _write_cached(path: Path, frame: Frame) -> None:
    """Keep it; a full or broken cache disk costs speed, nothing else."""
    temporary = path.with_name(f".{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(json.dumps(_head(frame)).encode() + b"\n")
            file.write(np.ascontiguousarray(frame.pixels).data)
        temporary.replace(path)
        prune_cache()
    except OSError as error:
        log.warning("pixel_cache_unwritable", error=str(error))
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def prune_cache() -> int:
    """Remove the films used longest ago until the cache fits its bound.

    Returns:
        How many were removed.
    """
    root = Path(settings.PIXEL_CACHE_ROOT) / "frames"
    entries = []
    for path in root.glob("*/*"):
        with contextlib.suppress(OSError):  # another process may prune at the same time
            found = path.stat()
            entries.append((found.st_mtime, found.st_size, path))
    total = sum(size for _, size, _ in entries)
    removed = 0
    for _, size, path in sorted(entries):
        if total <= settings.PIXEL_CACHE_BYTES:
            break
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        total -= size
        removed += 1
    return removed
