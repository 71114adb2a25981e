"""A machine is marked as degraded since a moment; the mark ends, or is withdrawn. None is erased.

Every step takes the twin's lock, so of two people who press at once one is told what the other did.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import Alert, DegradedSource, DegradedSpan, Device, Reading
from devices.models.device import Lifecycle
from devices.models.twin import EventKind
from devices.plain_text import clean
from devices.projection import iso
from devices.signals import degraded_changed
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from . import AnyRequest
from .events import append, lock_twin

MAX_REASON = 300


def get(*, device_id: int, span_id: int) -> DegradedSpan:
    """One span of a machine.

    Raises:
        NotFoundError: `no_such_span`.
    """
    found = DegradedSpan.objects.select_related("device", "by", "alert").filter(
        pk=span_id, device=device_id
    )
    span = found.first()
    if span is None:
        raise NotFoundError("no_such_span", "This machine has no such mark.")
    return span


def earliest(device: Device) -> datetime:
    """The first moment since which anything is known of a machine: registration or a reading.

    A film brings readings at its exposure, so this lies at or before the oldest film.
    """
    first = Reading.objects.filter(device=device).aggregate(first=Min("measured_at"))["first"]
    return min(device.registered_at, first) if first else device.registered_at


@transaction.atomic
def mark(
    *,
    device: Device,
    since: datetime,
    reason: str,
    actor: User | None,
    until: datetime | None = None,
    alert: Alert | None = None,
    request: AnyRequest | None = None,
) -> tuple[DegradedSpan, bool]:
    """Say that a machine's pictures are to be doubted from `since` on.

    Args:
        device: which machine.
        since: first moment.
        reason: why, at most 300 characters.
        actor: who says so; `None` for a rule.
        until: where it is over already; left out while it lasts.
        alert: the alert that a person marks from; the one by which a rule marks.
        request: for the audit trail.

    Returns:
        The span, and whether this call made it: the same person's same words again make none.

    Raises:
        InvalidInputError: `reason_missing`, `reason_too_long`, `in_future`, `before_known` (nothing
            is known of the machine so early), `ends_before_start`, `alert_of_another_device`.
        ConflictError: `degraded_overlap`, with the other span and, where `since` lies before it,
            the `until` with which the earlier part can be marked; `device_retired` without `until`.
    """
    reason = clean(reason, field="reason", limit=MAX_REASON)
    now = timezone.now()
    lock_twin(device.pk)
    device = Device.objects.get(pk=device.pk)
    again = DegradedSpan.objects.filter(
        device=device, since=since, until=until, reason=reason, by=actor, withdrawn_at=None
    ).first()
    if again is not None:
        return again, False
    _check(device, since, until, now)
    if alert is not None and alert.device_id != device.pk:
        raise InvalidInputError("alert_of_another_device", "This alert is of another machine.")
    source = DegradedSource.PERSON if actor else DegradedSource.ALERT
    span = DegradedSpan.objects.create(
        device=device,
        since=since,
        until=until,
        reason=reason,
        source=source,
        alert=alert,
        by=actor,
        at=now,
        changed_at=now,
    )
    payload = {
        "since": iso(since),
        "until": iso(until) if until else None,
        "reason": reason,
        "source": source.value,
        "alert_id": alert.pk if alert else None,
    }
    _tell(span, EventKind.DEGRADED, payload, actor, request)
    return span, True


def mark_by_alert(*, alert: Alert) -> DegradedSpan | None:
    """Mark the alert's machine since the first reading outside the limits, as its rule wants.

    `None` where the rule marks nothing, or where a mark that lasts says so already. Of a time that
    is marked only the rest is: from the end of the last mark on.
    """
    if not alert.rule.marks_degraded:
        return None
    with transaction.atomic():
        lock_twin(alert.device_id)
        standing = DegradedSpan.objects.filter(device=alert.device_id, withdrawn_at=None)
        if standing.filter(until=None).exists():
            return None
        since = alert.since
        last = standing.filter(until__gt=since).order_by("-until").first()
        if last is not None and last.until is not None:
            since = last.until
        return mark(
            device=alert.device,
            since=since,
            reason=f"{alert.rule.name}: {alert.message}"[:MAX_REASON],
            actor=None,
            alert=alert,
        )[0]


@transaction.atomic
def end(
    *,
    span: DegradedSpan,
    reason: str,
    actor: User,
    until: datetime | None = None,
    request: AnyRequest | None = None,
) -> DegradedSpan:
    """The machine is good again: films from `until` (now unless told) on aren't doubted.

    Raises:
        InvalidInputError: `reason_missing`, `in_future`, `ends_before_start`.
        ConflictError: `degraded_ended`, `degraded_withdrawn`.
    """
    reason = clean(reason, field="reason", limit=MAX_REASON)
    now = timezone.now()
    until = until or now
    span = _standing(span)
    if span.until is not None:
        raise ConflictError("degraded_ended", "This mark has its end already.", span=span.pk)
    if until > now:
        raise InvalidInputError("in_future", "End it when the machine is good again.")
    _check_order(span.since, until)
    span.until = until
    span.ended_at, span.ended_by, span.end_reason = now, actor, reason
    _step(span, now)
    _tell(span, EventKind.DEGRADED_ENDED, {"until": iso(until), "reason": reason}, actor, request)
    return span


@transaction.atomic
def withdraw(
    *, span: DegradedSpan, reason: str, actor: User, request: AnyRequest | None = None
) -> DegradedSpan:
    """The mark was a mistake: it counts for nothing any more, and stays to be read.

    Raises:
        InvalidInputError: `reason_missing`.
        ConflictError: `degraded_withdrawn`.
    """
    reason = clean(reason, field="reason", limit=MAX_REASON)
    now = timezone.now()
    span = _standing(span)
    span.withdrawn_at, span.withdrawn_by, span.withdraw_reason = now, actor, reason
    _step(span, now)
    _tell(span, EventKind.DEGRADED_WITHDRAWN, {"reason": reason}, actor, request)
    return span


def _standing(span: DegradedSpan) -> DegradedSpan:
    lock_twin(span.device_id)
    span = DegradedSpan.objects.select_related("device").get(pk=span.pk)
    if span.withdrawn_at is not None:
        raise ConflictError("degraded_withdrawn", "This mark was withdrawn already.", span=span.pk)
    return span


def _step(span: DegradedSpan, now: datetime) -> None:
    span.changed_at = now
    span.steps += 1
    span.save()


def _check_order(since: datetime, until: datetime) -> None:
    if until <= since:
        raise InvalidInputError("ends_before_start", "It ends after it begins.")


def _check(device: Device, since: datetime, until: datetime | None, now: datetime) -> None:
    if since > now or (until is not None and until > now):
        raise InvalidInputError("in_future", "That moment is still to come.")
    if until is not None:
        _check_order(since, until)
    elif device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError(
            "device_retired",
            "This machine is retired: say until when its pictures were degraded.",
        )
    if since < device.registered_at and since < (first := earliest(device)):
        raise InvalidInputError(
            "before_known",
            f"Nothing is known of this machine before {timezone.localtime(first):%d %b %Y %H:%M}.",
            earliest=iso(first),
        )
    clash = Q(until=None) | Q(until__gt=since)
    if until is not None:
        clash &= Q(since__lt=until)
    spans = DegradedSpan.objects.filter(clash, device=device, withdrawn_at=None)
    other = spans.order_by("since", "pk").first()
    if other is not None:
        raise _overlap(other, since)


def _overlap(other: DegradedSpan, since: datetime) -> ConflictError:
    begins = f"{timezone.localtime(other.since):%d %b %Y %H:%M}"
    words = f"It is marked as degraded since {begins} already"
    if other.until is not None:
        words = f"It is marked as degraded from {begins} to "
        words += f"{timezone.localtime(other.until):%d %b %Y %H:%M} already"
    extra: dict[str, Any] = {"span": other.pk, "since": iso(other.since)}
    if since < other.since:
        words += "; mark the time before it with that moment as its end"
        extra["until"] = iso(other.since)
    return ConflictError("degraded_overlap", f"{words}.", **extra)


def _tell(
    span: DegradedSpan,
    kind: EventKind,
    payload: dict[str, Any],
    actor: User | None,
    request: AnyRequest | None,
) -> None:
    """Journal, audit, and the rooms above."""
    append(
        device=span.device,
        kind=kind,
        at=span.changed_at,
        actor=actor,
        payload={"span_id": span.pk, **payload},
    )
    audit.record(
        actor=actor,
        verb=kind.value,
        obj=span.device,
        request=request,
        detail={"span": span.pk, "since": iso(span.since)},
    )
    degraded_changed.send(sender=DegradedSpan, span=span)
