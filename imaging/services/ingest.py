"""The end of every door: a file becomes a stored image, or a clear refusal. Never half of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User
from imaging.models import Image, Intake, Outcome
from imaging.sniff import Kind
from imaging.texts import clean
from twinhealth.errors import ConflictError, DomainError, InvalidInputError

from . import storage
from .contest import ContestedError
from .film import Film, read_dicom, read_picture
from .quarantine import keep_in_quarantine
from .rows import write_rows

log = structlog.get_logger(__name__)

# two films that meet in the database: the loser looks again, and then sees the winner
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Delivery:
    """Who brought a file, and how.

    Attributes:
        filename: as sent; shown, never used as a path.
        door: `imaging.models.image.Door`.
        actor: a person, or `None` for the system.
        batch: groups the files of one drop.
        request: for the audit trail.
        demo: part of the demo hospital.
        attribution: of the picture, where its licence asks for it.
    """

    filename: str
    door: str
    actor: User | None
    batch: str = ""
    request: HttpRequest | Request | None = None
    demo: bool = False
    attribution: str = ""


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of a good file.

    Attributes:
        image: the stored row.
        intake: this delivery's row.
        duplicate: the same bytes were there already; `image` is the older row.
    """

    image: Image
    intake: Intake
    duplicate: bool


def ingest_dicom(
    *,
    source: storage.Source,
    filename: str,
    door: str,
    actor: User | None,
    batch: str = "",
    request: HttpRequest | Request | None = None,
    demo: bool = False,
    attribution: str = "",
) -> IngestResult:
    """Store a DICOM film; when this returns, it's durable.

    Args:
        source: path or file object.
        filename: as sent.
        door: `imaging.models.image.Door`.
        actor: a person, or `None` for the system.
        batch: groups the files of one drop.
        request: for the audit trail.
        demo: part of the demo hospital (its patient is then marked synthetic).
        attribution: of the picture.

    Raises:
        InvalidInputError: `empty_file`, `not_dicom`, and the codes of `film.read_dicom`.
        TooLargeError: a cap was passed.
        ConflictError: `sop_uid_conflict`, `identity_conflict`; the file is in quarantine.
        UnavailableError: `storage_full`, `storage_unavailable`.
        Each refusal leaves an `Intake` row and no file (but quarantine's).
    """
    delivery = Delivery(filename, door, actor, batch, request, demo, attribution)

    def read(sent: storage.Incoming) -> Film:
        if sent.kind is not Kind.DICOM:
            raise InvalidInputError(
                "not_dicom", "This is no DICOM file, whatever its name says: look at its contents."
            )
        return read_dicom(sent)

    return _ingest(delivery, source, read)


def ingest_picture(
    *,
    source: storage.Source,
    filename: str,
    door: str,
    actor: User | None,
    patient_id: str,
    device_serial: str,
    acquired_at: datetime | None = None,
    view: str = "",
    batch: str = "",
    request: HttpRequest | Request | None = None,
    demo: bool = False,
    attribution: str = "",
) -> IngestResult:
    """Store a PNG or JPEG film as DICOM; when this returns, it's durable.

    Its identity is the SHA-256 of the bytes as sent; who and where is the sender's word.

    Args:
        source: path or file object.
        filename: as sent.
        door: `imaging.models.image.Door`.
        actor: a person, or `None` for the system.
        patient_id: the hospital's own number of the patient.
        device_serial: of the machine that took it, registered or not.
        acquired_at: exposure, aware, where known.
        view: View Position (0018,5101), such as PA.
        batch: groups the files of one drop.
        request: for the audit trail.
        demo: part of the demo hospital.
        attribution: of the picture.

    Raises:
        InvalidInputError: `empty_file`, `not_a_picture`, and the codes of `film.read_picture`.
        TooLargeError, ConflictError, UnavailableError: as `ingest_dicom`.
    """
    delivery = Delivery(filename, door, actor, batch, request, demo, attribution)

    def read(sent: storage.Incoming) -> Film:
        if sent.kind is not Kind.PICTURE:
            raise InvalidInputError("not_a_picture", "This is no PNG or JPEG picture.")
        return read_picture(
            sent,
            patient_id=patient_id,
            device_serial=device_serial,
            acquired_at=acquired_at,
            view=view,
        )

    return _ingest(delivery, source, read)


