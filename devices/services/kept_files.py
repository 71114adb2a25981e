"""Files that people send, kept below MEDIA_ROOT under names of ours: capped, hashed, synced."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings
from PIL import Image, UnidentifiedImageError

from devices.models.order_file import FileKind
from twinhealth.errors import InvalidInputError, NotFoundError, TooLargeError, UnavailableError

_CHUNK = 1 << 20
_HEADS = {
    b"\xff\xd8\xff": FileKind.JPEG,
    b"\x89PNG\r\n\x1a\n": FileKind.PNG,
    b"%PDF-": FileKind.PDF,
}


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


def checked_kind(path: Path, *, photo: bool) -> FileKind:
    """What a kept file is, by its content.

    Raises:
        InvalidInputError: `empty_file`, `file_type`, `file_broken`.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise InvalidInputError("empty_file", "The file is empty.")
    found = next((kind for start, kind in _HEADS.items() if head.startswith(start)), None)
    if found is None or (photo and found == FileKind.PDF):
        wanted = "JPEG or PNG" if photo else "PDF, JPEG or PNG"
        raise InvalidInputError("file_type", f"This must be a {wanted} file.")
    if found != FileKind.PDF:
        try:
            with Image.open(path, formats=("JPEG", "PNG")) as picture:
                picture.verify()
        except (
            UnidentifiedImageError,
            OSError,
            SyntaxError,
            ValueError,
            Image.DecompressionBombError,
            Image.DecompressionBombWarning,
        ) as error:
            raise InvalidInputError(
                "file_broken", "The picture can't be read. Take or export it again."
            ) from error
    return found


class KeptFile(Protocol):
    """A row of a file that `keep` wrote below MEDIA_ROOT."""

    path: str
    kind: str
    filename: str

    @property
    def is_picture(self) -> bool:
        """Whether a page may show it."""


def opened(file: KeptFile) -> BinaryIO:
    """Its bytes.

    Raises:
        NotFoundError: `file_lost` where it isn't on the disk.
    """
    try:
        return (Path(settings.MEDIA_ROOT) / file.path).open("rb")
    except OSError as error:
        raise NotFoundError(
            "file_lost", "The file isn't where it was kept. Tell an admin."
        ) from error
