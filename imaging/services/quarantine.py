"""Files whose identity contradicts the archive: kept, not shown, until somebody looked."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from accounts.models import User
from accounts.services import audit
from imaging.models import Intake, Outcome, QuarantinedFile
from imaging.models.intake import QuarantineState
from twinhealth.errors import NotFoundError

from . import storage
from .contest import Contest
from .film import Film

log = structlog.get_logger(__name__)


def keep_in_quarantine(
    *,
    film: Film,
    path: str,
    contest: Contest,
    intake: dict[str, Any],
    actor: User | None,
    request: HttpRequest | Request | None,
) -> Intake:
    """Move a contested film's file as it was sent into quarantine, with its row and audit entry.

    Args:
        film: what came.
        path: where its stored form lies now, relative to MEDIA_ROOT; gone afterwards.
        contest: what it contradicts.
        intake: column values of the delivery's row.
        actor: who brought it.
        request: for the audit trail.

    Returns:
        The delivery's row; its `quarantined` is the one of the first time where the same claim
        came again.
    """
    # a picture's stored form is ours; what must be kept is what was sent
    sent = film.sent.path if film.sent.path.exists() else storage.full_path(path)
    kept = ""
    try:
        kept = storage.place(sent, folder="quarantine", suffix=".bin")
        storage.remove(path)
        with transaction.atomic():
            row, created = _row(film, kept, contest)
            delivered = Intake.objects.create(
                **intake,
                outcome=Outcome.QUARANTINED,
                code=contest.code,
                message=contest.message[:300],
                sha256=film.sent.sha256,
                size=film.sent.size,
                quarantined=row,
            )
            audit.record(
                actor=actor,
                verb="quarantined",
                obj=row,
                patient_id=contest.existing.series.study.patient_id,
                request=request,
                detail={"code": contest.code, "image": contest.existing.pk},
            )
    except BaseException:
        storage.remove(path)
        if kept:
            storage.remove(kept)
        raise
    if not created:
        storage.remove(kept)
    log.warning("image_quarantined", quarantined=row.pk, code=contest.code)
    return delivered


def _row(film: Film, path: str, contest: Contest) -> tuple[QuarantinedFile, bool]:
    header = film.inspection.header
    claim = {
        "sha256": film.sent.sha256,
        "claimed_patient": header.patient_id,
        "claimed_serial": header.machine.serial,
    }
    found = QuarantinedFile.objects.filter(**claim).first()
    if found is not None:
        return found, False
    try:
        with transaction.atomic():
            row = QuarantinedFile.objects.create(
                **claim,
                code=contest.code,
                message=contest.message[:300],
                path=path,
                size=film.sent.size,
                existing=contest.existing,
                claimed_sop_uid=header.sop_instance_uid,
            )
    except IntegrityError:  # the same claim at the same moment
        return QuarantinedFile.objects.get(**claim), False
    return row, True


@transaction.atomic
def dismiss(
    *, quarantined_id: int, actor: User, request: HttpRequest | Request | None = None
) -> QuarantinedFile:
    """Say that somebody looked at it: `open` -> `dismissed`. The file stays; twice is once.

    Raises:
        NotFoundError: `quarantined_not_found`.
    """
    row = QuarantinedFile.objects.select_for_update().filter(pk=quarantined_id).first()
    if row is None:
        raise NotFoundError("quarantined_not_found", "There is no such file in quarantine.")
    if row.state == QuarantineState.OPEN:
        row.state = QuarantineState.DISMISSED
        row.decided_by, row.decided_at = actor, timezone.now()
        row.save(update_fields=["state", "decided_by", "decided_at"])
        audit.record(
            actor=actor,
            verb="dismissed",
            obj=row,
            patient_id=row.existing.series.study.patient_id,
            request=request,
            detail={"code": row.code},
        )
    return row
