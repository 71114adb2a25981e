"""Tables that people send: a dry run first, then all of it or nothing, when a person says so."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import DeviceModel
from devices.services.kept_files import keep, shown_name
from inventory.importing import run as runner
from inventory.importing import table as tables
from inventory.models import Fate, ImportKind, ImportState, InventoryImport
from inventory.tasks import run_import_task
from twinhealth.errors import ConflictError, InvalidInputError

from . import AnyRequest
from .import_work import file_of, kind_of

MAX_BYTES = 20 * 1024**2


def receive(
    *,
    source: BinaryIO,
    filename: str,
    kind: str,
    actor: User,
    device_model: DeviceModel | None = None,
    request: AnyRequest = None,
) -> InventoryImport:
    """Keep a file and have it looked through; nothing of it is stored yet.

    Args:
        source: the file.
        filename: as sent; shown, never used as a path.
        kind: `ImportKind`.
        actor: who sends it.
        device_model: of MDS2 answers, whose.
        request: for the audit trail.

    Raises:
        InvalidInputError: `unknown_kind`, `model_missing`, and those of `table.read` and `run.fit`.
        TooLargeError: `file_too_large`, `too_many_rows`.
        UnavailableError: `storage_unavailable`.
    """
    if kind not in ImportKind.values:
        raise InvalidInputError("unknown_kind", "Choose what the rows are.", field="kind")
    relative = f"inventory-imports/{uuid.uuid4().hex}.csv"
    path = Path(settings.MEDIA_ROOT) / relative
    try:
        size, sha256 = keep(source, path, most=MAX_BYTES)
        job = InventoryImport(
            kind=kind,
            device_model=device_model if kind == ImportKind.MDS2 else None,
            filename=shown_name(filename),
            path=relative,
            size=size,
            sha256=sha256,
            requested_by=actor,
            touched_at=timezone.now(),
        )
        table = tables.read(path.read_bytes())
        runner.fit(kind_of(job), table)
        job.encoding, job.delimiter = table.encoding, table.delimiter
        with transaction.atomic():
            job.save(force_insert=True)
            audit.record(
                actor=actor, verb="sent", obj=job, request=request, detail={"sha256": sha256}
            )
            run_import_task.delay_on_commit(job.pk)  # type: ignore[attr-defined]
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return job


def _locked(job: InventoryImport) -> InventoryImport:
    return InventoryImport.objects.select_for_update(no_key=True).get(pk=job.pk)


@transaction.atomic
def apply(*, job: InventoryImport, actor: User, request: AnyRequest = None) -> InventoryImport:
    """Have it applied as the dry run said: checked -> applying.

    Raises:
        ConflictError: `bad_transition`, `rows_refused`, `nothing_to_do`.
    """
    job = _locked(job)
    if job.state != ImportState.CHECKED:
        raise ConflictError("bad_transition", f"This file is {job.get_state_display()}.")
    if job.counts.get(Fate.REFUSED):
        raise ConflictError(
            "rows_refused", "Rows are refused. Mend the file and send it again: all or nothing."
        )
    if not job.counts.get(Fate.ADDED) and not job.counts.get(Fate.CHANGED):
        raise ConflictError("nothing_to_do", "Every row is as it is stored already.")
    job.state, job.touched_at, job.message, job.code = ImportState.APPLYING, timezone.now(), "", ""
    # whoever says so vouches for it
    job.requested_by = actor
    job.save()
    audit.record(actor=actor, verb="imported", obj=job, request=request, detail=dict(job.counts))
    run_import_task.delay_on_commit(job.pk)  # type: ignore[attr-defined]
    return job


@transaction.atomic
def discard(*, job: InventoryImport, actor: User, request: AnyRequest = None) -> InventoryImport:
    """Not this file: checking, checked or failed -> discarded; its fates stay to be read.

    Raises:
        ConflictError: `bad_transition`.
    """
    job = _locked(job)
    if job.state not in {ImportState.CHECKING, ImportState.CHECKED, ImportState.FAILED}:
        raise ConflictError("bad_transition", f"This file is {job.get_state_display()}.")
    job.state, job.finished_at = ImportState.DISCARDED, timezone.now()
    job.save(update_fields=["state", "finished_at"])
    audit.record(actor=actor, verb="discarded", obj=job, request=request)
    transaction.on_commit(lambda: file_of(job).unlink(missing_ok=True))
    return job
