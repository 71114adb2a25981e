"""An admin's wish for a set: a row, and a worker that writes the zip; beat brings lost ones back.

As with runs of the detector, the row decides and a message may come twice, late or never.
"""

from __future__ import annotations

import shutil
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection import dataset_archive
from detection.models import DatasetExport, DatasetVersion, ExportState
from detection.selectors_dataset import archive_of, archive_path
from twinhealth.errors import ConflictError, DomainError, NotFoundError

from .dataset import check_name, export_dataset

log = structlog.get_logger(__name__)
GENERIC_FAILURE: Final = (
    "The export failed on our side; the reason is in the log. Start another one."
)
_RENEW_SECONDS: Final = 1.0  # between two looks at the lease: a film takes less


class _LeaseLostError(Exception):
    """Another worker has taken the export over."""


def request_export(
    *, user: User, name: str = "site", request: HttpRequest | None = None
) -> DatasetExport:
    """Have a set written by a worker; while one is under way there is no second.

    Raises:
        InvalidInputError: `bad_name`.
        ConflictError: `export_running`.
    """
    from detection.tasks import export_dataset_task  # noqa: PLC0415 - tasks call this module

    check_name(name)
    now = timezone.now()
    try:
        with transaction.atomic():
            export = DatasetExport.objects.create(
                name=name, requested_by=user, requested_at=now, sent_at=now
            )
            audit.record(
                actor=user,
                verb="requested",
                obj=export,
                request=request,
                detail={"dataset": name},
            )
            export_dataset_task.delay_on_commit(export.pk)  # type: ignore[attr-defined]
            return export
    except IntegrityError as error:  # `dataset_export_one_at_a_time`
        raise ConflictError(
            "export_running", "An export is under way. Wait until it has ended."
        ) from error


def execute_export(*, export_id: int) -> bool:
    """Write a queued export's zip, or that of a dead worker; anything else is left alone.

    Returns:
        True if this call ended it as `done`.
    """
    structlog.contextvars.bind_contextvars(export_id=export_id)
    token = _claim(export_id)
    if token is None:
        return False
    export = DatasetExport.objects.select_related("requested_by").get(pk=export_id)
    try:
        _write(export, token)
    except _LeaseLostError:  # what lies there now is the other worker's
        log.warning("export_taken_over")
        return False
    except DomainError as error:
        log.warning("export_refused", code=error.code)
        if error.code == "export_running":  # a worker that was thought dead still writes
            _put_back(export_id, token)
        else:
            _fail(export_id, token, error.message[:300])
        return False
    except Exception:
        log.exception("export_broke")
        _fail(export_id, token, GENERIC_FAILURE)
        return False
    return True


def requeue_lost_exports(*, now: datetime | None = None) -> list[int]:
    """Exports whose message or worker is gone; one without an attempt left fails.

    Returns:
        Numbers of the exports to send now.
    """
    now = now or timezone.now()
    late = now - timedelta(seconds=settings.RUN_RESEND_SECONDS)
    lost = DatasetExport.objects.filter(_lost(now) | Q(state=ExportState.QUEUED, sent_at__lt=late))
    again = []
    for export in lost.order_by("pk"):
        same = DatasetExport.objects.filter(
            pk=export.pk,
            state=export.state,
            lease_token=export.lease_token,
            lease_until=export.lease_until,
            sent_at=export.sent_at,
        )
        ended = export.attempts >= settings.RUN_MAX_ATTEMPTS
        changes: dict[str, Any] = {"lease_token": "", "lease_until": None}
        if ended:
            changes |= {"state": ExportState.FAILED, "finished_at": now, "message": GENERIC_FAILURE}
        else:
            changes |= {"state": ExportState.QUEUED, "sent_at": now}
        if not same.update(**changes):
            continue
        log.warning("export_lost", export_id=export.pk, ended=ended)
        if ended:
            _clear(export.pk)
        else:
            again.append(export.pk)
    return again


def open_archive(
    *, version_id: int, user: User, request: HttpRequest | None = None
) -> tuple[DatasetVersion, Path]:
    """The zip of a version, for a download; each patient's trail says who took it.

    Raises:
        NotFoundError: `no_such_dataset`, `no_archive`.
    """
    version = DatasetVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFoundError("no_such_dataset", "There is no such set.", dataset=version_id)
    export = archive_of(version)
    if export is None:
        raise NotFoundError(
            "no_archive",
            "No zip of this version is kept here: a command wrote it to a folder, or the zip was "
            "removed.",
            dataset=version_id,
        )
    films: dict[int, int] = {}
    for patient_id in version.films.values_list("image__series__study__patient_id", flat=True):
        films[patient_id] = films.get(patient_id, 0) + 1
    detail = {"dataset": version.name, "number": version.number}
    with transaction.atomic():
        audit.record_patients(
            actor=user,
            verb="downloaded",
            obj=version,
            request=request,
            details={pk: {**detail, "films": count} for pk, count in sorted(films.items())},
        )
        audit.record(
            actor=user,
            verb="downloaded",
            obj=version,
            request=request,
            detail={**detail, "sha256": version.sha256, "films": sum(films.values())},
        )
    return version, archive_path(export)


