"""Asking for an audit file, and taking it."""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import Device
from inventory.models import AuditFile, AuditFileState
from inventory.tasks import make_audit_file_task
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from . import AnyRequest
from .audit_file_work import PDF, ZIP, folder_of

MAX_DAYS = 3 * 366
MAX_WAITING = 5  # of one person
_NAMES = {"pdf": PDF, "zip": ZIP}


@transaction.atomic
def ask(
    *,
    actor: User,
    starts_on: date,
    ends_on: date,
    device: Device | None = None,
    request: AnyRequest = None,
) -> AuditFile:
    """Have a worker make a file of one machine, or of all, retired ones too.

    Args:
        actor: whose name stands in it.
        starts_on: first day.
        ends_on: last day, included.
        device: none: all machines.
        request: for the audit trail.

    Raises:
        InvalidInputError: `bad_period`.
        ConflictError: `too_many_waiting`.
    """
    if not starts_on <= ends_on or (ends_on - starts_on).days >= MAX_DAYS or starts_on.year < 1990:
        raise InvalidInputError(
            "bad_period", "A period ends after it begins, and has at most three years."
        )
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)  # two at once are counted
    waiting = AuditFile.objects.filter(
        requested_by=actor, state__in=[AuditFileState.QUEUED, AuditFileState.WORKING]
    )
    if waiting.count() >= MAX_WAITING:
        raise ConflictError(
            "too_many_waiting", "Wait until those that you asked for are made.", limit=MAX_WAITING
        )
    row = AuditFile.objects.create(
        device=device,
        starts_on=starts_on,
        ends_on=ends_on,
        folder=f"audit-files/{uuid.uuid4().hex}",
        requested_by=actor,
        requested_by_name=f"{actor} ({actor.username})",
        touched_at=timezone.now(),
    )
    audit.record(actor=actor, verb="requested", obj=row, request=request)
    make_audit_file_task.delay_on_commit(row.pk)  # type: ignore[attr-defined]
    return row


def take(*, row: AuditFile, kind: str, actor: User, request: AnyRequest = None) -> Path:
    """Where its PDF or zip lies; that somebody took it is kept.

    Raises:
        NotFoundError: `not_made_yet`, `file_lost`.
    """
    if row.state != AuditFileState.DONE:
        raise NotFoundError("not_made_yet", "This file isn't made yet.")
    path = folder_of(row) / _NAMES[kind]
    if not path.exists():
        raise NotFoundError("file_lost", "The file isn't where it was kept. Tell an admin.")
    audit.record(actor=actor, verb="exported", obj=row, request=request, detail={"file": kind})
    return path
