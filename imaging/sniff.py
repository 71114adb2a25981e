"""What a file is, by its content; its name is the sender's business."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from twinhealth.errors import InvalidInputError

_HEAD = 132
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


class Kind(StrEnum):
    """The formats that a door knows."""

    DICOM = "dicom"
    PICTURE = "picture"  # PNG or JPEG
    ZIP = "zip"
    UNKNOWN = "unknown"


def sniff(head: bytes) -> Kind:
    """Tell from the first bytes.

    Args:
        head: at least 132 bytes, fewer only where the file is shorter.
    """
    if head[128:132] == b"DICM":
        return Kind.DICOM
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        return Kind.PICTURE
    if head.startswith(_ZIP):
        return Kind.ZIP
    return Kind.UNKNOWN


def sniff_file(path: Path) -> Kind:
    """Tell from the file's first bytes.

    Raises:
        InvalidInputError: `empty_file`, `unreadable`.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would never end
            raise InvalidInputError("unreadable", "This is no file.")
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InvalidInputError("unreadable", "The file can't be opened.") from error
    if not head:
        raise InvalidInputError("empty_file", "The file is empty. Export it again.")
    return sniff(head)
