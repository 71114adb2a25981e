"""Files below MEDIA_ROOT: taken in, made durable, moved. Names are ours, never the sender's."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog
from django.conf import settings

from imaging.sniff import Kind, sniff
from twinhealth.errors import InvalidInputError, TooLargeError, UnavailableError

log = structlog.get_logger(__name__)

Source = Path | BinaryIO
_CHUNK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that is durable below MEDIA_ROOT/incoming, and goes away with the `receive` block.

    Attributes:
        path: where; moved away when it's kept.
        sha256: of its bytes.
        size: in bytes.
        kind: by content.
    """

    path: Path
    sha256: str
    size: int
    kind: Kind


@contextlib.contextmanager
def receive(source: Source, *, most: int | None = None) -> Iterator[Incoming]:
    """Stream a file in: capped, hashed, synced.

    Args:
        source: path, or something with `read(size)`.
        most: bytes that it may have; else setting `MAX_UPLOAD_BYTES`.

    Raises:
        InvalidInputError: `empty_file`, `unreadable`.
        TooLargeError: `file_too_large`.
        UnavailableError: `storage_full`, `storage_unavailable`.
    """
    path = scratch()
    try:
        with contextlib.ExitStack() as stack:
            if isinstance(source, Path):
                try:
                    source = stack.enter_context(source.open("rb"))
                except OSError as error:
                    raise _unreadable() from error
            sha256, size, head = _copy(
                source, path, settings.MAX_UPLOAD_BYTES if most is None else most
            )
        yield Incoming(path, sha256, size, sniff(head))
    finally:
        path.unlink(missing_ok=True)


def scratch() -> Path:
    """A path for a new file below MEDIA_ROOT/incoming, on the archive's own disk."""
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    with disk_errors():
        folder.mkdir(parents=True, exist_ok=True)
    return folder / uuid.uuid4().hex


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turn the disk's errors into what a person can act on."""
    try:
        yield
    except OSError as error:
        log.exception("storage_failed", errno=error.errno)
        if error.errno in _FULL:
            raise storage_full() from error
        raise UnavailableError(
            "storage_unavailable", "The archive can't be written now. Tell an admin; try later."
        ) from error


def storage_full() -> UnavailableError:
    """The error for a disk without space."""
    return UnavailableError(
        "storage_full", "The archive's disk is full; the file was not kept. Tell an admin."
    )


def _unreadable() -> InvalidInputError:
    return InvalidInputError("unreadable", "The file can't be read. Copy or export it again.")


def _copy(source: BinaryIO, path: Path, most: int) -> tuple[str, int, bytes]:
    """SHA-256, size and first bytes of what was written and synced."""
    digest, size, head = hashlib.sha256(), 0, b""
    with disk_errors():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                chunk = source.read(_CHUNK)
            except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
                raise _unreadable() from error
            if not chunk:
                break
            size += len(chunk)
            if size > most:
                raise TooLargeError(
                    "file_too_large",
                    f"The file is larger than {most} bytes, the limit here.",
                    max_bytes=most,
                )
            head = head or bytes(chunk[:132])
            digest.update(chunk)
            with disk_errors():
                _write(descriptor, chunk)
        with disk_errors():
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if size == 0:
        raise InvalidInputError("empty_file", "The file is empty. Export it again.")
    return digest.hexdigest(), size, head


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_file(path: Path) -> None:
    """Make a file that another process wrote durable."""
    with disk_errors():
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def place(path: Path, *, folder: str, suffix: str) -> str:
    """Move a durable file to a new name below `folder`; the name is durable when this returns.

    Args:
        path: synced, on the same disk.
        folder: `images`, `quarantine` or another room's.
        suffix: with its dot.

    Returns:
        The new path, relative to MEDIA_ROOT.
    """
    name = uuid.uuid4().hex
    relative = Path(folder) / name[:2] / name[2:4] / f"{name}{suffix}"
    target = full_path(str(relative))
    with disk_errors():
        _make_folder(target.parent)
        path.rename(target)
        _sync_folder(target.parent)
    return str(relative)


def full_path(relative: str) -> Path:
    """Of a path below MEDIA_ROOT."""
    return Path(settings.MEDIA_ROOT) / relative


def remove(relative: str) -> None:
    """Take a file out again that no row speaks of, or whose row says so."""
    full_path(relative).unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Like `mkdir -p`; each new name is synced in its parent, or a power cut could lose it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
