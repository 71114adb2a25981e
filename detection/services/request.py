"""Asking for a film to be read: the row in the same transaction, the message after its commit."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection import blinding, room
from detection.models import DetectionRun, RunState
from detection.tasks import execute_run_task
from imaging.models import Image
from twinhealth.errors import ConflictError, NotFoundError

from .claims import lock_film, refuse_claimed_by_another, refuse_signed
from .runs import ensure_run
from .states import Step, take, target
from .worklist import refresh_items


def request_run(*, image: Image) -> DetectionRun | None:
    """Have the active version read an image; asking twice gives the same run.

    A film that can't be shown is `refused` at once with the reason. While no version is active
    the film waits in the worklist, and beat makes its run when there is one. A queue that is away
    at the commit costs time, not the film: beat sends the run again.
    """
    with transaction.atomic():
        run, created = ensure_run(image=image)
        if run is not None and created and run.state == RunState.QUEUED:
            execute_run_task.delay_on_commit(run.pk)  # type: ignore[attr-defined]
        return run


def retry_run(*, run_id: int, user: User, request: HttpRequest | None = None) -> DetectionRun:
    """From `failed` to `queued` with all attempts again, because a person asks.

    Raises:
        NotFoundError: `no_such_run`.
        ConflictError: `bad_transition`, if the run hasn't failed; `first_impression_missing` of a
            reader who must not know yet.
    """
    now = timezone.now()
    with transaction.atomic():
        run = DetectionRun.objects.select_related("image__series__study").filter(pk=run_id).first()
        if run is None:
            raise NotFoundError("no_such_run", "There is no such run.", run=run_id)
        blinding.refuse_hidden(run.image_id, user)
        target(run.state, Step.RETRY)
        if take(
            DetectionRun.objects.filter(pk=run_id),
            Step.RETRY,
            attempts=0,
            sent_at=now,
            finished_at=None,
            reason_code="",
            reason="",
        ):
            audit.record(
                actor=user,
                verb="retried",
                obj=run,
                patient_id=run.image.series.study.patient_id,
                request=request,
            )
            refresh_items(image_ids=[run.image_id])
            execute_run_task.delay_on_commit(run.pk)  # type: ignore[attr-defined]
        run.refresh_from_db()
        return run


def read_anyway(*, run_id: int, user: User, request: HttpRequest | None = None) -> DetectionRun:
    """From `refused` by the image gate to `queued`, because a person says that the film is fine.

    What the gate said stays on the run, and later versions read the film without asking again.

    Raises:
        NotFoundError: `no_such_run`.
        ConflictError: `bad_transition`, if the run isn't refused; `not_gated`, if it was refused
            for another reason, which no wish can change; `signed`, or `claimed` by another reader;
            `first_impression_missing` of a reader who must not know yet.
    """
    now = timezone.now()
    with transaction.atomic():
        run = DetectionRun.objects.filter(pk=run_id).first()
        if run is None:
            raise NotFoundError("no_such_run", "There is no such run.", run=run_id)
        image = lock_film(run.image_id)
        blinding.refuse_hidden(image.pk, user)
        run.refresh_from_db()
        target(run.state, Step.READ_ANYWAY)
        if not run.refused_by_gate:
            raise ConflictError(
                "not_gated", "The image gate didn't refuse this film; it can't be read.", run=run_id
            )
        refuse_signed(image)
        room.refuse_reader(image, user)
        refuse_claimed_by_another(image, user)
        take(
            DetectionRun.objects.filter(pk=run_id),
            Step.READ_ANYWAY,
            attempts=0,
            sent_at=now,
            finished_at=None,
            reason_code="",
            reason="",
            read_anyway_at=now,
            read_anyway_by=user,
        )
        audit.record(
            actor=user,
            verb="overruled_gate",
            obj=run,
            patient_id=image.series.study.patient_id,
            request=request,
            detail={"code": run.gate_code},
        )
        refresh_items(image_ids=[run.image_id])
        execute_run_task.delay_on_commit(run.pk)  # type: ignore[attr-defined]
        run.refresh_from_db()
        return run
