"""A worker looks a table through, or applies it: one transaction, all of it or nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from inventory.importing import run as runner
from inventory.importing import table as tables
from inventory.importing.kinds import Kind
from inventory.importing.machines import Machines
from inventory.importing.mds2 import Mds2
from inventory.importing.parts import Parts
from inventory.importing.plans import Plans
from inventory.importing.recalls import Recalls
from inventory.importing.run import RowFate
from inventory.models import ImportFate, ImportKind, ImportState, InventoryImport
from twinhealth.errors import ConflictError, DomainError, InvalidInputError

log = structlog.get_logger(__name__)

SILENT = timedelta(seconds=120)  # a worker that says nothing for so long is gone
_WORKING = (ImportState.CHECKING, ImportState.APPLYING)


def kind_of(job: InventoryImport) -> Kind:
    """What its rows are."""
    if job.kind == ImportKind.MDS2:
        if job.device_model is None:
            raise InvalidInputError("model_missing", "Say whose answers these are.")
        return Mds2(job.device_model)
    kinds: dict[str, type[Machines | Parts | Plans | Recalls]] = {
        ImportKind.MACHINES: Machines,
        ImportKind.PARTS: Parts,
        ImportKind.PLANS: Plans,
        ImportKind.RECALLS: Recalls,
    }
    return kinds[job.kind]()


def file_of(job: InventoryImport) -> Path:
    """Where its file lies."""
    return Path(settings.MEDIA_ROOT) / job.path


def lost() -> list[int]:
    """Those that no worker has touched for a while, at most 20."""
    silent = InventoryImport.objects.filter(
        state__in=_WORKING, touched_at__lt=timezone.now() - SILENT
    )
    return list(silent.order_by("pk").values_list("pk", flat=True)[:20])


def work(*, import_id: int) -> None:
    """Dry run, or apply; a second worker on the same file leaves it alone."""
    job = InventoryImport.objects.filter(pk=import_id, state__in=_WORKING).first()
    if job is None:
        return
    try:
        _worked(job)
    except DomainError as error:
        _failed(job, error.code, error.message)
    except OSError:
        log.exception("inventory_import_failed", inventory_import=import_id)
        _failed(job, "file_lost", "The file can't be read any more. Send it again.")
    except Exception:
        log.exception("inventory_import_broke", inventory_import=import_id)
        _failed(job, "broke", "This failed on our side; the reason is in the log.")


def _failed(job: InventoryImport, code: str, message: str) -> None:
    InventoryImport.objects.filter(pk=job.pk, state=job.state).update(
        state=ImportState.FAILED, finished_at=timezone.now(), code=code, message=message[:300]
    )


@transaction.atomic
def _worked(job: InventoryImport) -> None:
    """One transaction, which holds the job's row: killed in between, nothing has happened."""
    # who finds it locked leaves it to the one that is at it
    rows = InventoryImport.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
    found = rows.filter(pk=job.pk, state__in=_WORKING).first()
    if found is None:
        return
    job = found
    data = file_of(job).read_bytes()
    if hashlib.sha256(data).hexdigest() != job.sha256:
        raise ConflictError("file_changed", "The file isn't the one that was looked through.")
    applying = job.state == ImportState.APPLYING
    fates, kept = runner.run(
        kind_of(job),
        tables.read(data),
        actor=job.requested_by,
        keep=applying,
        expected=job.fates_sha256,
    )
    _keep_fates(job, fates)
    if kept:
        job.state, job.finished_at = ImportState.DONE, timezone.now()
        transaction.on_commit(lambda: file_of(job).unlink(missing_ok=True))
    else:
        job.state = ImportState.CHECKED
    if applying and not kept:
        job.code = "fates_changed"
        job.message = "What is stored has changed since the dry run. Look at the rows again."
    job.touched_at = timezone.now()
    job.save()


def _keep_fates(job: InventoryImport, fates: list[RowFate]) -> None:
    job.fates.all().delete()
    ImportFate.objects.bulk_create(
        (
            ImportFate(
                of=job,
                line=each.line,
                key=each.key,
                fate=each.fate,
                changes=each.changes,
                column=each.column,
                code=each.code,
                message=each.message,
            )
            for each in fates
        ),
        batch_size=500,
    )
    job.fates_sha256 = runner.digest(fates)
    job.counts = dict(Counter(str(each.fate) for each in fates))
