"""Failed sessions mark the machine as degraded since the last good one; a good one ends it.

A machine has one standing mark at a time, whoever made it, so only what nobody marked is marked
here. What a person ended or withdrew stays so until the next failure.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from accounts.models import User
from devices.models import Alert, DegradedSpan, Device
from devices.models.device import Lifecycle
from devices.services import degraded
from devices.services.order_changes import AnyRequest
from quality.models import Protocol, QAMark
from quality.runs import Run

MAX_REASON = 300
Gap = tuple[datetime, datetime | None]


def since_of(device: Device, run: Run) -> tuple[datetime, str]:
    """From when on a run degrades the machine, and why from then."""
    known = degraded.earliest(device)
    if run.good is not None:
        words = f"the last good test, QA-{run.good.pk}"
        return max(run.good.performed_at, known), words
    if known == device.registered_at:
        return known, "its registration: no good test before"
    return known, "its first reading: no good test before"


def settle(
    *,
    device: Device,
    protocol: Protocol,
    runs: list[Run],
    alert: Alert | None,
    actor: User | None,
    request: AnyRequest = None,
) -> None:
    """Bring the protocol's marks to what its runs say; the caller holds the twin.

    Args:
        device: which machine.
        protocol: whose.
        runs: as `quality.runs.failing_runs` gives them.
        alert: the newest of the protocol on the machine.
        actor: who signed; `None` where another mark's end left a failing machine unmarked.
        request: for the audit trail.
    """
    owned = list(
        QAMark.objects.filter(device=device, protocol=protocol).select_related("span__device")
    )
    if actor is not None:
        for mark in owned:
            _adjust(device, mark, runs, actor, request)
    for run in runs:
        if run.ended is None or actor is not None:
            _fill(device, protocol, run, alert=alert, actor=actor, request=request)


def _decided(mark: QAMark) -> bool:
    """A person ended or withdrew it."""
    span = mark.span
    return span.withdrawn_at is not None or (span.until is not None and not mark.closed)


def _adjust(
    device: Device,
    mark: QAMark,
    runs: list[Run],
    actor: User,
    request: AnyRequest,
) -> None:
    if _decided(mark):
        return
    span = mark.span
    run = next((run for run in runs if _within(device, run, span)), None)
    if run is None:
        _withdraw(mark, actor, request)
        return
    mark.failed = run.failed[-1]
    if span.until is None and run.ended is not None:
        reason = f"{run.ended.protocol.name} passed (QA-{run.ended.pk})"
        degraded.end(
            span=span,
            until=run.ended.performed_at,
            reason=reason[:MAX_REASON],
            actor=actor,
            request=request,
        )
        mark.closed = True
    mark.save(update_fields=["failed", "closed"])


def _within(device: Device, run: Run, span: DegradedSpan) -> bool:
    """Whether the run still says of the whole mark that it is right."""
    since, _ = since_of(device, run)
    if span.since < since:
        return False
    if run.ended is None:
        return span.until is None or span.until > since
    end = run.ended.performed_at
    return span.since < end and (span.until is None or span.until <= end)


def _withdraw(mark: QAMark, actor: User, request: AnyRequest) -> None:
    span = mark.span
    mark.delete()  # first: what is heard of the withdrawal is not a person's decision
    degraded.withdraw(
        span=span,
        reason="Sessions entered or corrected since say otherwise.",
        actor=actor,
        request=request,
    )


def _fill(
    device: Device,
    protocol: Protocol,
    run: Run,
    *,
    alert: Alert | None,
    actor: User | None,
    request: AnyRequest,
) -> None:
    """Mark what is unmarked of a run."""
    newest = QAMark.objects.filter(device=device, protocol=protocol, failed=run.failed[-1])
    if any(_decided(mark) for mark in newest.select_related("span")):
        return  # a person knew better, of this very failure
    since, words = since_of(device, run)
    until = run.ended.performed_at if run.ended is not None else None
    last = run.failed[-1]
    reason = f"{protocol.name} failed (QA-{last.pk}); degraded since {words}."
    for start, end in _gaps(device, since, until):
        if end is None and device.lifecycle == Lifecycle.RETIRED:
            continue
        by_alert = run.ended is None and alert is not None
        span, _ = degraded.mark(
            device=device,
            since=start,
            until=end,
            reason=reason[:MAX_REASON],
            actor=None if by_alert else actor,
            alert=alert if by_alert else None,
            request=request,
        )
        QAMark.objects.update_or_create(
            span=span,
            defaults={
                "device": device,
                "protocol": protocol,
                "failed": last,
                "closed": end is not None,
            },
        )


def _gaps(device: Device, since: datetime, until: datetime | None) -> list[Gap]:
    """The parts of `[since, until)` that no standing mark covers."""
    now = timezone.now()
    found: list[Gap] = []
    start: datetime | None = since
    spans = DegradedSpan.objects.filter(device=device, withdrawn_at=None).order_by("since")
    for span in spans:
        if start is None or (span.until is not None and span.until <= start):
            continue
        if until is not None and span.since >= until:
            break
        if span.since > start:
            found.append((start, span.since))
        start = span.until
    if start is not None and start < (until or now):
        found.append((start, until))
    return found
