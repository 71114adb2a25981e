"""Bringing lost work back: the rows know what is due, whatever became of the messages."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from detection.models import DetectionRun, RunState, WorklistItem

from .execute import GENERIC_FAILURE
from .runs import ensure_run
from .states import Step, take
from .which import active_version
from .worklist import refresh_items

log = structlog.get_logger(__name__)
BATCH = 100


def requeue_lost_runs(*, now: datetime | None = None) -> list[int]:
    """Find runs that nobody will read unless they are sent again, at most `BATCH` of each kind.

    - running with an expired lease (the worker died): `queued` again, or `failed` if no attempt
      is left;
    - queued, sent a while ago, and overtaken by later ones or with no worker starting anything
      (the message is lost);
    - films without any run (they came before a version was active).

    Each is marked as sent by compare-and-swap before it is returned, so two beats send it once.

    Returns:
        Numbers of the runs to send now.
    """
    now = now or timezone.now()
    found = [*_expired(now), *_unsent(now), *_missing()]
    if found:
        log.warning("runs_sent_again", count=len(found))
    return found


def _expired(now: datetime) -> list[int]:
    again = []
    expired = DetectionRun.objects.filter(state=RunState.RUNNING, lease_until__lt=now)
    for run in expired.order_by("lease_until")[:BATCH]:
        held = DetectionRun.objects.filter(pk=run.pk, lease_token=run.lease_token)
        with transaction.atomic():
            if run.attempts < settings.RUN_MAX_ATTEMPTS:
                if take(held, Step.PUT_BACK, sent_at=now):
                    again.append(run.pk)
            elif take(
                held,
                Step.FAIL,
                reason_code="reader_died",
                reason=GENERIC_FAILURE,
                finished_at=now,
            ):
                log.error("run_failed", run_id=run.pk, why="the worker died each time")
            refresh_items(image_ids=[run.image_id])
    return again


def _unsent(now: datetime) -> list[int]:
    """Queued runs whose message is gone, as far as rows can tell.

    Workers take messages in the order of sending. While they start runs, a run that was sent
    after all of those is still in the line, and sending it again would only make the line longer.
    """
    late = now - timedelta(seconds=settings.RUN_RESEND_SECONDS)
    queued = DetectionRun.objects.filter(state=RunState.QUEUED, sent_at__lt=late)
    started = DetectionRun.objects.filter(started_at__gte=late)
    frontier = started.aggregate(Max("sent_at"))["sent_at__max"]
    if frontier is not None:
        queued = queued.filter(sent_at__lt=frontier)
    again = []
    for pk, sent_at in queued.order_by("sent_at", "pk").values_list("pk", "sent_at")[:BATCH]:
        same = DetectionRun.objects.filter(pk=pk, sent_at=sent_at, state=RunState.QUEUED)
        if same.update(sent_at=now):
            again.append(pk)
    return again


def _missing() -> list[int]:
    if active_version() is None:
        return []
    made = []
    items = WorklistItem.objects.filter(Q(run=None)).select_related("image")
    for item in items.order_by("pk")[:BATCH]:
        run, created = ensure_run(image=item.image)
        if run and created and run.state == RunState.QUEUED:
            made.append(run.pk)
    return made
