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


def media_class(head: bytes) -> str:
    """Media Storage SOP Class UID (0002,0002) of a DICOM file; empty where it isn't said.

    Only a hint which reader to ask: file meta information is always explicit little endian
    (PS3.10 7.1), so its bytes can be found without a parser.

    Args:
        head: the file's first bytes, a few hundred.
    """
    at = head.find(b"\x02\x00\x02\x00UI", 132)
    if at < 0 or head[128:132] != b"DICM":
        return ""
    size = int.from_bytes(head[at + 6 : at + 8], "little")
    return head[at + 8 : at + 8 + size].rstrip(b"\0 ").decode("ascii", "replace")


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
