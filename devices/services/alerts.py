"""Alerts: a worker opens and refreshes them, people acknowledge, snooze and resolve them."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices.models import Alert, AlertNote, AlertState, Device
from devices.models.alert import ResolveReason
from devices.models.device import Lifecycle
from devices.models.twin import EventKind
from devices.rules import CheckResult, check
from devices.selectors.health import watched
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from . import AnyRequest
from .events import append, lock_twin

logger = structlog.get_logger(__name__)

RECURS_WITHIN = timedelta(hours=24)
MAX_SNOOZE = timedelta(days=30)

# (from, step) -> to; anything else is refused
TRANSITIONS: dict[tuple[str, str], AlertState] = {
    (AlertState.OPEN, "acknowledge"): AlertState.ACKNOWLEDGED,
    (AlertState.OPEN, "resolve"): AlertState.RESOLVED,
    (AlertState.ACKNOWLEDGED, "resolve"): AlertState.RESOLVED,
    (AlertState.RESOLVED, "reopen"): AlertState.OPEN,
}
UNRESOLVED = (AlertState.OPEN, AlertState.ACKNOWLEDGED)


def evaluate_fleet(*, now: datetime) -> None:
    """Judge every machine that isn't retired; one that fails to be judged doesn't stop the rest."""
    for device in Device.objects.exclude(lifecycle=Lifecycle.RETIRED).order_by("pk"):
        try:
            evaluate_rules(device=device, now=now)
        except Exception:  # logged with its trace; the other machines must not fall silent
            logger.exception("rule_evaluation_failed", device_id=device.pk)


def evaluate_device(*, device_id: int, now: datetime) -> None:
    """Judge one machine by id; one that is gone or retired has nothing to judge."""
    device = Device.objects.filter(pk=device_id).exclude(lifecycle=Lifecycle.RETIRED).first()
    if device is not None:
        evaluate_rules(device=device, now=now)


@transaction.atomic
def evaluate_rules(*, device: Device, now: datetime) -> None:
    """Open, refresh or clear the device's alerts, at most one unresolved per rule.

    A failing check opens an alert, refreshes the unresolved one, or reopens one that was resolved
    less than 24 h ago. After a resolve only readings measured later count: the same evidence
    doesn't ring twice, new evidence does. A check that is good again marks the alert as cleared; a
    person still says why it is over. Silence changes nothing.
    """
    lock_twin(device.pk)
    newest = Alert.objects.filter(device=device).values("rule").annotate(newest=Max("pk"))
    alerts = Alert.objects.select_related("device", "rule").filter(pk__in=newest.values("newest"))
    latest = {alert.rule_id: alert for alert in alerts}
    for item in watched([device], now):
        result = check(item.limit, item.samples, now)
        alert = latest.get(item.limit.rule_id)
        unresolved = alert is not None and alert.state != AlertState.RESOLVED
        if result.state == "unknown":
            continue
        if result.state == "ok":
            if alert is not None and unresolved:
                _clear(alert, result, now)
            continue
        if alert is None:
            _open(device, result, now)
            continue
        if unresolved:
            _refresh(alert, result, now)
            continue
        resolved_at = alert.resolved_at or now
        result = check(item.limit, [s for s in item.samples if s.at > resolved_at], now)
        if result.state not in {"watch", "act"}:
            continue
        if now - resolved_at < RECURS_WITHIN:
            _reopen(alert, result, now)
        else:
            _open(device, result, now)


def _seen(alert: Alert, result: CheckResult) -> None:
    """Take over what the check says now."""
    alert.severity = result.state
    alert.message = result.text[:300]
    alert.last_seen_at = result.measured_at or alert.last_seen_at
    if result.value is not None:
        alert.value = result.value


def _tell_twin(alert: Alert, kind: str, at: datetime, actor: User | None = None) -> None:
    append(
        device=alert.device,
        kind=kind,
        at=at,
        actor=actor,
        payload={
            "alert_id": alert.pk,
            "rule_id": alert.rule_id,
            "rule": alert.rule.name,
            "severity": alert.severity,
            "message": alert.message,
            "reason": alert.resolve_reason,
            "recurrences": alert.recurrences,
        },
    )


def _open(device: Device, result: CheckResult, now: datetime) -> None:
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                device=device,
                rule_id=result.rule_id,
                severity=result.state,
                message=result.text[:300],
                since=result.since or now,
                opened_at=now,
                last_seen_at=result.measured_at or now,
                value=result.value if result.value is not None else 0.0,
            )
    except IntegrityError:  # opened by another worker meanwhile; the next round refreshes it
        return
    AlertNote.objects.create(alert=alert, verb="opened", text=alert.message, at=now)
    _tell_twin(alert, EventKind.ALERT_OPENED, now)


def _refresh(alert: Alert, result: CheckResult, now: datetime) -> None:
    rose = alert.severity == "watch" and result.state == "act"
    _seen(alert, result)
    if alert.cleared_at is not None:
        alert.cleared_at = None
        alert.recurrences += 1
        alert.since = result.since or now
        AlertNote.objects.create(alert=alert, verb="returned", text=alert.message, at=now)
    elif rose:
        AlertNote.objects.create(alert=alert, verb="worsened", text=alert.message, at=now)
    alert.save()


def _clear(alert: Alert, result: CheckResult, now: datetime) -> None:
    if alert.cleared_at is not None:
        return
    alert.cleared_at = now
    alert.save(update_fields=["cleared_at"])
    AlertNote.objects.create(
        alert=alert,
        verb="cleared",
        text=f"Readings are back within limits. {result.text}"[:1000],
        at=now,
    )


def _reopen(alert: Alert, result: CheckResult, now: datetime) -> None:
    alert.state = _next(alert, "reopen")
    alert.recurrences += 1
    alert.since = result.since or now
    alert.resolved_at = alert.resolved_by = None
    alert.resolve_reason = ""
    alert.acknowledged_at = alert.acknowledged_by = None
    alert.cleared_at = alert.snoozed_until = None
    _seen(alert, result)
    alert.save()
    AlertNote.objects.create(alert=alert, verb="reopened", text=alert.message, at=now)
    _tell_twin(alert, EventKind.ALERT_OPENED, now)


def _next(alert: Alert, step: str) -> AlertState:
    try:
        return TRANSITIONS[alert.state, step]
    except KeyError:
        raise ConflictError(
            "bad_transition",
            f"This alert is {alert.get_state_display()}; {step} isn't possible now.",
            state=alert.state,
            step=step,
        ) from None


def _locked(alert: Alert) -> Alert:
    """The row as it is now; whoever writes an alert holds its device's twin."""
    lock_twin(alert.device_id)
    return Alert.objects.select_related("device", "rule").get(pk=alert.pk)


def _noted(alert: Alert, verb: str, text: str, actor: User, request: AnyRequest | None) -> None:
    AlertNote.objects.create(alert=alert, by=actor, verb=verb, text=text)
    audit.record(actor=actor, verb=verb, obj=alert, request=request)


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
    alert.state = _next(alert, "acknowledge")
    alert.acknowledged_at, alert.acknowledged_by = timezone.now(), actor
    alert.save()
    _noted(alert, "acknowledged", "", actor, request)
    return alert


@transaction.atomic
def resolve(
    *,
    alert: Alert,
    actor: User,
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
    alert = _locked(alert)
    alert.state = _next(alert, "resolve")
    alert.resolved_at, alert.resolved_by = timezone.now(), actor
    alert.resolve_reason = reason
    alert.snoozed_until = None
    alert.save()
    label = str(ResolveReason(reason).label)
    _noted(alert, "resolved", f"{label}. {text}"[:1000] if text else label, actor, request)
    _tell_twin(alert, EventKind.ALERT_RESOLVED, alert.resolved_at, actor)
    return alert


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
    alert.snoozed_until = until
    alert.save(update_fields=["snoozed_until"])
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
    alert = Alert.objects.select_related("device", "rule").filter(pk=alert_id).first()
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
