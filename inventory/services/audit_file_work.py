"""A worker makes an audit file; the row says who has it, and beat brings a lost one back."""

from __future__ import annotations

import hashlib
import shutil
import time
import uuid
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.services import audit
from devices.models import Device
from inventory import audit_content, audit_pdf, audit_zip
from inventory.audit_pdf import About
from inventory.models import AuditFile, AuditFileState

log = structlog.get_logger(__name__)

PDF, ZIP = "audit-file.pdf", "audit-file.zip"
SILENT = timedelta(seconds=300)  # a worker that says nothing for so long is gone
WAITING = timedelta(seconds=30)  # a message that nobody took for so long is sent again
MAX_ATTEMPTS = 3
TELL_SECONDS = 5.0  # between two signs of life while the PDF is laid out


class _LostError(Exception):
    """Another worker has it now."""


def folder_of(row: AuditFile) -> Path:
    """Where its files lie."""
    return Path(settings.MEDIA_ROOT) / row.folder


def _lost_q() -> Q:
    now = timezone.now()
    return Q(state=AuditFileState.QUEUED, touched_at__lt=now - WAITING) | Q(
        state=AuditFileState.WORKING, touched_at__lt=now - SILENT
    )


def lost() -> list[int]:
    """Those that nobody is at, at most 20."""
    return list(AuditFile.objects.filter(_lost_q()).values_list("pk", flat=True)[:20])


def work(*, file_id: int) -> bool:
    """Make it, if nobody is at it; whether this call ended it as done."""
    token = uuid.uuid4().hex
    free = Q(state=AuditFileState.QUEUED) | _lost_q()
    row = AuditFile.objects.filter(free, pk=file_id).first()
    if row is None:
        return False
    ended = row.attempts >= MAX_ATTEMPTS
    claimed = AuditFile.objects.filter(
        free, pk=file_id, token=row.token, attempts=row.attempts
    ).update(
        state=AuditFileState.FAILED if ended else AuditFileState.WORKING,
        token=token,
        attempts=row.attempts + (not ended),
        touched_at=timezone.now(),
        message="It failed several times; the reason is in the log." if ended else "",
    )
    if not claimed or ended:
        return False
    row.refresh_from_db()
    try:
        _make(row, token)
    except _LostError:
        log.warning("audit_file_taken_over", audit_file=file_id)
        return False
    except Exception:
        log.exception("audit_file_broke", audit_file=file_id)
        _own(row, token).update(
            state=AuditFileState.FAILED,
            message="This failed on our side; the reason is in the log. Ask for it again.",
        )
        return False
    return True


def _own(row: AuditFile, token: str) -> QuerySet[AuditFile]:
    return AuditFile.objects.filter(pk=row.pk, token=token, state=AuditFileState.WORKING)


def _make(row: AuditFile, token: str) -> None:
    devices = Device.objects.select_related("model").order_by("serial")
    if row.device_id is not None:
        devices = devices.filter(pk=row.device_id)
    listed = list(devices)

    def tell(done: int) -> None:
        if not _own(row, token).update(
            machines=len(listed), machines_done=done, touched_at=timezone.now()
        ):
            raise _LostError

    told = time.monotonic()

    def alive() -> None:
        nonlocal told
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            tell(len(listed))

    content = audit_content.collect(listed, starts_on=row.starts_on, ends_on=row.ends_on, done=tell)
    now = timezone.now()
    about = About(
        hospital=settings.HOSPITAL_NAME,
        what=str(row),
        made_by=row.requested_by_name,
        made_at=timezone.localtime(now).isoformat(timespec="seconds"),
        sha256=content.sha256(),
    )
    folder = folder_of(row)
    beside = folder.with_name(f"{folder.name}.{token[:8]}")
    try:
        beside.mkdir(parents=True)
        audit_zip.write(beside / ZIP, content, about)
        audit_pdf.write(beside / PDF, content, about, alive=alive)
        tell(len(listed))
        if folder.exists():  # of a worker that died before it said so
            shutil.rmtree(folder)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    if not _own(row, token).update(
        state=AuditFileState.DONE,
        content_sha256=about.sha256,
        rows=content.count,
        made_at=now,
        touched_at=now,
        **_measured(folder),
    ):
        raise _LostError
    row.refresh_from_db()
    audit.record(actor=None, verb="made", obj=row, detail={"sha256": row.content_sha256})


def _measured(folder: Path) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for what, name in (("pdf", PDF), ("zip", ZIP)):
        path = folder / name
        with path.open("rb") as file:
            found[f"{what}_sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
        found[f"{what}_size"] = path.stat().st_size
    return found