def _lost(now: datetime) -> Q:
    return Q(state=ExportState.RUNNING, lease_until__lt=now)


def _lease() -> datetime:
    return timezone.now() + timedelta(seconds=settings.RUN_LEASE_SECONDS)


def _claim(export_id: int) -> str | None:
    token = str(uuid.uuid4())
    free = DatasetExport.objects.filter(
        Q(state=ExportState.QUEUED) | _lost(timezone.now()),
        pk=export_id,
        attempts__lt=settings.RUN_MAX_ATTEMPTS,
    )
    taken = free.update(
        state=ExportState.RUNNING,
        lease_token=token,
        lease_until=_lease(),
        attempts=F("attempts") + 1,
        done=0,
        total=None,
    )
    return token if taken else None


def _held(export_id: int, token: str) -> QuerySet[DatasetExport]:
    return DatasetExport.objects.filter(pk=export_id, lease_token=token, state=ExportState.RUNNING)


def _end(export_id: int, token: str, state: ExportState, **changes: Any) -> bool:
    return bool(
        _held(export_id, token).update(
            state=state,
            lease_token="",
            lease_until=None,
            finished_at=timezone.now(),
            **changes,
        )
    )


def _put_back(export_id: int, token: str) -> None:
    """Beat sends it again after a while."""
    _held(export_id, token).update(
        state=ExportState.QUEUED, lease_token="", lease_until=None, sent_at=timezone.now()
    )


def _fail(export_id: int, token: str, message: str) -> None:
    if _end(export_id, token, ExportState.FAILED, message=message):
        _clear(export_id)


def _folder(export_id: int) -> Path:
    return Path(settings.DATASET_ROOT) / f"export-{export_id}"


def _unfinished_zip(export_id: int, token: str) -> Path:
    return _folder(export_id).with_name(f".export-{export_id}.{token}{dataset_archive.SUFFIX}")


def _clear(export_id: int) -> None:
    """What attempts left: the folder, the one in the making beside it, halves of a zip."""
    folder = _folder(export_id)
    for path in (folder, folder.with_name(f".{folder.name}.part")):
        shutil.rmtree(path, ignore_errors=True)
    for path in folder.parent.glob(_unfinished_zip(export_id, "*").name):
        path.unlink(missing_ok=True)


class _Lease:
    """Renews the lease of an export while it is written."""

    def __init__(self, export_id: int, token: str) -> None:
        self._held = _held(export_id, token)
        self._next = 0.0

    def renew(self, **changes: Any) -> None:
        """Once a second at most, and whenever `done` is `total`.

        Raises:
            _LeaseLostError: another worker has it.
        """
        now = time.monotonic()
        if now < self._next and ("total" not in changes or changes["done"] < changes["total"]):
            return
        self._next = now + _RENEW_SECONDS
        if not self._held.update(lease_until=_lease(), **changes):
            raise _LeaseLostError

    def progress(self, done: int, total: int) -> None:
        """As `export_dataset` calls it."""
        self.renew(done=done, total=total)


def _write(export: DatasetExport, token: str) -> None:
    folder = _folder(export.pk)
    shutil.rmtree(folder, ignore_errors=True)  # of a worker that died after publishing it
    lease = _Lease(export.pk, token)
    exported = export_dataset(
        folder=folder, name=export.name, user=export.requested_by, progress=lease.progress
    )
    version = exported.version
    assert version is not None  # noqa: S101 - only a dry run has none
    kept = archive_of(version)
    if kept is not None:
        archive, size = kept.archive, kept.archive_bytes
    else:
        archive = f"{version.name}-{version.number}.zip"
        size = dataset_archive.write_zip(
            folder,
            folder.with_name(archive),
            unfinished=_unfinished_zip(export.pk, token),
            tick=lease.renew,
        )
    if not _end(
        export.pk, token, ExportState.DONE, version=version, archive=archive, archive_bytes=size
    ):
        raise _LeaseLostError
    _clear(export.pk)
