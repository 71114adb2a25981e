"""Asking the decoding processes: a small pool per process, threads may share it."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings

from imaging.dose import DoseReportFacts
from imaging.facts import Header, Inspection
from imaging.frame import Window
from twinhealth import errors

from .limits import Limits
from .process import Child, ChildDiedError, ChildTimeoutError

log = structlog.get_logger(__name__)

# a decoder library that leaks is replaced before it matters
_REQUESTS_PER_CHILD = 500
_KINDS: dict[str, type[errors.DomainError]] = {
    kind.__name__: kind
    for kind in (errors.InvalidInputError, errors.TooLargeError, errors.UnavailableError)
}


class Pool:
    """At most `size` children, started when needed; belongs to the process that made it."""

    def __init__(self, size: int) -> None:
        self.pid = os.getpid()
        self._slots = threading.BoundedSemaphore(size)
        self._idle: list[Child] = []
        self._lock = threading.Lock()

    @contextmanager
    def child(self) -> Iterator[Child]:
        """Borrow one; it goes back if it lives and isn't worn."""
        with self._slots:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is not None and not child.alive:
                child.kill()
                child = None
            child = child or Child(memory_bytes=settings.DECODE_MEMORY_BYTES)
            try:
                yield child
            finally:
                if child.alive and child.asked < _REQUESTS_PER_CHILD:
                    with self._lock:
                        self._idle.append(child)
                else:
                    child.kill()

    def close(self) -> None:
        """End all idle children."""
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if self.pid == os.getpid():
                    child.kill()
                else:
                    child.forget()


_pool: Pool | None = None
_pool_lock = threading.Lock()


def _current_pool() -> Pool:
    """The pool of this process; one inherited through a fork is let go, not used."""
    global _pool  # noqa: PLW0603 - one pool per process is the point
    with _pool_lock:
        if _pool is not None and _pool.pid != os.getpid():
            _pool.close()
            _pool = None
        if _pool is None:
            _pool = Pool(settings.DECODE_PROCESSES)
        return _pool


def _after_fork() -> None:
    # another thread of the parent may have held it at the moment of the fork
    global _pool_lock  # noqa: PLW0603
    _pool_lock = threading.Lock()
    if _pool is not None:
        _pool._lock = threading.Lock()  # noqa: SLF001


os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def close_pool() -> None:
    """End this process's idle decoders."""
    if _pool is not None:
        _pool.close()


def _limits() -> Limits:
    return Limits(
        bytes=settings.MAX_UPLOAD_BYTES,
        pixels=settings.MAX_IMAGE_PIXELS,
        side=settings.MAX_IMAGE_SIDE,
        frames=settings.MAX_IMAGE_FRAMES,
    )


def _ask(op: str, path: Path, **more: Any) -> tuple[dict[str, Any], bytes | bytearray]:
    request = {
        "op": op,
        "path": str(Path(path).resolve()),
        "limits": _limits().to_json(),
        "zone": settings.TIME_ZONE,
        **more,
    }
    try:
        with _current_pool().child() as child:
            head, body = child.ask(
                request,
                seconds=settings.DECODE_SECONDS,
                max_body=2 * settings.MAX_IMAGE_PIXELS,
            )
    except ChildTimeoutError as error:
        log.warning("decoder_timeout", op=op)
        raise errors.InvalidInputError(
            "decode_timeout",
            f"Reading the file took longer than {settings.DECODE_SECONDS} s; it was given up.",
        ) from error
    except ChildDiedError as error:
        log.warning("decoder_died", op=op, cause=str(error))
        raise errors.InvalidInputError(
            "decoder_failed",
            "The decoder stopped on this file, which is damaged or needs too much memory. "
            "Send it again from the machine; tell an admin if it repeats.",
        ) from error
    if "error" in head:
        _raise(head["error"])
    return head, body


def _raise(error: dict[str, Any]) -> None:
    kind = _KINDS.get(error["kind"], errors.InvalidInputError)
    raise kind(error["code"], error["message"], **error["extra"])


def inspect(path: Path) -> Inspection:
    """Look a DICOM file through, its pixels included.

    Raises:
        InvalidInputError, TooLargeError: codes as in `imaging.decoding.dicom`, and
            `decode_timeout`, `decode_memory`, `decoder_failed`.
    """
    head, _ = _ask("inspect", path)
    return Inspection.from_json(head)


def dose_report(path: Path) -> DoseReportFacts:
    """Read a radiation dose report.

    Raises:
        InvalidInputError, TooLargeError: codes as in `imaging.decoding.dose`, and as `inspect`.
    """
    head, _ = _ask("dose", path)
    return DoseReportFacts.from_json(head)


def wrap(
    path: Path, *, out: Path, identity: dict[str, str], acquired_at: datetime | None
) -> Inspection:
    """Write a PNG or JPEG as DICOM to `out`, which stays the caller's to sync or remove.

    Args:
        path: the picture.
        out: file to write.
        identity: DICOM keyword -> value.
        acquired_at: exposure, aware, where the sender knows it.

    Raises:
        InvalidInputError, TooLargeError: codes as in `imaging.decoding.picture`, and as above.
        UnavailableError: `storage_full`.
    """
    at = acquired_at.isoformat() if acquired_at else None
    head, _ = _ask("wrap", path, out=str(out.resolve()), identity=identity, acquired_at=at)
    return Inspection.from_json(head)


def render(
    path: Path, *, cached: Path, window: Window | None, invert: bool, size: int | None
) -> memoryview:
    """A DICOM film as 8-bit PNG; arguments as `imaging.rendering.png`.

    Args:
        path: the film.
        cached: where its decoded values lie, or are kept from now on.
        window: in modality units.
        invert: swap black and white.
        size: longest side.

    Raises:
        InvalidInputError, TooLargeError: as `decode`.
    """
    chosen = [window.center, window.width, window.function] if window else None
    _, body = _ask(
        "render", path, cached=str(cached.resolve()), window=chosen, invert=invert, size=size
    )
    return memoryview(body)


def decode(
    path: Path, *, kind: Literal["dicom", "picture"]
) -> tuple[Header, npt.NDArray[np.integer[Any]]]:
    """Header and stored values (rows, columns) of one grey frame.

    Raises:
        InvalidInputError, TooLargeError: as `inspect`, and `cannot_display`.
    """
    head, body = _ask("decode", path, kind=kind)
    header = Header.from_json(head["header"])
    dtype = np.dtype(head["dtype"])
    if dtype.kind not in "iu" or len(body) != header.rows * header.columns * dtype.itemsize:
        raise errors.InvalidInputError("decoder_failed", "The decoder gave an incomplete picture.")
    return header, np.frombuffer(body, dtype=dtype).reshape(header.rows, header.columns)
