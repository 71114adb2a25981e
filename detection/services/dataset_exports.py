"""An admin's wish for a set: a row, and a worker that writes the zip; beat brings lost ones back.

As with runs of the detector, the row decides and a message may come twice, late or never.
"""

from __future__ import annotations

import os
import shutil
import uuid
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.models import DatasetExport, DatasetVersion, ExportState
from detection.selectors_dataset import archive_of
from twinhealth.errors import ConflictError, DomainError, NotFoundError

from .dataset_folder import disk_errors
from .dataset_splits import take_turns
from .datasets import check_request, export_dataset

log = structlog.get_logger(__name__)
FOLDER = "datasets"  # below MEDIA_ROOT
GENERIC_FAILURE = "The export failed on our side; the reason is in the log. Start another one."
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can tell: equal sets, equal zips


class _LeaseLostError(Exception):
    """Another worker has taken the export over."""


def request_export(
    *,
    name: str,
    user: User,
    since: datetime | None = None,
    longest_side: int | None = None,
    request: HttpRequest | None = None,
) -> DatasetExport:
    """Have a set written; while one is under way there is no second.

    Raises:
        InvalidInputError: `bad_dataset_name`, `bad_longest_side`.
        ConflictError: `export_running`, with its number.
    """
    from detection.tasks import export_dataset_task  # noqa: PLC0415 - tasks call this module

    check_request(name=name, longest_side=longest_side)
    with transaction.atomic():
        take_turns()
        busy = DatasetExport.objects.filter(
            state__in=[ExportState.QUEUED, ExportState.RUNNING]
        ).first()
        if busy is not None:
            raise ConflictError(
                "export_running",
                f"An export of {busy.name} is under way. Wait until it has ended.",
                export=busy.pk,
            )
        now = timezone.now()
        export = DatasetExport.objects.create(
            name=name,
            since=since,
            longest_side=longest_side,
            requested_by=user,
            requested_at=now,
            sent_at=now,
        )
        audit.record(
            actor=user, verb="requested", obj=export, request=request, detail={"name": name}
        )
        export_dataset_task.delay_on_commit(export.pk)  # type: ignore[attr-defined]
        return export


def execute_export(*, export_id: int) -> bool:
    """Write a queued export's zip, or that of a dead worker; anything else is left alone.

    Returns:
        True if this call ended it as `done`.
    """
    token = _claim(export_id)
    if token is None:
        return False
    export = DatasetExport.objects.select_related("requested_by").get(pk=export_id)
    try:
        _write(export, token)
    except _LeaseLostError:  # the other worker's files are not ours to clear away
        log.warning("export_taken_over", export=export.pk)
        return False
    except DomainError as error:
        log.info("export_refused", export=export.pk, code=error.code)
        if error.code == "export_running":  # a worker that was thought dead still writes
            _put_back(export.pk, token)
        else:
            _fail(export.pk, token, error.message[:300])
        return False
    except Exception:
        log.exception("export_broke", export=export.pk)
        _fail(export.pk, token, GENERIC_FAILURE)
        return False
    return True


def requeue_lost_exports(*, now: datetime | None = None) -> list[int]:
    """Exports whose message or worker is gone, to be sent again; the last attempt fails.

    Returns:
        Numbers of the exports to send now.
    """
    now = now or timezone.now()
    late = now - timedelta(seconds=settings.RUN_RESEND_SECONDS)
    lost = DatasetExport.objects.filter(_lost(now) | Q(state=ExportState.QUEUED, sent_at__lt=late))
    again = []
    for export in lost.order_by("pk"):
        same = DatasetExport.objects.filter(
            pk=export.pk, state=export.state, lease_token=export.lease_token, sent_at=export.sent_at
        )
        ended = export.attempts >= settings.RUN_MAX_ATTEMPTS
        state = ExportState.FAILED if ended else ExportState.QUEUED
        changes: dict[str, Any] = {"state": state, "lease_token": "", "lease_until": None}
        changes |= {"finished_at": now, "message": GENERIC_FAILURE} if ended else {"sent_at": now}
        if not same.update(**changes):
            continue
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
    path = Path(settings.MEDIA_ROOT) / export.archive if export else None
    if path is None or not path.is_file():
        raise NotFoundError(
            "no_archive",
            "This version isn't kept as a zip here: it was written by the command, or its zip "
            "was removed.",
            dataset=version_id,
        )
    films: dict[int, list[int]] = {}
    patients = version.items.values_list("image__series__study__patient_id", "image_id")
    for patient, image in patients.order_by("image_id"):
        films.setdefault(patient, []).append(image)
    with transaction.atomic():
        audit.record(
            actor=user,
            verb="downloaded",
            obj=version,
            request=request,
            detail={"sha256": version.sha256, "patients": len(films)},
        )
        audit.record_patients(
            actor=user,
            verb="downloaded",
            obj=version,
            details={patient: {"films": images} for patient, images in films.items()},
            request=request,
        )
    return version, path


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


def _renew(export_id: int, token: str, **changes: Any) -> None:
    if not _held(export_id, token).update(lease_until=_lease(), **changes):
        raise _LeaseLostError


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
    return Path(settings.MEDIA_ROOT) / FOLDER / f"export-{export_id}"


def _clear(export_id: int) -> None:
    """What an attempt left: the folder, or the one in the making beside it."""
    folder = _folder(export_id)
    for path in (folder, folder.with_name(f".{folder.name}.partial")):
        shutil.rmtree(path, ignore_errors=True)


def _write(export: DatasetExport, token: str) -> None:
    folder = _folder(export.pk)
    shutil.rmtree(folder, ignore_errors=True)  # of a worker that died after publishing it

    def progress(done: int, total: int) -> None:
        _renew(export.pk, token, done=done, total=total)

    exported = export_dataset(
        out=folder,
        name=export.name,
        since=export.since,
        longest_side=export.longest_side,
        user=export.requested_by,
        progress=progress,
    )
    version = exported.version
    assert version is not None  # noqa: S101 - it has a folder
    known = archive_of(version)
    if known is not None and (Path(settings.MEDIA_ROOT) / known.archive).is_file():
        archive, size = known.archive, known.archive_bytes
    else:
        path = _zip(folder, root=f"{version.name}-{version.number}", export=export, token=token)
        archive, size = str(path.relative_to(settings.MEDIA_ROOT)), path.stat().st_size
    if not _end(
        export.pk, token, ExportState.DONE, version=version, archive=archive, archive_bytes=size
    ):
        raise _LeaseLostError
    _clear(export.pk)


def _zip(folder: Path, *, root: str, export: DatasetExport, token: str) -> Path:
    """All files of a folder as one durable file of an own name; the pictures are packed already."""
    target = folder.with_name(f"{uuid.uuid4().hex}.zip")
    partial = target.with_suffix(".partial")
    try:
        with disk_errors():
            with partial.open("wb") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                        name = f"{root}/{path.relative_to(folder).as_posix()}"
                        entry = zipfile.ZipInfo(name, _EPOCH)
                        entry.external_attr = 0o600 << 16
                        with path.open("rb") as source, archive.open(entry, "w") as sink:
                            shutil.copyfileobj(source, sink, 1 << 20)
                        _renew(export.pk, token)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return target
