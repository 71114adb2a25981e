"""What happens to an alert's row when its check speaks; the caller holds the device's twin."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import User
from devices.models import Alert, AlertNote, AlertState, Device, RuleVersion
from devices.models.notification import News
from devices.models.twin import EventKind
from devices.rules import CheckResult
from twinhealth.errors import ConflictError

from . import alert_news
from .degraded import mark_by_alert
from .events import append

# (from, step) -> to; anything else is refused
TRANSITIONS: dict[tuple[str, str], AlertState] = {
    (AlertState.OPEN, "acknowledge"): AlertState.ACKNOWLEDGED,
    (AlertState.OPEN, "resolve"): AlertState.RESOLVED,
    (AlertState.ACKNOWLEDGED, "resolve"): AlertState.RESOLVED,
    (AlertState.RESOLVED, "reopen"): AlertState.OPEN,
}


def next_state(alert: Alert, step: str) -> AlertState:
    """Where the step leads.

    Raises:
        ConflictError: `bad_transition`.
    """
    try:
        return TRANSITIONS[alert.state, step]
    except KeyError:
        raise ConflictError(
            "bad_transition",
            f"This alert is {alert.get_state_display()}; {step} isn't possible now.",
            state=alert.state,
            step=step,
        ) from None


def _seen(alert: Alert, result: CheckResult) -> None:
    """Take over what the check says now."""
    alert.severity = result.state
    alert.message = result.text[:300]
    alert.last_seen_at = result.measured_at or alert.last_seen_at
    if result.value is not None:
        alert.value = result.value


def tell_twin(alert: Alert, kind: str, at: datetime, actor: User | None = None) -> None:
    """Put the alert into its machine's journal."""
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


def open_alert(device: Device, result: CheckResult, now: datetime) -> None:
    """Open the first or, a day after the last was resolved, another one."""
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                device=device,
                rule_id=result.rule_id,
                rule_version=RuleVersion.objects.filter(
                    rule=result.rule_id, number=result.version or 0
                ).first(),
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
    tell_twin(alert, EventKind.ALERT_OPENED, now)
    alert_news.tell(alert, News.OPENED, now)
    mark_by_alert(alert=alert)


def refresh(alert: Alert, result: CheckResult, now: datetime) -> None:
    """Take over what an unresolved alert's check says now; it may return or worsen."""
    rose = alert.severity == "watch" and result.state == "act"
    returned = alert.cleared_at is not None
    _seen(alert, result)
    if returned:
        alert.cleared_at = None
        alert.recurrences += 1
        alert.since = result.since or now
        AlertNote.objects.create(alert=alert, verb="returned", text=alert.message, at=now)
    elif rose:
        AlertNote.objects.create(alert=alert, verb="worsened", text=alert.message, at=now)
    if rose:
        alert.escalated_at = None
        alert_news.tell(alert, News.ROSE, now)
    else:
        # not the whole row: another rule's alert may have changed its overlays in this round
        alert.save(
            update_fields=[
                "severity",
                "message",
                "last_seen_at",
                "value",
                "cleared_at",
                "recurrences",
                "since",
            ]
        )
    if returned:  # a person may have ended the mark while it was good
        mark_by_alert(alert=alert)


def clear(alert: Alert, result: CheckResult, now: datetime) -> None:
    """Note that the check is good again; a person still says why it is over."""
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


def reopen(alert: Alert, result: CheckResult, now: datetime) -> None:
    """Resolved -> open: it came back within a day."""
    alert.state = next_state(alert, "reopen")
    alert.recurrences += 1
    alert.since = result.since or now
    alert.resolved_at = alert.resolved_by = None
    alert.resolve_reason = ""
    alert.acknowledged_at = alert.acknowledged_by = None
    alert.cleared_at = alert.snoozed_until = None
    alert.group = None  # of then; it may join one of now
    _seen(alert, result)
    alert.save()
    AlertNote.objects.create(alert=alert, verb="reopened", text=alert.message, at=now)
    tell_twin(alert, EventKind.ALERT_OPENED, now)
    alert_news.tell(alert, News.REOPENED, now)
    mark_by_alert(alert=alert)
