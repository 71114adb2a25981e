"""From a file, or a stored image, to a `Frame`; decoded films are kept on disk for a while."""

from __future__ import annotations

import contextlib
from pathlib import Path

import structlog
from django.conf import settings

from imaging.decoding import client
from twinhealth.errors import DomainError, InvalidInputError, UnavailableError

from . import framecache, rendering
from .facts import Header
from .frame import Frame, Spacing, Window
from .models import Image
from .sniff import Kind, sniff_file

log = structlog.get_logger(__name__)

_SUFFIX = ".frame"
# a film above this is rendered in the decoding process: the web process stays small
_RENDERED_APART = 16_000_000


def read_file(path: Path) -> Frame:
    """Decode a DICOM, PNG or JPEG film in a capped child process; see `read_with_header`."""
    return read_with_header(path)[1]


def read_with_header(path: Path) -> tuple[Header, Frame]:
    """As `read_file`, with what the file says of itself.

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
    return header, header.frame(pixels)


def stored_path(image: Image) -> Path:
    """Where the image's file lies."""
    return Path(settings.MEDIA_ROOT) / image.path


def load(image: Image) -> Frame:
    """The stored film's frame, from the cache where it's there (its pixels are then mapped).

    Raises:
        InvalidInputError: `cannot_display` where nothing here shows it.
        UnavailableError: `file_missing` where the archive lost the file.
    """
    cached = _cache_path(image)
    frame = framecache.read(cached) if not image.display_problem else None
    if frame is None:
        frame = read_file(_present(image))
        _keep(cached, frame)
    return frame


def rendered(
    image: Image, *, window: Window | None, invert: bool, size: int | None
) -> bytes | memoryview:
    """The stored film as 8-bit PNG; arguments as `rendering.png`, errors as `load`.

    A large film is rendered where it is decoded, so that this process never holds it.
    """
    if image.rows * image.columns <= _RENDERED_APART:
        return rendering.png(load(image), window=window, invert=invert, size=size)
    cached = _cache_path(image)
    png = client.render(_present(image), cached=cached, window=window, invert=invert, size=size)
    prune_cache()
    return png


def spacing(image: Image) -> Spacing | None:
    """Millimetres between the stored film's pixels; `None` where its file gives none, or is away.

    A large film that isn't in the cache is decoded apart first, as for `rendered`.
    """
    try:
        if image.rows * image.columns > _RENDERED_APART and not _cache_path(image).exists():
            rendered(image, window=None, invert=False, size=16)
        return load(image).spacing
    except DomainError:
        return None


def _present(image: Image) -> Path:
    """Its file, where it can be shown."""
    if image.display_problem:
        raise InvalidInputError(image.display_problem, image.display_message)
    path = stored_path(image)
    if not path.exists():
        log.error("file_missing", image=image.pk, path=image.path)
        raise UnavailableError(
            "file_missing", "The film's file isn't in the archive. Tell an admin."
        )
    return path


def _keep(path: Path, frame: Frame) -> None:
    """In the cache; a full or broken cache disk costs speed, nothing else."""
    try:
        framecache.write(path, frame)
        prune_cache()
    except OSError as error:
        log.warning("pixel_cache_unwritable", error=str(error))


def _cache_path(image: Image) -> Path:
    root = Path(settings.PIXEL_CACHE_ROOT) / "frames"
    return root / image.sha256[:2] / f"{image.sha256}{_SUFFIX}"


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
