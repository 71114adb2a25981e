"""A folder that is there whole or not at all, whatever kills the writer."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from twinhealth.errors import ConflictError, UnavailableError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class NewFolder:
    """A folder in the making beside the place where `publish` puts it."""

    def __init__(self, out: Path, partial: Path) -> None:
        self._out = out
        self._partial = partial
        self.published = False

    def write(self, name: str, data: bytes) -> None:
        """One file, durable when this returns.

        Args:
            name: relative, with `/`.
            data: all of it.

        Raises:
            UnavailableError: `disk_full`, `folder_unavailable`.
        """
        path = self._partial / name
        with disk_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())

    def publish(self) -> None:
        """Give it its name.

        Raises:
            ConflictError: `folder_not_empty`, if somebody else was faster.
            UnavailableError: `disk_full`, `folder_unavailable`.
        """
        with disk_errors():
            for folder in [*(p for p in self._partial.rglob("*") if p.is_dir()), self._partial]:
                _sync(folder)
            # onto an empty folder rename puts the new one in its place in one step
            self._partial.rename(self._out)
            self.published = True
            _sync(self._out.parent)


@contextlib.contextmanager
def new_folder(out: Path) -> Iterator[NewFolder]:
    """Make a folder that comes into being with `publish`, and leaves nothing without it.

    What a killed writer left behind lies hidden beside `out` and is cleared by the next one; the
    lock of a killed writer is gone with it.

    Raises:
        ConflictError: `folder_not_empty`, `export_running`.
        UnavailableError: `disk_full`, `folder_unavailable`.
    """
    refuse_taken(out)
    partial = out.parent / f".{out.name}.partial"
    with disk_errors():
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(descriptor, partial)
        folder = NewFolder(out, partial)
        try:
            with disk_errors():
                _clear(partial)
            refuse_taken(out)
            yield folder
        finally:
            if not folder.published:  # else the name may be the next writer's already
                shutil.rmtree(partial, ignore_errors=True)
    finally:
        os.close(descriptor)


def refuse_taken(out: Path) -> None:
    """Raise if something lies where the folder is to be.

    Raises:
        ConflictError: `folder_not_empty`.
        UnavailableError: `folder_unavailable`.
    """
    with disk_errors():
        if out.is_dir() and not out.is_symlink():
            taken = any(out.iterdir())
        else:
            taken = out.is_symlink() or out.exists()
    if taken:
        raise ConflictError(
            "folder_not_empty",
            f"{out.name} exists and is not an empty folder; nothing was written. "
            "Name a folder that doesn't exist.",
        )


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """What the disk says, in words.

    Raises:
        ConflictError: `folder_not_empty`.
        UnavailableError: `disk_full`, `folder_unavailable`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise UnavailableError(
                "disk_full", "The disk is full; nothing was kept. Make room and try again."
            ) from error
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            raise ConflictError(
                "folder_not_empty", "Somebody else wrote to this folder meanwhile."
            ) from error
        raise UnavailableError(
            "folder_unavailable", f"The folder can't be written: {error.strerror}."
        ) from error


def _lock(descriptor: int, partial: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # the holder before us may have given it its name, or cleared it away, while we opened it
        same = os.stat(partial).st_ino == os.fstat(descriptor).st_ino  # noqa: PTH116 - the pair
    except (BlockingIOError, FileNotFoundError):
        same = False
    if not same:
        raise ConflictError(
            "export_running", "Another export writes to this folder now. Wait until it has ended."
        )


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
