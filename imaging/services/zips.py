"""Zip files at a door: every member is a file of its own, with caps on what they may unpack to."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User
from imaging.sniff import Kind, sniff
from twinhealth.errors import DomainError, InvalidInputError, TooLargeError

from .doors import batch_of, receive_file
from .dose_reports import DoseResult
from .ingest import Delivery, IngestResult, refuse
from .storage import Source

# beyond this a member is no film but a bomb; small ones may be as empty as they like
_MAX_RATIO = 250
_SMALL = 1 << 20
_DIRECTORY_BYTES_PER_FILE = 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END = struct.Struct("<4s4H2LH")  # end of central directory record, APPNOTE 4.3.16


@dataclass(frozen=True, slots=True)
class Received:
    """What became of one member, or of the zip as a whole."""

    filename: str
    result: IngestResult | DoseResult | None
    error: DomainError | None


def receive_zip(
    *,
    source: Source,
    filename: str,
    fields: Mapping[str, str],
    door: str,
    actor: User | None,
    request: HttpRequest | Request | None = None,
) -> Iterator[Received]:
    """Ingest every member; one that is refused doesn't stop the others.

    Member names are shown, never used as paths. Folders, hidden files and DICOMDIR are passed
    over. A zip that is refused as a whole gives one item, with its own `Intake` row.

    Args:
        source: path or seekable file object.
        filename: as sent.
        fields: as `doors.receive_upload`; they hold for every picture inside.
        door: `imaging.models.image.Door`.
        actor: who sends it.
        request: for the audit trail.
    """
    delivery = Delivery(filename, door, actor, request=request)
    file = source.open("rb") if isinstance(source, Path) else source
    try:
        try:
            delivery = replace(delivery, batch=batch_of(fields))
            archive, members = _open(file)
        except DomainError as error:
            refuse(delivery=delivery, error=error)
            yield Received(filename, None, error)
            return
        with closing(archive):
            for member in members:
                yield _receive_member(archive, member, delivery, fields)
    finally:
        if isinstance(source, Path):
            file.close()


def _open(file: BinaryIO) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """The archive and its members, after all caps.

    Raises:
        InvalidInputError: `zip_damaged`, `zip_empty`, `zip_encrypted`, `zip_method`.
        TooLargeError: `zip_too_many_files`, `zip_too_large`.
    """
    _check_directory(file)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as error:
        raise _damaged() from error
    members = [m for m in archive.infolist() if _is_wanted(m)]
    if not members:
        raise InvalidInputError("zip_empty", "The zip holds no files.")
    if len(members) > settings.MAX_ZIP_FILES:
        raise _too_many(len(members))
    if any(m.flag_bits & 1 for m in members):
        raise InvalidInputError("zip_encrypted", "The zip has a password; send it without one.")
    if any(m.compress_type not in _METHODS for m in members):
        raise InvalidInputError("zip_method", "The zip is packed in an unusual way; pack it anew.")
    total = sum(m.file_size for m in members)
    bomb = any(
        m.file_size > _SMALL and m.file_size > _MAX_RATIO * max(m.compress_size, 1) for m in members
    )
    if total > settings.MAX_ZIP_BYTES or bomb:
        raise TooLargeError(
            "zip_too_large",
            f"The zip would unpack to more than {settings.MAX_ZIP_BYTES} bytes, or is packed "
            "tighter than films can be.",
            max_bytes=settings.MAX_ZIP_BYTES,
        )
    return archive, members


def _check_directory(file: BinaryIO) -> None:
    """Refuse a directory of millions before Python's own reader builds a list of it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END.size - 65_535))
    tail = file.read()
    at = len(tail) - _END.size
    if at < 0:
        raise _damaged()
    if not (tail[at : at + 4] == b"PK\x05\x06" and tail[-2:] == b"\0\0"):
        at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise _damaged()
    _, _, _, _, count, directory_size, _, _ = _END.unpack_from(tail, at)
    # 64-bit zips say 0xFFFF and 0xFFFFFFFF here: too many as well
    if (
        count > 2 * settings.MAX_ZIP_FILES
        or directory_size > 2 * settings.MAX_ZIP_FILES * _DIRECTORY_BYTES_PER_FILE
    ):
        raise _too_many(count)
    file.seek(0)


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    hidden = any(part.startswith(".") and part not in {".", ".."} for part in path.parts)
    return not (
        member.is_dir() or hidden or "__MACOSX" in path.parts or path.name.upper() == "DICOMDIR"
    )


def _receive_member(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    delivery: Delivery,
    fields: Mapping[str, str],
) -> Received:
    name = f"{delivery.filename}/{member.filename}"
    try:
        with _opened(archive, member, name, delivery) as file:
            result = receive_file(
                source=file,
                filename=name,
                fields=fields,
                door=delivery.door,
                actor=delivery.actor,
                request=delivery.request,
            )
    except DomainError as error:
        return Received(name, None, error)
    return Received(name, result, None)


def _opened(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, delivery: Delivery
) -> BinaryIO:
    """The member as a stream that can be looked into and rewound."""
    try:
        try:
            file = archive.open(member)
            head = file.read(132)
            file.seek(0)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, zlib.error) as error:
            raise _damaged() from error
        if sniff(head) is Kind.ZIP:
            file.close()
            raise InvalidInputError("nested_zip", "A zip inside a zip isn't opened; unpack it.")
    except DomainError as error:
        refuse(
            delivery=replace(delivery, filename=name),
            error=error,
        )
        raise
    return cast("BinaryIO", file)


def _damaged() -> InvalidInputError:
    return InvalidInputError("zip_damaged", "The zip is damaged or cut off; pack it anew.")


def _too_many(count: int) -> TooLargeError:
    return TooLargeError(
        "zip_too_many_files",
        f"The zip holds too many files; at most {settings.MAX_ZIP_FILES} are taken at once.",
        files=count,
        max_files=settings.MAX_ZIP_FILES,
    )
