"""People acknowledge, snooze, assign, comment on and resolve alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices.models import Alert, AlertNote, AlertState, Device
from devices.models.alert import ResolveReason, Withheld
from devices.models.device_model import Severity
from devices.models.twin import EventKind
from devices.selectors.evidence import WAITS
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from . import AnyRequest, alert_groups, alert_orders
from .alert_changes import next_state, tell_twin
from .events import lock_twin

MAX_SNOOZE = timedelta(days=30)
MAX_MANY = 500  # alerts acknowledged at once


def _locked(alert: Alert) -> Alert:
    """The row as it is now; whoever writes an alert holds its device's twin."""
    lock_twin(alert.device_id)
    return Alert.objects.select_related("device", "rule").get(pk=alert.pk)


def _noted(
    alert: Alert, verb: str, text: str, actor: User | None, request: AnyRequest | None
) -> None:
    AlertNote.objects.create(alert=alert, by=actor, verb=verb, text=text)
    audit.record(actor=actor, verb=verb, obj=alert, request=request)


def _release_soon() -> None:
    """Have what was withheld because of this alert looked at when the transaction is committed."""
    from devices.tasks import release_alerts_task  # noqa: PLC0415 - tasks call services

    release_alerts_task.delay_on_commit()  # type: ignore[attr-defined]


def _unresolved(alert: Alert, step: str) -> None:
    if alert.state == AlertState.RESOLVED:
        raise ConflictError(
            "bad_transition",
            f"This alert is resolved; {step} isn't possible now.",
            state=alert.state,
            step=step,
        )


def _text(text: str, *, required: bool = False) -> str:
    text = text.strip()
    if required and not text:
        raise InvalidInputError("text_missing", "Write something first.")
    if len(text) > 1000:
        raise InvalidInputError("text_too_long", "At most 1,000 characters.", limit=1000)
    return text


@transaction.atomic
def acknowledge(*, alert: Alert, actor: User, request: AnyRequest | None = None) -> Alert:
    """Open -> acknowledged: somebody looks after it.

    Raises:
        ConflictError: `bad_transition` from any other state.
    """
    alert = _locked(alert)
    alert.state = next_state(alert, "acknowledge")
    alert.acknowledged_at, alert.acknowledged_by = timezone.now(), actor
    alert.save()
    _noted(alert, "acknowledged", "", actor, request)
    return alert


@transaction.atomic
def resolve(
    *,
    alert: Alert,
    actor: User | None,
    reason: str,
    text: str = "",
    request: AnyRequest | None = None,
) -> Alert:
    """Open or acknowledged -> resolved, with the reason.

    Raises:
        InvalidInputError: `unknown_reason`, `text_too_long`.
        ConflictError: `bad_transition` from any other state.
    """
    if reason not in ResolveReason.values:
        raise InvalidInputError(
            "unknown_reason", "Say why it is over.", known=list(ResolveReason.values)
        )
    text = _text(text)
    alert = _resolved(_locked(alert), reason, text, timezone.now(), actor=actor, request=request)
    alert_orders.let_go(alert, actor)
    return alert


@transaction.atomic
def resolve_by_evidence(*, alert: Alert, text: str, now: datetime) -> Alert:
    """The system resolves an alert whose work was done and shown to hold.

    Raises:
        ConflictError: `bad_transition` where it is resolved already.
    """
    return _resolved(_locked(alert), ResolveReason.REPAIRED, text, now)


def _resolved(
    alert: Alert,
    reason: str,
    text: str,
    now: datetime,
    *,
    actor: User | None = None,
    request: AnyRequest | None = None,
) -> Alert:
    alert.state = next_state(alert, "resolve")
    alert.resolved_at, alert.resolved_by = now, actor
    alert.resolve_reason = reason
    alert.snoozed_until, alert.withheld = None, Withheld.NOT
    alert.save()
    # members of its incident, and watch alerts for which it spoke
    if alert_groups.end(alert, now) or alert.severity == Severity.ACT:
        _release_soon()
    label = str(ResolveReason(reason).label)
    _noted(alert, "resolved", f"{label}. {text}"[:1000] if text else label, actor, request)
    tell_twin(alert, EventKind.ALERT_RESOLVED, now, actor)
    return alert


