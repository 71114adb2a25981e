"""A set's folder as one zip, durable and whole or not there."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from detection.dataset_files import disk_errors, sync_folder

SUFFIX: Final = ".zip.part"  # of what isn't whole yet
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can tell: equal sets, equal zips
_AT_ONCE: Final = 1 << 20  # bytes copied together


def write_zip(folder: Path, target: Path, *, unfinished: Path, tick: Callable[[], None]) -> int:
    """Put all files of a folder into `target`, which appears whole.

    The pictures are packed already, so nothing is packed again.

    Args:
        folder: its files lie in the zip below `target`'s name without the suffix.
        target: replaced if it is there.
        unfinished: beside `target`, of this call alone.
        tick: called after each file and before the name is given; what it raises ends the call.

    Returns:
        Size in bytes.

    Raises:
        UnavailableError: `export_failed`, if the disk is full or can't be written.
    """
    try:
        with disk_errors():
            with unfinished.open("xb") as file:
                os.fchmod(file.fileno(), 0o600)
                with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                        _add(archive, path, f"{target.stem}/{path.relative_to(folder).as_posix()}")
                        tick()
                file.flush()
                os.fsync(file.fileno())
            size = unfinished.stat().st_size
            tick()
            unfinished.replace(target)
            sync_folder(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)
    return size


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o600 << 16
    entry.file_size = path.stat().st_size  # says whether the entry needs zip64
    with path.open("rb") as source, archive.open(entry, "w") as sink:
        shutil.copyfileobj(source, sink, _AT_ONCE)
