"""Files that people send, kept below MEDIA_ROOT under names of ours: capped, hashed, synced."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from twinhealth.errors import TooLargeError, UnavailableError

_CHUNK = 1 << 20


def keep(source: BinaryIO, path: Path, *, most: int) -> tuple[int, str]:
    """Write the file; the caller removes it where the rest fails.

    Args:
        source: the file.
        path: where; it must be free.
        most: bytes.

    Returns:
        Size and SHA-256.

    Raises:
        TooLargeError: `file_too_large`.
        UnavailableError: `storage_unavailable`.
    """
    digest, size = hashlib.sha256(), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise TooLargeError(
                        "file_too_large",
                        f"The file is larger than {most} bytes.",
                        max_bytes=most,
                    )
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UnavailableError(
            "storage_unavailable", "The file can't be kept now. Tell an admin; try later."
        ) from error
    return size, digest.hexdigest()


def shown_name(name: str) -> str:
    """The sender's name of the file as it may be shown; never used as a path."""
    return "".join(c if c.isprintable() else " " for c in name)[-255:] or "(no name)"