@transaction.atomic
def resolve_retired(
    *, device: Device, actor: User | None, reason: str, request: AnyRequest | None = None
) -> None:
    """The machine is retired: nobody judges its alerts any more, so they are over."""
    text = f"The machine was retired. {reason.strip()}".strip()
    for alert in Alert.objects.filter(device=device).exclude(state=AlertState.RESOLVED):
        resolve(
            alert=alert, actor=actor, reason=ResolveReason.OTHER, text=text[:1000], request=request
        )


@transaction.atomic
def snooze(
    *, alert: Alert, actor: User, until: datetime, request: AnyRequest | None = None
) -> Alert:
    """Keep an unresolved alert out of the way for a while; its state stays.

    Raises:
        InvalidInputError: `bad_snooze` unless `until` lies within the next 30 days.
        ConflictError: `bad_transition` once resolved.
    """
    now = timezone.now()
    if not now < until <= now + MAX_SNOOZE:
        raise InvalidInputError("bad_snooze", "Choose a time within the next 30 days.")
    alert = _locked(alert)
    _unresolved(alert, "snooze")
    # one that still fails when the time is over is told of again
    alert.snoozed_until, alert.withheld = until, Withheld.SNOOZED
    alert.save(update_fields=["snoozed_until", "withheld"])
    local = timezone.localtime(until)
    _noted(alert, "snoozed", f"until {local:%Y-%m-%d %H:%M}", actor, request)
    return alert


@transaction.atomic
def assign(
    *, alert: Alert, actor: User, assignee: User | None, request: AnyRequest | None = None
) -> Alert:
    """Give an unresolved alert to somebody who may work on it, or to nobody.

    Raises:
        InvalidInputError: `cannot_assign` for a person whose role doesn't work alerts.
        ConflictError: `bad_transition` once resolved.
    """
    if assignee is not None and not may(assignee, Can.ALERT_WORK):
        raise InvalidInputError("cannot_assign", "This person's role doesn't work on alerts.")
    alert = _locked(alert)
    _unresolved(alert, "assign")
    alert.assigned_to = assignee
    alert.save(update_fields=["assigned_to"])
    _noted(alert, "assigned", f"to {assignee}" if assignee else "to nobody", actor, request)
    return alert


@transaction.atomic
def comment(*, alert: Alert, actor: User, text: str, request: AnyRequest | None = None) -> Alert:
    """Add a remark in any state.

    Raises:
        InvalidInputError: `text_missing`, `text_too_long`.
    """
    text = _text(text, required=True)
    alert = _locked(alert)
    _noted(alert, "commented", text, actor, request)
    return alert


def get(alert_id: int) -> Alert:
    """The alert, or `NotFoundError` `alert_not_found`."""
    found = Alert.objects.select_related("device", "rule").annotate(waits_for_evidence=WAITS)
    alert = found.filter(pk=alert_id).first()
    if alert is None:
        raise NotFoundError("alert_not_found", "There is no such alert.")
    return alert


@transaction.atomic
def acknowledge_open(
    *, device: Device, actor: User, request: AnyRequest | None = None
) -> list[Alert]:
    """Acknowledge all open alerts of a machine; those that were."""
    lock_twin(device.pk)
    waiting = Alert.objects.filter(device=device, state=AlertState.OPEN).order_by("pk")
    return [acknowledge(alert=alert, actor=actor, request=request) for alert in waiting]


@transaction.atomic
def acknowledge_many(
    *, alert_ids: Sequence[int], actor: User, request: AnyRequest | None = None
) -> list[Alert]:
    """Acknowledge those of the alerts that are open; others stay as they are.

    Returns:
        Those that were acknowledged by this call.

    Raises:
        InvalidInputError: `nothing_chosen`, `too_many` beyond `MAX_MANY`.
    """
    wanted = set(alert_ids)
    if not wanted:
        raise InvalidInputError("nothing_chosen", "Choose at least one alert.")
    if len(wanted) > MAX_MANY:
        raise InvalidInputError("too_many", f"At most {MAX_MANY} at once.", limit=MAX_MANY)
    chosen = Alert.objects.filter(pk__in=wanted)
    # twins in one order: two people who choose the same alerts don't wait for each other
    for device_id in sorted(set(chosen.values_list("device_id", flat=True))):
        lock_twin(device_id)
    waiting = chosen.filter(state=AlertState.OPEN).order_by("device", "pk")
    return [acknowledge(alert=alert, actor=actor, request=request) for alert in waiting]
