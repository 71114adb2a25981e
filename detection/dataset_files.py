"""A set's folder: written beside its place, made durable, and put there whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imaging.frame import Frame
from twinhealth.errors import ConflictError, InvalidInputError, UnavailableError

ANNOTATIONS = "annotations.json"
IMAGES = "images"
SUMS = "SHA256SUMS"


class Folder:
    """The unfinished folder; `publish` gives it its name."""

    def __init__(self, target: Path, unfinished: Path) -> None:
        self._target = target
        self._path = unfinished
        self._sums: dict[str, str] = {}
        self.published = False
        (unfinished / IMAGES).mkdir()

    def add_film(self, name: str, frame: Frame) -> str:
        """Write a film as the network sees it: 8-bit grey PNG, without loss, in its own size.

        Args:
            name: file name below `images/`.
            frame: stored values as decoded.

        Returns:
            SHA-256 of size and grey levels: another PNG writer changes a file, never this.

        Raises:
            InvalidInputError: as `export_picture`.
        """
        # OpenCV belongs to the process that exports, not to every page
        from detection.detectors.export_picture import export_picture  # noqa: PLC0415

        picture = export_picture(frame)
        self._write(f"{IMAGES}/{name}", picture.png)
        rows, columns = picture.levels.shape
        return hashlib.sha256(f"{columns}x{rows}\n".encode() + picture.levels.tobytes()).hexdigest()

    def add_json(self, name: str, table: dict[str, Any]) -> str:
        """Write a table in the one way that gives equal bytes for equal tables; its SHA-256."""
        data = json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return self._write(name, data.encode() + b"\n")

    def seal(self) -> None:
        """Add the list of sums (`sha256sum --check` reads it) and make all names durable."""
        with disk_errors():
            lines = (f"{digest}  {name}\n" for name, digest in sorted(self._sums.items()))
            self._durable(SUMS, "".join(lines).encode())
            sync_folder(self._path / IMAGES)
            sync_folder(self._path)

    def publish(self) -> None:
        """Give the sealed folder its name.

        Raises:
            UnavailableError: `export_failed`, if something took the place meanwhile.
        """
        with disk_errors():
            self._path.rename(self._target)  # in place of an empty folder, never of a full one
            self.published = True
            sync_folder(self._target.parent)

    def _write(self, name: str, data: bytes) -> str:
        with disk_errors():
            self._durable(name, data)
        digest = hashlib.sha256(data).hexdigest()
        self._sums[name] = digest
        return digest

    def _durable(self, name: str, data: bytes) -> None:
        with (self._path / name).open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Folder]:
    """Room for a set that will be at `target`; what isn't published is gone afterwards.

    A process that was killed leaves `.NAME.part`, which the next export to the same place removes.

    Raises:
        InvalidInputError: `folder_not_empty`, if there is something already.
        ConflictError: `export_running`, if another process writes there now.
        UnavailableError: `export_failed`, if the disk is full or can't be written.
    """
    target = target.absolute()
    refuse_taken(target)
    unfinished = target.with_name(f".{target.name}.part")
    with disk_errors():
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            unfinished.mkdir(mode=0o700)
        held = os.open(unfinished, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(held, unfinished)
        folder = None
        try:
            refuse_taken(target)
            with disk_errors():
                _clear(unfinished)
                folder = Folder(target, unfinished)
            yield folder
        finally:
            if folder is None or not folder.published:  # else the name may be the next export's
                shutil.rmtree(unfinished, ignore_errors=True)
    finally:
        os.close(held)


def _lock(held: int, unfinished: Path) -> None:
    """Be the only one who writes under the name.

    The lock is on the folder, not on its name: the holder before may have published or removed the
    folder between our opening and our locking it, and the name may be another's by now.
    """
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.path.samestat(os.fstat(held), unfinished.stat())
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if not ours:
        raise ConflictError("export_running", "Another export writes to this folder now.")


def refuse_taken(target: Path) -> None:
    """See that a set can be put there.

    Raises:
        InvalidInputError: `folder_not_empty`.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        taken = True
    else:
        taken = target.is_dir() and any(target.iterdir())
    if taken:
        raise InvalidInputError(
            "folder_not_empty", f"{target.name} is there and not an empty folder; name a new one."
        )


def _clear(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turn the disk's errors into what a person can act on.

    Raises:
        UnavailableError: `export_failed`.
    """
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            "export_failed",
            f"The set can't be written ({error.strerror or type(error).__name__}). "
            "Nothing of it was left; make room or choose another place.",
        ) from error
