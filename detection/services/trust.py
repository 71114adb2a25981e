"""How far a film's machine was to be trusted at the exposure: kept on the run, changes recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Min, Q, QuerySet
from django.utils import timezone

from detection.models import DetectionRun, RunState, Trust, TrustCause, TrustChange, TrustCursor
from devices.models import DegradedSpan, Device, Reading
from devices.selectors import health_at
from devices.selectors.degraded import marks_at, standing
from devices.selectors.reach import reach
from devices.selectors.retention import SAFE, floors
from devices.services import rule_states
from devices.trust import device_trust, remembered
from imaging.models import Image

from .worklist import refresh_items

BATCH = 200
# a reading is stamped before its transaction commits; twice that long counts as late
COMMIT_SLACK = timedelta(seconds=10)
CURSOR_LAG = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class TrustFacts:
    """What is stored on a run.

    Attributes:
        level: `full`, `reduced` or `unknown`.
        reasons: JSON-safe, as `devices.trust.Trust` has them.
        device_id: whose twin it was taken from.
        at: when.
    """

    level: str
    reasons: list[dict[str, Any]]
    device_id: int | None
    at: datetime

    def as_fields(self) -> dict[str, Any]:
        """Column values of `DetectionRun`."""
        return {
            "device_trust": self.level,
            "trust_reasons": self.reasons,
            "trust_device_id": self.device_id,
            "trust_at": self.at,
        }


def catch_up(images: Iterable[Image]) -> None:
    """Have the machines' kept rules know every reading; call it outside of any transaction.

    The worker of the rules may not have looked yet, and never looks at retired machines.
    """
    ids = {image.device_id for image in images if image.device_id is not None}
    if ids:
        rule_states.catch_up(device_ids=ids, now=timezone.now())


def trust_of(image: Image, spans: Sequence[DegradedSpan] | None = None) -> TrustFacts:
    """Trust in the image's machine as of its exposure, from the twin as it is known now.

    `spans` are the machine's standing marks as degraded, where the caller has them at hand.
    """
    now = timezone.now()
    device = image.device
    if device is None:
        return TrustFacts(device_trust(None).level, [], None, now)
    if spans is None:
        spans = standing(device.pk)
    health = health_at(device, image.acquired_at)
    trust = device_trust(health, marks_at(spans, image.acquired_at))
    return TrustFacts(trust.level, list(trust.reasons), device.pk, now)


def refresh_trust(
    *,
    image_ids: Iterable[int] | None = None,
    device: Device | None = None,
    since: datetime | None = None,
) -> int:
    """Compute trust again for the finished runs of some films.

    Args:
        image_ids: these films.
        device: the films of this machine.
        since: with `device`: exposures from then on.

    Returns:
        How many runs now say something else.
    """
    runs = DetectionRun.objects.filter(state=RunState.DONE)
    if image_ids is not None:
        runs = runs.filter(image_id__in=list(image_ids))
    if device is not None:
        runs = runs.filter(image__device=device)
    if since is not None:
        runs = runs.filter(image__acquired_at__gte=since)
    return reckon(with_image(runs))


def refresh_late_trust(*, now: datetime | None = None) -> int:
    """Look for readings that came after trust was computed, and for machines known since.

    Only exposures that such a reading can say something of are looked at (`devices.selectors
    .reach`). Bounded: at most `BATCH` runs a call; what is left is found by the next one, because
    the cursor moves only when nothing is left.

    Returns:
        How many runs were looked at again.
    """
    now = now or timezone.now()
    TrustCursor.objects.get_or_create(pk=1)
    cursor = TrustCursor.objects.get(pk=1)
    unlinked = DetectionRun.objects.filter(
        state=RunState.DONE, trust_device=None, image__device__isnull=False
    )
    todo = {run.pk: run for run in with_image(unlinked)[:BATCH]}
    late = Reading.objects.filter(pk__gt=cursor.last_reading_id)
    ranges = late.values("device_id").annotate(
        measured=Min("measured_at"), received=Max("received_at")
    )
    for found in ranges.order_by("device_id"):
        if len(todo) >= BATCH:
            break
        stale = DetectionRun.objects.filter(
            state=RunState.DONE,
            image__device_id=found["device_id"],
            image__acquired_at__gte=found["measured"],
            trust_at__lte=found["received"] + COMMIT_SLACK,
        ).filter(trust_at__lt=now - COMMIT_SLACK)
        if not stale.exists():  # most of the time: what follows costs a query for each metric
            continue
        spans = reach(late.filter(device_id=found["device_id"]))
        touched = Q(pk__in=[])
        for start, end in spans:
            touched |= Q(image__acquired_at__gte=start, image__acquired_at__lt=end)
        todo |= {run.pk: run for run in with_image(stale.filter(touched))[: BATCH - len(todo)]}
    reckon(todo.values())
    if len(todo) < BATCH:
        # readings with a lower number may still be on their way: look at the last ones again
        settled = late.filter(received_at__lt=now - CURSOR_LAG).aggregate(Max("pk"))["pk__max"]
        if settled:
            TrustCursor.objects.filter(pk=1, last_reading_id__lt=settled).update(
                last_reading_id=settled
            )
    return len(todo)


def reckon(runs: Iterable[DetectionRun]) -> int:
    """Compute trust of finished runs again, each change a row; in one transaction for `BATCH`.

    A run whose trust somebody computed after this began is left alone. Runs come with image and
    device joined (`with_image`).

    Returns:
        How many runs now say something else.
    """
    changed, rest = 0, list(runs)
    while rest:
        bite, rest = rest[:BATCH], rest[BATCH:]
        changed += _reckon(bite)
    return changed


def _remembered(run: DetectionRun, spans: Sequence[DegradedSpan], now: datetime) -> TrustFacts:
    """Trust where the readings of then are deleted: what they said stands as it was found."""
    level = str(run.device_trust)
    if any(reason.get("span") for reason in run.trust_reasons):
        # what it was before the first of the marks that stand now
        told = run.trust_changes.exclude(was=Trust.REDUCED).order_by("-at", "-pk")
        level = told.values_list("was", flat=True).first() or Trust.UNKNOWN
    trust = remembered(level, run.trust_reasons, marks_at(spans, run.image.acquired_at))
    return TrustFacts(trust.level, list(trust.reasons), run.trust_device_id, now)


def _facts(run: DetectionRun, spans: Sequence[DegradedSpan], kept: datetime | None) -> TrustFacts:
    image = run.image
    known = image.device_id is not None and run.trust_device_id == image.device_id
    if known and kept is not None and image.acquired_at < kept:
        return _remembered(run, spans, timezone.now())
    return trust_of(image, spans)


def _reckon(runs: list[DetectionRun]) -> int:
    catch_up(run.image for run in runs)
    began = timezone.now()
    kept = None
    if any(run.image.acquired_at < began - SAFE for run in runs):
        kept = floors().raw
    spans: dict[int, list[DegradedSpan]] = {}
    facts: dict[int, TrustFacts] = {}
    for run in runs:
        device_id = run.image.device_id
        if device_id is not None and device_id not in spans:
            spans[device_id] = standing(device_id)
        facts[run.pk] = _facts(run, spans.get(device_id or 0, []), kept)
    with transaction.atomic():
        mine = DetectionRun.objects.select_for_update(no_key=True).filter(
            Q(trust_at=None) | Q(trust_at__lte=began), pk__in=facts, state=RunState.DONE
        )
        held = list(mine.order_by("pk"))
        told, same, changes = [], [], []
        for run in held:
            found = facts[run.pk]
            was = (run.device_trust, run.trust_reasons, run.trust_device_id)
            if was == (found.level, found.reasons, found.device_id):
                same.append(run.pk)
                continue
            change = _change(run, found, began)
            changes += [change] if change else []
            for name, value in found.as_fields().items():
                setattr(run, name, value)
            run.trust_at = began
            told.append(run)
        DetectionRun.objects.filter(pk__in=same).update(trust_at=began)
        DetectionRun.objects.bulk_update(
            told, ["device_trust", "trust_reasons", "trust_device", "trust_at"], batch_size=100
        )
        TrustChange.objects.bulk_create(changes)
        if told:
            refresh_items(image_ids=[run.image_id for run in told])
    return len(told)


def _keys(reasons: Iterable[dict[str, Any]]) -> set[tuple[str, int | None]]:
    return {(r["rule"], r.get("span")) for r in reasons}


def _change(run: DetectionRun, found: TrustFacts, at: datetime) -> TrustChange | None:
    """The row for a run that still holds what it said; `None` where only words differ."""
    before, after = _keys(run.trust_reasons), _keys(found.reasons)
    if (run.device_trust, before) == (found.level, after):
        return None
    span, because = None, TrustCause.READINGS
    marks = [(pk, pk in after_marks) for pk, after_marks in _marks(before, after)]
    if marks:
        pk, now_there = marks[0]
        span = DegradedSpan.objects.get(pk=pk)
        because = TrustCause.DEGRADED if now_there else _gone(span)
    elif run.trust_device_id is None:
        because = TrustCause.MACHINE
    return TrustChange(
        run=run,
        was=run.device_trust,
        level=found.level,
        reasons=found.reasons,
        because=because,
        span=span,
        at=at,
    )


def _marks(
    before: set[tuple[str, int | None]], after: set[tuple[str, int | None]]
) -> list[tuple[int, set[int]]]:
    """Marks that came or went, the newest first, each with those that stand now."""
    old = {pk for _, pk in before if pk is not None}
    new = {pk for _, pk in after if pk is not None}
    return [(pk, new) for pk in sorted(old ^ new, reverse=True)]


def _gone(span: DegradedSpan) -> TrustCause:
    return TrustCause.WITHDRAWN if span.withdrawn_at else TrustCause.ENDED


def with_image(runs: QuerySet[DetectionRun]) -> QuerySet[DetectionRun]:
    """Runs as `reckon` takes them, in their order."""
    return runs.select_related("image__device__model").order_by(F("pk"))
