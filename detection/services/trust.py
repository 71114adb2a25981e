"""How far a film's machine was to be trusted at the exposure, kept on the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Min, Q, QuerySet
from django.utils import timezone

from detection.models import DetectionRun, RunState, TrustCursor
from devices.models import Device, Reading
from devices.selectors import health_at
from devices.trust import device_trust
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
        reasons: JSON-safe `{"rule", "state", "text", "since"}` of the failing checks.
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


def trust_of(image: Image) -> TrustFacts:
    """Trust in the image's machine as of its exposure, from the twin as it is known now."""
    now = timezone.now()
    device = image.device
    health = health_at(device, image.acquired_at) if device else None
    trust = device_trust(health)
    return TrustFacts(trust.level, list(trust.reasons), device.pk if device else None, now)


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
    return sum(_refresh(run) for run in _with_image(runs))


def refresh_late_trust(*, now: datetime | None = None) -> int:
    """Look for readings that came after trust was computed, and for machines known since.

    Bounded: at most `BATCH` runs a call; what is left is found by the next one, because the cursor
    moves only when nothing is left.

    Returns:
        How many runs were looked at again.
    """
    now = now or timezone.now()
    TrustCursor.objects.get_or_create(pk=1)
    cursor = TrustCursor.objects.get(pk=1)
    unlinked = DetectionRun.objects.filter(
        state=RunState.DONE, trust_device=None, image__device__isnull=False
    )
    todo = {run.pk: run for run in _with_image(unlinked)[:BATCH]}
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
        todo |= {run.pk: run for run in _with_image(stale)[: BATCH - len(todo)]}
    for run in todo.values():
        _refresh(run)
    if len(todo) < BATCH:
        # readings with a lower number may still be on their way: look at the last ones again
        settled = late.filter(received_at__lt=now - CURSOR_LAG).aggregate(Max("pk"))["pk__max"]
        if settled:
            TrustCursor.objects.filter(pk=1, last_reading_id__lt=settled).update(
                last_reading_id=settled
            )
    return len(todo)


def _refresh(run: DetectionRun) -> bool:
    facts = trust_of(run.image)
    with transaction.atomic():
        mine = DetectionRun.objects.filter(pk=run.pk, state=RunState.DONE)
        said = mine.filter(Q(trust_at=None) | Q(trust_at__lte=facts.at))
        if not said.update(**facts.as_fields()):
            return False  # somebody computed it later than we did
        changed = (run.device_trust, run.trust_reasons) != (facts.level, facts.reasons)
        if changed:
            refresh_items(image_ids=[run.image_id])
        return changed


def _with_image(runs: QuerySet[DetectionRun]) -> QuerySet[DetectionRun]:
    return runs.select_related("image__device__model").order_by(F("pk"))
