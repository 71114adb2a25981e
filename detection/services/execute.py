"""Reading one film: claim with a lease, predict outside any transaction, store in one.

The row decides. A message may come twice, late or never, a worker may die at any line: a run ends
`done` once, with one set of findings, because each step is a compare-and-swap on the row.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from detection import gate
from detection.detectors.prediction import Detector, Prediction
from detection.models import DetectionRun, Finding, RunState, WorklistItem
from imaging import pixels
from imaging.frame import Frame
from imaging.models import Image
from twinhealth.errors import DomainError, UnavailableError

from . import engine
from .states import Step, take
from .trust import catch_up, trust_of
from .worklist import refresh_items

log = structlog.get_logger(__name__)
GENERIC_FAILURE = "The reader failed on this film several times. It waits for a person."


def execute_run(*, run_id: int) -> bool:
    """Read a film whose run is queued, or running with an expired lease.

    From `queued` (or a dead worker's `running`) to `done`, `refused` (the film can't be read, or
    the image gate says that the detector shouldn't: the reason is for a person), or back to
    `queued` and, after `RUN_MAX_ATTEMPTS`, `failed` (our fault: the reason is generic and the
    traceback in the log). A run that another worker holds or that has ended is left alone, so a
    message that comes twice does nothing.

    Returns:
        True if this call ended the run as `done`.
    """
    structlog.contextvars.bind_contextvars(run_id=run_id)
    run = _readable().select_related("version").filter(pk=run_id).first()
    if run is None:
        return False
    # before the claim: loading takes seconds that the lease shouldn't pay for, and a broken
    # weights file must not use up the run's attempts
    try:
        detector = engine.detector_for(run.version)
    except UnavailableError as error:
        _note_waiting(run_id, error)
        return False
    token = _claim(run_id)
    if token is None:
        log.info("run_taken_by_another")
        return False
    try:
        return _read(run_id, token, detector)
    except UnavailableError as error:
        log.warning("run_interrupted", code=error.code)
        _hand_back(run_id, token)
    except DomainError as error:
        log.info("run_refused", code=error.code)
        _refuse(run_id, token, code=error.code, reason=error.message)
    except SoftTimeLimitExceeded:
        log.exception("run_too_slow")
        _hand_back(run_id, token)
    except Exception:
        log.exception("run_broke")
        _hand_back(run_id, token)
    return False


def _readable() -> QuerySet[DetectionRun]:
    expired = Q(state=RunState.RUNNING, lease_until__lt=timezone.now())
    return DetectionRun.objects.filter(
        Q(state=RunState.QUEUED) | expired, attempts__lt=settings.RUN_MAX_ATTEMPTS
    )


def _claim(run_id: int) -> str | None:
    """From `queued` or a dead worker's `running` to `running`; the token proves whose it is."""
    now = timezone.now()
    token = str(uuid.uuid4())
    taken = take(
        _readable().filter(pk=run_id),
        Step.CLAIM,
        lease_token=token,
        lease_until=now + timedelta(seconds=settings.RUN_LEASE_SECONDS),
        attempts=F("attempts") + 1,
        started_at=now,
        reason_code="",
        reason="",
    )
    if taken:
        WorklistItem.objects.filter(run_id=run_id).update(run_state=RunState.RUNNING)
    return token if taken else None


def _held(run_id: int, token: str) -> QuerySet[DetectionRun]:
    return DetectionRun.objects.filter(pk=run_id, lease_token=token)


def _read(run_id: int, token: str, detector: Detector) -> bool:
    related = ("image__device__model", "image__series", "version")
    run = DetectionRun.objects.select_related(*related).get(pk=run_id)
    frame = pixels.load(run.image)
    refusal = _gated(run, frame)
    if refusal is not None:
        log.info("run_gated", code=refusal.code)
        _refuse(run_id, token, code=refusal.code, reason=refusal.reason, gated=run.image)
        return False
    thresholds = run.version.thresholds  # the row's, which a promotion may have chosen anew
    found = detector.predict(frame, min_score=min(thresholds.values()))
    boxes = [box for box in found.boxes if box.score >= thresholds[box.label]]
    return _finish(run, token, Prediction(boxes, found.seconds))


def _gated(run: DetectionRun, frame: Frame) -> gate.Refusal | None:
    """Why the detector shouldn't read this film, unless a person said that it should."""
    if not settings.IMAGE_GATE:
        return None
    said = gate.Said(run.image.view_position, run.image.series.body_part)
    refusal = gate.decide(frame, said)
    overruled = DetectionRun.objects.filter(image=run.image_id, read_anyway_at__isnull=False)
    return None if refusal is None or overruled.exists() else refusal


def _finish(run: DetectionRun, token: str, prediction: Prediction) -> bool:
    """From `running` with our lease to `done`, findings and trust included, or not at all."""
    catch_up([run.image])
    with transaction.atomic():
        won = take(
            _held(run.pk, token),
            Step.FINISH,
            finished_at=timezone.now(),
            seconds=prediction.seconds,
            thresholds=run.version.thresholds,
            **trust_of(run.image).as_fields(),
        )
        if not won:
            log.warning("run_result_dropped", why="the lease was lost")
            return False
        Finding.objects.bulk_create(
            Finding(run=run, label=b.label, score=b.score, x=b.x, y=b.y, w=b.w, h=b.h)
            for b in prediction.boxes
        )
        refresh_items(image_ids=[run.image_id])
    log.info("run_done", findings=len(prediction.boxes), seconds=round(prediction.seconds, 3))
    return True


def _refuse(run_id: int, token: str, *, code: str, reason: str, gated: Image | None = None) -> None:
    """From `running` with our lease to `refused`, with the reason for a person.

    A film that the gate refused (`gated`) is a picture of the machine all the same: it keeps what
    the gate said, and how far the machine was to be trusted.
    """
    now = timezone.now()
    code, reason = code[:64], reason[:300]
    with transaction.atomic():
        more: dict[str, Any] = {}
        if gated is not None:
            more = {"gate_code": code, "gate_reason": reason, "gate_at": now}
            more |= trust_of(gated).as_fields()
        if take(
            _held(run_id, token),
            Step.REFUSE,
            reason_code=code,
            reason=reason,
            finished_at=now,
            **more,
        ):
            refresh_items(image_ids=_image_of(run_id))


def _hand_back(run_id: int, token: str) -> None:
    """From `running` with our lease to `queued`, or to `failed` if no attempt is left."""
    now = timezone.now()
    held = _held(run_id, token)
    with transaction.atomic():
        # not sent here: beat sends it after a while, which is all the back-off that is needed
        again = take(
            held.filter(attempts__lt=settings.RUN_MAX_ATTEMPTS), Step.PUT_BACK, sent_at=now
        )
        ended = again or take(
            held,
            Step.FAIL,
            reason_code="reader_failed",
            reason=GENERIC_FAILURE,
            finished_at=now,
        )
        if ended:
            refresh_items(image_ids=_image_of(run_id))


def _note_waiting(run_id: int, error: UnavailableError) -> None:
    """Say on a queued run what it waits for; beat sends it again."""
    DetectionRun.objects.filter(pk=run_id, state=RunState.QUEUED).update(
        reason_code=error.code[:64], reason=error.message[:300]
    )


def _image_of(run_id: int) -> list[int]:
    return list(DetectionRun.objects.filter(pk=run_id).values_list("image_id", flat=True))
