"""What the browser's and the REST door share: from a form with a file to `ingest`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.dateparse import parse_datetime
from rest_framework.request import Request

from accounts.models import User
from imaging.dose import DOSE_SR
from imaging.sniff import Kind, media_class, sniff, sniff_file
from twinhealth.errors import DomainError, InvalidInputError, TooLargeError

from .dose_reports import DoseResult, ingest_dose_report
from .ingest import Delivery, IngestResult, ingest_dicom, ingest_picture, refuse
from .storage import Source

_FORM_OVERHEAD = 1 << 20
_META = 2048  # bytes in which a file's meta information says what it is
_BATCH = re.compile(r"^[0-9a-zA-Z-]{0,36}$")


def check_request_size(content_length: str | None, *, limit: int) -> None:
    """Refuse a form by what it declares, before a byte of it is read.

    Args:
        content_length: the header; without one no body is read at all.
        limit: bytes of files; the form around them may take a little more.

    Raises:
        TooLargeError: `request_too_large`.
    """
    size = int(content_length) if content_length and content_length.isdecimal() else 0
    if size > limit + _FORM_OVERHEAD:
        raise TooLargeError(
            "request_too_large",
            f"That is more than {limit} bytes at once; send less.",
            max_bytes=limit,
        )


def receive_upload(
    *,
    files: MultiValueDict[str, UploadedFile],
    fields: Mapping[str, str],
    door: str,
    actor: User,
    request: HttpRequest | Request | None = None,
) -> IngestResult | DoseResult:
    """One multipart form with one film in its part `file`.

    Args:
        files: `request.FILES`.
        fields: `request.POST` (or a DRF request's `data`): for a PNG or JPEG `patient_id`,
            `device` (serial), optional `acquired_at` (ISO 8601) and `view`; `batch` for both.
        door: `imaging.models.image.Door`.
        actor: who sends it.
        request: for the audit trail.

    Raises:
        InvalidInputError: `file_missing` where there isn't exactly one, `unknown_format`,
            `acquired_at_invalid`, `batch_invalid`, and all that `ingest` raises.
    """
    uploads = files.getlist("file")
    if len(uploads) != 1:
        raise InvalidInputError("file_missing", "Send exactly one file, in the part named `file`.")
    upload = uploads[0]
    return receive_file(
        source=cast("BinaryIO", upload),
        filename=upload.name or "",
        fields=fields,
        door=door,
        actor=actor,
        request=request,
    )


def receive_file(
    *,
    source: Source,
    filename: str,
    fields: Mapping[str, str],
    door: str,
    actor: User | None,
    request: HttpRequest | Request | None = None,
) -> IngestResult | DoseResult:
    """One file of a known or unknown kind, seekable, with the short form's fields.

    Raises:
        InvalidInputError: as `receive_upload`; every refusal leaves an `Intake` row.
    """
    delivery = Delivery(filename, door, actor, request=request)
    try:
        delivery = replace(delivery, batch=batch_of(fields))
        kind = kind_of(source)
        acquired_at = parse_acquired_at(fields.get("acquired_at", ""))
        if kind not in {Kind.DICOM, Kind.PICTURE}:
            raise _unknown_format(kind)
    except DomainError as error:
        refuse(delivery=delivery, error=error)
        raise
    if kind is Kind.DICOM and _media_class(source) == DOSE_SR:
        return ingest_dose_report(source=source, delivery=delivery)
    if kind is Kind.DICOM:
        return ingest_dicom(
            source=source,
            filename=filename,
            door=door,
            actor=actor,
            batch=delivery.batch,
            request=request,
        )
    return ingest_picture(
        source=source,
        filename=filename,
        door=door,
        actor=actor,
        patient_id=fields.get("patient_id", ""),
        device_serial=fields.get("device", ""),
        acquired_at=acquired_at,
        view=fields.get("view", ""),
        batch=delivery.batch,
        request=request,
    )


def kind_of(source: Source) -> Kind:
    """What the source is, by content; a file object is left at its start.

    Raises:
        InvalidInputError: `empty_file`, `unreadable`.
    """
    if isinstance(source, Path):
        return sniff_file(source)
    source.seek(0)
    head = source.read(132)
    source.seek(0)
    if not head:
        raise InvalidInputError("empty_file", "The file is empty. Export it again.")
    return sniff(head)


def _media_class(source: Source) -> str:
    if isinstance(source, Path):
        with source.open("rb") as file:
            return media_class(file.read(_META))
    head = source.read(_META)
    source.seek(0)
    return media_class(head)


def _unknown_format(kind: Kind) -> InvalidInputError:
    if kind is Kind.ZIP:
        return InvalidInputError(
            "zip_not_here", "A zip isn't taken here: unpack it, or use the upload page."
        )
    return InvalidInputError(
        "unknown_format", "This is neither DICOM nor PNG nor JPEG. Choose an X-ray file."
    )


def parse_acquired_at(value: str) -> datetime | None:
    """In UTC, from ISO 8601; without an offset it's in the hospital's zone; empty is unknown.

    Raises:
        InvalidInputError: `acquired_at_invalid`.
    """
    if not value.strip():
        return None
    try:
        moment = parse_datetime(value.strip())
        if moment is not None:
            aware = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
            # PostgreSQL takes no offset of 16 hours or more
            return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidInputError(
        "acquired_at_invalid", "Give the exposure's time like 2025-03-04T10:20+01:00."
    )


def batch_of(fields: Mapping[str, str]) -> str:
    """The drop's mark, made by the page.

    Raises:
        InvalidInputError: `batch_invalid`.
    """
    batch = fields.get("batch", "")
    if not _BATCH.match(batch):
        raise InvalidInputError("batch_invalid", "`batch` is at most 36 letters, digits, dashes.")
    return batch
