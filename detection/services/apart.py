"""Reading films apart from the clinicians' pages, when no clinician's film waits.

Readings are done in batches of one version, so that a worker loads a detector once per batch and
holds one at a time (`services.engine`). The row decides, as in `services.execute`: a message may
come twice or never, and a worker may die at any line.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db.models import F, Min, Q, QuerySet
from django.utils import timezone

from detection.detectors.prediction import Box, Detector
from detection.models import (
    DetectionRun,
    DetectorVersion,
    ReadingState,
    RunState,
    VersionReading,
)
from imaging import pixels
from twinhealth.errors import DomainError, UnavailableError

from . import engine

log = structlog.get_logger(__name__)
# boxes of a reading that are kept: what could count at any threshold that is ever chosen
KEEP_FROM = 0.05
KEEP_BOXES = 16
GENERIC_FAILURE = "The reader failed on this film several times."


def read_apart(
    *,
    seconds: float,
    version: DetectorVersion | None = None,
    give_way: bool = True,
    on_read: Callable[[], object] = lambda: None,
) -> int:
    """Read waiting films of one version until none is left or the time is up.

    Args:
        seconds: no film is begun after that long.
        version: of this version; else of the one whose oldest film waits longest.
        give_way: end as soon as a film of a clinician waits or is read.
        on_read: called after each film.

    Returns:
        How many films were read or given up.
    """
    end = time.monotonic() + seconds
    for chosen in [version] if version else _by_age():
        try:
            if give_way and clinicians_wait():
                return 0
            detector = engine.detector_for(chosen)
        except UnavailableError as error:
            # nothing is used up: the readings say what they wait for, another version may go on
            _note_waiting(chosen, error)
            continue
        return _batch(chosen, detector, end=end, give_way=give_way, on_read=on_read)
    return 0


def clinicians_wait() -> bool:
    """Whether a film is being read for a clinician or could be: that one goes first.

    A run with a reason waits for something else (weights that can't be used), not for a worker.
    """
    now = timezone.now()
    return DetectionRun.objects.filter(
        Q(state=RunState.QUEUED, reason_code="") | Q(state=RunState.RUNNING, lease_until__gte=now)
    ).exists()


def waiting(version: DetectorVersion | None = None) -> QuerySet[VersionReading]:
    """Readings that a worker may begin: queued, and nobody's or a dead worker's."""
    free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    found = VersionReading.objects.filter(free, state=ReadingState.QUEUED)
    return found.filter(version=version) if version else found


def _by_age() -> list[DetectorVersion]:
    oldest = waiting().values("version").annotate(since=Min("queued_at")).order_by("since")
    numbers = [row["version"] for row in oldest]
    versions = DetectorVersion.objects.in_bulk(numbers)
    return [versions[number] for number in numbers if number in versions]


def _batch(
    version: DetectorVersion,
    detector: Detector,
    *,
    end: float,
    give_way: bool,
    on_read: Callable[[], object],
) -> int:
    count = 0
    while time.monotonic() < end and not (give_way and clinicians_wait()):
        reading = _claim(version)
        if reading is None:
            break
        _read(reading, detector)
        count += 1
        on_read()
    return count


def _claim(version: DetectorVersion) -> VersionReading | None:
    """The oldest that waits, now under our lease; `None` if there is none."""
    while True:
        oldest = waiting(version).order_by("queued_at", "pk").values_list("pk", flat=True).first()
        if oldest is None:
            return None
        token = str(uuid.uuid4())
        taken = (
            waiting(version)
            .filter(pk=oldest)
            .update(
                lease_token=token,
                lease_until=timezone.now() + timedelta(seconds=settings.RUN_LEASE_SECONDS),
                attempts=F("attempts") + 1,
            )
        )
        if taken:
            held = _held(oldest, token).select_related("image").first()
            if held is not None and held.attempts <= settings.RUN_MAX_ATTEMPTS:
                return held
            _end(oldest, token, ReadingState.FAILED, code="reader_died", why=GENERIC_FAILURE)


def _read(reading: VersionReading, detector: Detector) -> None:
    pk, token = reading.pk, reading.lease_token
    try:
        found = detector.predict(pixels.load(reading.image), min_score=0.0)
    except UnavailableError as error:
        log.warning("reading_apart_interrupted", reading=pk, code=error.code)
        _hand_back(reading)
    except DomainError as error:
        _end(pk, token, ReadingState.FAILED, code=error.code, why=error.message)
    except SoftTimeLimitExceeded:
        _hand_back(reading)
        raise
    except Exception:
        log.exception("reading_apart_broke", reading=pk)
        _hand_back(reading)
    else:
        _end(
            pk,
            token,
            ReadingState.DONE,
            seconds=found.seconds,
            scores=best_scores(found.boxes, reading.version.classes),
            boxes=_kept(found.boxes),
        )


def best_scores(boxes: list[Box], classes: list[str]) -> dict[str, float]:
    """One score per class of a film: that of its best box, 0 without one."""
    return {
        label: round(max((b.score for b in boxes if b.label == label), default=0.0), 5)
        for label in classes
    }


def _kept(boxes: list[Box]) -> list[list[str | float]]:
    best = sorted((b for b in boxes if b.score >= KEEP_FROM), key=lambda b: -b.score)
    return [
        [b.label, round(b.score, 5), *(round(edge, 1) for edge in b[2:])] for b in best[:KEEP_BOXES]
    ]


def _held(pk: int, token: str) -> QuerySet[VersionReading]:
    return VersionReading.objects.filter(pk=pk, lease_token=token, state=ReadingState.QUEUED)


def _end(
    pk: int, token: str, state: ReadingState, *, code: str = "", why: str = "", **said: object
) -> None:
    """From queued with our lease to its end; nothing where the lease was lost."""
    _held(pk, token).update(
        state=state,
        reason_code=code[:64],
        reason=why[:300],
        lease_token="",
        lease_until=None,
        finished_at=timezone.now(),
        **said,
    )


def _hand_back(reading: VersionReading) -> None:
    """Give the lease up; given up for good when no attempt is left."""
    if reading.attempts >= settings.RUN_MAX_ATTEMPTS:
        why = GENERIC_FAILURE
        _end(reading.pk, reading.lease_token, ReadingState.FAILED, code="reader_failed", why=why)
    else:
        # at the end of the line, so that one bad film doesn't hold the others up
        _held(reading.pk, reading.lease_token).update(
            lease_token="", lease_until=None, queued_at=timezone.now()
        )


def _note_waiting(version: DetectorVersion, error: UnavailableError) -> None:
    waiting(version).update(reason_code=error.code[:64], reason=error.message[:300])
