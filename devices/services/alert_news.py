"""Whether people are told of an alert's news now, later, or with something else.

Alertmanager's words: a *muted* alert's machine is in maintenance, an *inhibited* one is spoken for
by a severer alert of the same metric, a *grouped* one by its incident's head. All are overlays:
the alert is there, counted and shown; what was withheld is told once the reason is gone and the
check still fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import Q, QuerySet

from devices.models import Alert, AlertNote, AlertState, Downtime, WorkOrder
from devices.models.alert import Withheld
from devices.models.device import Lifecycle
from devices.models.device_model import Severity
from devices.models.maintenance import OrderState
from devices.models.notification import News
from devices.selectors.alert_policy import policy_now

from . import alert_groups, outbox
from .events import lock_twin

logger = structlog.get_logger(__name__)
_VERBS = {
    Withheld.MAINTENANCE: "muted",
    Withheld.SNOOZED: "snoozed",
    Withheld.INHIBITED: "inhibited",
    Withheld.GROUPED: "grouped",
}


def in_maintenance(device_id: int, now: datetime) -> bool:
    """True while the machine has a downtime, planned or not, or an order in progress."""
    going_on = Q(ends_at=None) | Q(ends_at__gt=now)
    return (
        Downtime.objects.filter(going_on, device=device_id, starts_at__lte=now).exists()
        or WorkOrder.objects.filter(device=device_id, state=OrderState.IN_PROGRESS).exists()
    )


def _same_metric(alert: Alert, severity: str) -> list[Alert]:
    """Unresolved failing alerts of the machine's same metric with the severity."""
    if alert.rule.metric_id is None:  # a rule on the machine itself
        return []
    return list(
        Alert.objects.exclude(state=AlertState.RESOLVED)
        .filter(
            device=alert.device_id,
            rule__metric=alert.rule.metric_id,
            severity=severity,
            cleared_at=None,
            rule__enabled=True,
        )
        .exclude(pk=alert.pk)
        .order_by("pk")
    )


def reason_to_withhold(alert: Alert, now: datetime, *, spoke: bool = False) -> Withheld:
    """Why nobody is told now; `Withheld.NOT` if nothing speaks against it.

    Args:
        alert: which.
        now: when.
        spoke: people were told of this alert itself, so its incident doesn't speak for it.
    """
    if in_maintenance(alert.device_id, now):
        return Withheld.MAINTENANCE
    if alert.snoozed_until is not None and alert.snoozed_until > now:
        return Withheld.SNOOZED
    if alert.severity == Severity.WATCH and _same_metric(alert, Severity.ACT):
        return Withheld.INHIBITED
    hidden = not spoke and alert_groups.hides(alert)
    return Withheld.GROUPED if hidden else Withheld.NOT


def tell(alert: Alert, news: News, now: datetime) -> None:
    """Decide on a piece of news and save the row; the caller holds the device's twin.

    That an overlay has ended, and that nobody came, is decided before (`release`, `escalate`).
    """
    alert.news_at = now
    if news in {News.OPENED, News.REOPENED} and not in_maintenance(alert.device_id, now):
        alert_groups.join(alert, now)
    decided = news in {News.RELEASED, News.ESCALATED}
    reason = Withheld.NOT if decided else reason_to_withhold(alert, now)
    alert.withheld = reason
    if news in {News.OPENED, News.REOPENED}:
        alert.opened_withheld = reason
        alert.escalated_at = None
    if reason == Withheld.NOT:
        alert.told += 1
        alert_groups.spoke(alert)
    alert.save()
    if reason == Withheld.NOT:
        outbox.queue(alert=alert, news=news, now=now)
    else:
        _note_withheld(alert, reason, now)
    if alert.severity == Severity.ACT and news != News.ESCALATED:
        _inhibit(alert, now)


def _note_withheld(alert: Alert, reason: Withheld, now: datetime) -> None:
    AlertNote.objects.create(
        alert=alert, verb=_VERBS[reason], text=f"Nobody was told: {reason.label}.", at=now
    )


