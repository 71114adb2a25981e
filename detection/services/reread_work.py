"""What a mark as degraded sets going: trust of the machine's films, and the list to re-read.

A worker does it in small bites, each a transaction of its own, and looks again at what is left: a
bite that is done twice changes nothing, and one that is lost is found by the next look.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from detection.models import (
    Conclusion,
    DetectionRun,
    ReRead,
    ReReadEvent,
    ReReadList,
    ReReadState,
    ReReadWhy,
    RunState,
)
from devices.models import DegradedSpan
from imaging.models import Image

from . import trust

LISTED = 1_000  # films in one bite of the list


def ensure_list(*, span: DegradedSpan) -> ReReadList:
    """The list of a mark, empty at first."""
    return ReReadList.objects.get_or_create(span=span)[0]


def work_lists(*, seconds: float, now: datetime | None = None) -> bool:
    """Bring trust and lists of every mark up to what is known now, for at most so many seconds.

    First what somebody is about to read, then the lists, then the films that were read long ago.

    Returns:
        Whether something is left.
    """
    now = now or timezone.now()
    stop = time.monotonic() + seconds
    for span in DegradedSpan.objects.filter(re_read_list=None):
        ensure_list(span=span)
    return any(time.monotonic() > stop for _ in _bites(now))


def _bites(now: datetime) -> Iterator[None]:
    lists = ReReadList.objects.select_related("span").order_by("pk")
    unsettled = list(lists.filter(settled_steps__lt=F("span__steps")))
    for found in unsettled:
        yield from _trust_bites(found, Q(image__signature=None), now)
    for found in lists.filter(span__withdrawn_at=None):
        yield from list_bites(found)
    for found in unsettled:
        yield from _trust_bites(found, Q(), now)
        # a run that ended while the mark was made may not know it yet: look again later
        if now > found.span.changed_at + trust.CURSOR_LAG:
            ReReadList.objects.filter(pk=found.pk, settled_steps__lt=found.span.steps).update(
                settled_steps=found.span.steps
            )


def concerned(span: DegradedSpan) -> Q:
    """Films of the machine in the span, as a condition on `Image`."""
    within = Q(device=span.device_id, acquired_at__gte=span.since)
    return within if span.until is None else within & Q(acquired_at__lt=span.until)


def at_stake() -> Q:
    """Signed films with a finding, and those that were signed as normal; on `Image`."""
    said = [Conclusion.NORMAL, Conclusion.ABNORMAL]
    return Q(signature__isnull=False) & (
        Q(signature__conclusion__in=said) | Q(worklist_item__flagged=True)
    )


def _trust_bites(found: ReReadList, which: Q, now: datetime) -> Iterator[None]:
    """Those of the runs whose trust was reckoned before the mark's last step, bite by bite."""
    span = found.span
    runs = DetectionRun.objects.filter(
        which,
        state=RunState.DONE,
        image__device=span.device_id,
        image__acquired_at__gte=span.since,
        trust_at__lte=span.changed_at + trust.COMMIT_SLACK,
    ).filter(trust_at__lt=now - trust.COMMIT_SLACK)
    if span.until is not None and span.ended_at is None:  # over from the first: none after it
        runs = runs.filter(image__acquired_at__lt=span.until)
    after = Q()
    ordered = runs.select_related("image__device__model").order_by("image__acquired_at", "pk")
    while bite := list(ordered.filter(after)[: trust.BATCH]):
        trust.reckon(bite)
        last = bite[-1]
        after = Q(image__acquired_at__gt=last.image.acquired_at) | Q(
            image__acquired_at=last.image.acquired_at, pk__gt=last.pk
        )
        yield


def list_bites(found: ReReadList) -> Iterator[None]:
    """Films that belong on the list and aren't there; those behind a later end leave it."""
    after = Q()  # what was listed a moment ago needn't be looked through again
    while missing := list(_missing(found).filter(after)[:LISTED]):
        now = timezone.now()
        ReRead.objects.bulk_create(
            (
                ReRead(
                    list=found,
                    image=image,
                    why=_why(image),
                    exposed_at=image.acquired_at,
                    signed_at=image.signature.at,
                    listed_at=now,
                )
                for image in missing
            ),
            ignore_conflicts=True,  # another worker was first
        )
        last = missing[-1]
        after = Q(acquired_at__gt=last.acquired_at) | Q(
            acquired_at=last.acquired_at, pk__gt=last.pk
        )
        yield
    while _drop(found):
        yield
    ReReadList.objects.filter(pk=found.pk).update(filled_at=timezone.now())


def _missing(found: ReReadList) -> QuerySet[Image]:
    there = ReRead.objects.filter(list=found, image=OuterRef("pk"))
    return (
        Image.objects.filter(concerned(found.span), at_stake())
        .filter(~Exists(there))
        .select_related("signature")
        .only("acquired_at", "signature__at", "signature__conclusion")
        .order_by("acquired_at", "pk")
    )


def _why(image: Image) -> ReReadWhy:
    normal = image.signature.conclusion == Conclusion.NORMAL
    return ReReadWhy.NEGATIVE if normal else ReReadWhy.FINDING


@transaction.atomic
def _drop(found: ReReadList) -> int:
    """Films that nobody has done and that lie behind the end; how many."""
    if found.span.until is None:
        return 0
    waiting = [ReReadState.OPEN, ReReadState.ASSIGNED]
    behind = ReRead.objects.filter(
        list=found, exposed_at__gte=found.span.until, state__in=waiting
    ).select_for_update(no_key=True)
    keys = list(behind.order_by("pk").values_list("pk", flat=True)[:LISTED])
    ReRead.objects.filter(pk__in=keys).update(state=ReReadState.DROPPED)
    text = "The machine was good again before this exposure."
    ReReadEvent.objects.bulk_create(
        ReReadEvent(item_id=pk, at=timezone.now(), verb="dropped", text=text) for pk in keys
    )
    return len(keys)
