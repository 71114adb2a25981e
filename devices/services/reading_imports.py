"""Files of readings: taken in, then stored or discarded when a person says so."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices import csv_readings
from devices.csv_readings import Dialect
from devices.models import ReadingImport
from devices.models.reading_import import ImportState
from devices.tasks_imports import run_reading_import_task
from twinhealth.errors import ConflictError, InvalidInputError

from . import AnyRequest
from .identify import find
from .kept_files import keep, shown_name
from .reading_import_work import file_of


def receive(
    *,
    source: BinaryIO,
    filename: str,
    actor: User,
    options: dict[str, Any] | None = None,
    request: AnyRequest | None = None,
) -> ReadingImport:
    """Keep the file and have it looked through; nothing is stored yet.

    Args:
        source: the file.
        filename: as sent; shown, never used as a path.
        actor: who brings it.
        options: fields of `Dialect` that differ from what the file itself suggests.
        request: for the audit row.

    Raises:
        InvalidInputError: those of `csv_readings.propose` and `check`, `unknown_device`.
        TooLargeError: `file_too_large`.
        UnavailableError: `storage_unavailable`.
    """
    relative = f"reading-imports/{uuid.uuid4().hex}.csv"
    path = Path(settings.MEDIA_ROOT) / relative
    try:
        size, sha256 = keep(source, path, most=settings.MAX_IMPORT_BYTES)
        dialect, headings = csv_readings.propose(path, zone=settings.TIME_ZONE)
        dialect = Dialect.from_json({**dialect.to_json(), **(options or {})})
        csv_readings.check(dialect, headings)
        if dialect.device and find(dialect.device) is None:
            raise InvalidInputError(  # noqa: TRY301
                "unknown_device", "No machine has that serial.", field="device"
            )
        return _made(
            ReadingImport(
                filename=shown_name(filename),
                path=relative,
                size=size,
                sha256=sha256,
                dialect=dialect.to_json(),
                requested_by=actor,
                touched_at=timezone.now(),
            ),
            actor,
            request,
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@transaction.atomic
def _made(job: ReadingImport, actor: User, request: AnyRequest | None) -> ReadingImport:
    job.save(force_insert=True)
    audit.record(actor=actor, verb="sent", obj=job, request=request, detail={"sha256": job.sha256})
    _send(job)
    return job


def _send(job: ReadingImport) -> None:
    run_reading_import_task.delay_on_commit(job.pk)  # type: ignore[attr-defined]


def _locked(job: ReadingImport) -> ReadingImport:
    return ReadingImport.objects.select_for_update().get(pk=job.pk)


@transaction.atomic
def store(*, job: ReadingImport, actor: User, request: AnyRequest | None = None) -> ReadingImport:
    """Have a file stored that was looked through: checked -> storing.

    Raises:
        ConflictError: `bad_transition`.
    """
    job = _locked(job)
    if job.state != ImportState.CHECKED:
        raise ConflictError("bad_transition", f"This file is {job.get_state_display()}.")
    job.state, job.rows_done, job.touched_at = ImportState.STORING, 0, timezone.now()
    job.accepted = job.duplicates = job.refused = 0
    job.save()
    job.refusals.all().delete()
    audit.record(actor=actor, verb="imported", obj=job, request=request)
    _send(job)
    return job


@transaction.atomic
def discard(*, job: ReadingImport, actor: User, request: AnyRequest | None = None) -> ReadingImport:
    """Not this file: checking or checked -> discarded.

    Raises:
        ConflictError: `bad_transition` once it is being stored.
    """
    job = _locked(job)
    if job.state not in {ImportState.CHECKING, ImportState.CHECKED, ImportState.FAILED}:
        raise ConflictError("bad_transition", f"This file is {job.get_state_display()}.")
    job.state, job.finished_at = ImportState.DISCARDED, timezone.now()
    job.save(update_fields=["state", "finished_at"])
    job.refusals.all().delete()
    audit.record(actor=actor, verb="discarded", obj=job, request=request)
    transaction.on_commit(lambda: file_of(job).unlink(missing_ok=True))
    return job