def refuse(
    *, delivery: Delivery, error: DomainError, sha256: str = "", size: int = 0
) -> Intake | None:
    """Leave the row that tells of a refused file; its number joins the error's `extra`.

    Returns:
        The row, or `None` where the database can't take even that (a full disk).
    """
    log.info("image_refused", code=error.code, door=delivery.door, sha256=sha256)
    try:
        row = Intake.objects.create(
            **intake_fields(delivery),
            outcome=Outcome.REFUSED,
            code=error.code[:64],
            message=error.message[:300],
            sha256=sha256,
            size=size,
        )
    except DatabaseError:
        log.exception("refusal_not_recorded", code=error.code)
        return None
    error.extra["intake"] = row.pk
    return row


def intake_fields(delivery: Delivery) -> dict[str, object]:
    """Column values that every `Intake` row of the delivery has."""
    return {
        "filename": clean(delivery.filename)[-255:] or "(no name)",
        "batch": delivery.batch,
        "door": delivery.door,
        "by": delivery.actor,
    }


def _ingest(
    delivery: Delivery, source: storage.Source, read: Callable[[storage.Incoming], Film]
) -> IngestResult:
    """Take the file in, read it, store it. Not inside a transaction: the rows follow the file."""
    sha256, size = "", 0
    try:
        with storage.receive(source) as sent:
            sha256, size = sent.sha256, sent.size
            film = read(sent)
            try:
                return _store(film, delivery)
            finally:
                film.stored.unlink(missing_ok=True)
    except ContestedError as error:
        raise ConflictError(error.code, error.message, **error.extra) from error
    except DomainError as error:
        refuse(delivery=delivery, error=error, sha256=sha256, size=size)
        raise
    except Exception:
        # a defect of ours: the sender hears of it, and the upload page shows it
        failed = DomainError("internal_error", "Something failed here. Try again; tell an admin.")
        refuse(delivery=delivery, error=failed, sha256=sha256, size=size)
        raise


def _store(film: Film, delivery: Delivery) -> IngestResult:
    """File first, rows second: a crash in between can't leave a row without its file."""
    path = storage.place(film.stored, folder="images", suffix=".dcm")
    try:
        result = _write(film, delivery, path)
    except ContestedError as error:
        row = keep_in_quarantine(
            film=film,
            path=path,
            contest=error.contest,
            intake=intake_fields(delivery),
            actor=delivery.actor,
            request=delivery.request,
        )
        error.extra |= {"quarantined": row.quarantined_id, "intake": row.pk}
        raise
    except BaseException:
        storage.remove(path)
        raise
    if result.duplicate:
        storage.remove(path)
    log.info("image_stored", image=result.image.pk, duplicate=result.duplicate, door=delivery.door)
    return result


def _write(film: Film, delivery: Delivery, path: str) -> IngestResult:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                image, duplicate, intake = write_rows(
                    film=film,
                    path=path,
                    intake=intake_fields(delivery),
                    actor=delivery.actor,
                    request=delivery.request,
                    demo=delivery.demo,
                    attribution=delivery.attribution,
                )
            return IngestResult(image, intake, duplicate)
        except (IntegrityError, OperationalError) as error:
            if _disk_is_full(error):
                raise storage.storage_full() from error
            if attempt == _ATTEMPTS:
                raise
            log.info("ingest_retried", attempt=attempt, cause=type(error).__name__)
    raise AssertionError("the loop returns or raises")  # pragma: no cover


def _disk_is_full(error: DatabaseError) -> bool:
    """SQLite says it in words, PostgreSQL by SQLSTATE 53100."""
    cause = error.__cause__
    return getattr(cause, "pgcode", None) == "53100" or "disk is full" in str(error)