def _inhibit(act: Alert, now: datetime) -> None:
    """The act alert speaks for the same metric's watch alerts of which nobody was told yet."""
    for watch in _same_metric(act, Severity.WATCH):
        if watch.withheld == Withheld.NOT and outbox.take_back(alert=watch):
            watch.withheld = Withheld.INHIBITED
            watch.opened_withheld = Withheld.INHIBITED
            watch.save(update_fields=["withheld", "opened_withheld"])
            _note_withheld(watch, Withheld.INHIBITED, now)


def escalation_after() -> timedelta:
    """How long an act alert waits for somebody."""
    return timedelta(minutes=policy_now().escalate_minutes)


def _each(alert_ids: Iterable[int], step: Callable[[Alert, datetime], bool], now: datetime) -> int:
    """Do a step with each alert in a transaction of its own; one that fails stops no other."""
    done = 0
    for alert_id in alert_ids:
        try:
            with transaction.atomic():
                device_id = Alert.objects.values_list("device_id", flat=True).get(pk=alert_id)
                lock_twin(device_id)
                alert = Alert.objects.select_related("device", "rule", "group").get(pk=alert_id)
                done += step(alert, now)
        except SoftTimeLimitExceeded:  # the next call goes on
            raise
        except Exception:  # logged with its trace; the others must not fall silent
            logger.exception("alert_step_failed", alert_id=alert_id)
    return done


def _judged() -> QuerySet[Alert]:
    """Alerts whose check somebody looks at: of a rule that is on, of a machine not retired."""
    return Alert.objects.filter(rule__enabled=True).exclude(device__lifecycle=Lifecycle.RETIRED)


def release(*, now: datetime) -> int:
    """Tell of what was withheld for a reason that is gone and that still fails; how many."""
    waiting = (
        _judged()
        .exclude(state=AlertState.RESOLVED)
        .exclude(withheld=Withheld.NOT)
        # the two that can be many and whose end the row itself says
        .exclude(withheld=Withheld.SNOOZED, snoozed_until__gt=now)
        .exclude(withheld=Withheld.GROUPED, group__isnull=False, group__ended_at=None)
        .filter(cleared_at=None)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    return _each(waiting, _release_one, now)


def _release_one(alert: Alert, now: datetime) -> bool:
    if (
        alert.state == AlertState.RESOLVED
        or alert.withheld == Withheld.NOT
        or alert.cleared_at is not None
    ):
        return False
    # of one that opened aloud, and was snoozed or muted later, people know: it isn't its incident's
    aloud = alert.opened_withheld == Withheld.NOT and alert.withheld != Withheld.GROUPED
    reason = reason_to_withhold(alert, now, spoke=aloud)
    if reason == alert.withheld:
        return False
    # another reason took over; or somebody works on it, who knows better than a message
    at_work = alert.state == AlertState.ACKNOWLEDGED and alert.withheld in {
        Withheld.INHIBITED,
        Withheld.GROUPED,
    }
    if reason != Withheld.NOT or at_work:
        alert.withheld = reason
        alert.save(update_fields=["withheld"])
        return False
    AlertNote.objects.create(alert=alert, verb="released", text=alert.message, at=now)
    tell(alert, News.RELEASED, now)
    return True


def escalate(*, now: datetime) -> int:
    """Tell, once, of act alerts that nobody acknowledged in time; how many."""
    waiting = _to_escalate(now).order_by("news_at", "pk").values_list("pk", flat=True)
    return _each(waiting, _escalate_one, now)


def _to_escalate(now: datetime) -> QuerySet[Alert]:
    return _judged().filter(
        state=AlertState.OPEN,
        severity=Severity.ACT,
        withheld=Withheld.NOT,
        cleared_at=None,
        escalated_at=None,
        told__gt=0,
        news_at__lte=now - escalation_after(),
    )


def _escalate_one(alert: Alert, now: datetime) -> bool:
    if not _to_escalate(now).filter(pk=alert.pk).exists():
        return False
    reason = reason_to_withhold(alert, now, spoke=True)
    if reason != Withheld.NOT:  # it is told when that ends, and has its time again from then on
        alert.withheld = reason
        alert.save(update_fields=["withheld"])
        _note_withheld(alert, reason, now)
        return False
    alert.escalated_at = now
    minutes = policy_now().escalate_minutes
    AlertNote.objects.create(
        alert=alert, verb="escalated", text=f"Nobody acknowledged it within {minutes} min.", at=now
    )
    tell(alert, News.ESCALATED, now)
    return True
