"""Asking for a film to be read: the row in the same transaction, the message after its commit."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.models import DetectionRun, RunState
from detection.tasks import execute_run_task
from imaging.models import Image
from twinhealth.errors import NotFoundError

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
        ConflictError: `bad_transition`, if the run hasn't failed.
    """
    now = timezone.now()
    with transaction.atomic():
        run = DetectionRun.objects.select_related("image__series__study").filter(pk=run_id).first()
        if run is None:
            raise NotFoundError("no_such_run", "There is no such run.", run=run_id)
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
