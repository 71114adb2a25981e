"""The worker judges machines by their rules and opens, refreshes or clears their alerts."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import Max

from devices.models import Alert, AlertState, Device
from devices.models.device import Lifecycle
from devices.selectors.health import watched
from devices.selectors.rules import Watched

from . import alert_changes, closed_loop, rule_states
from .events import lock_twin

logger = structlog.get_logger(__name__)

RECURS_WITHIN = timedelta(hours=24)


def evaluate_fleet(*, now: datetime, seconds: float = math.inf) -> list[int]:
    """Judge every machine that isn't retired; those for which the time was too short."""
    fleet = Device.objects.exclude(lifecycle=Lifecycle.RETIRED).order_by("pk")
    return evaluate_many(
        device_ids=list(fleet.values_list("pk", flat=True)), now=now, seconds=seconds
    )


def evaluate_many(
    *, device_ids: Sequence[int], now: datetime, seconds: float = math.inf
) -> list[int]:
    """Judge machines one after the other; one that fails to be judged doesn't stop the rest.

    Args:
        device_ids: which, in this order.
        now: as of when.
        seconds: after so many no other one is begun.

    Returns:
        those that were not begun: whoever calls has to see to them.
    """
    stop = time.monotonic() + seconds
    for place, device_id in enumerate(device_ids):
        if time.monotonic() > stop:
            return list(device_ids[place:])
        try:
            evaluate_device(device_id=device_id, now=now)
        except SoftTimeLimitExceeded:  # this one took too long; the worker is ended in a moment
            logger.warning("rule_evaluation_too_long", device_id=device_id)
            return list(device_ids[place + 1 :])
        except Exception:  # logged with its trace; the other machines must not fall silent
            logger.exception("rule_evaluation_failed", device_id=device_id)
    return []


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
    person still says why it is over. Where nothing is known, nothing changes.
    """
    lock_twin(device.pk)
    if Device.objects.filter(pk=device.pk, lifecycle=Lifecycle.RETIRED).exists():
        return  # meanwhile
    rule_states.refresh(device=device, now=now)
    newest = Alert.objects.filter(device=device).values("rule").annotate(newest=Max("pk"))
    alerts = Alert.objects.select_related("device", "rule").filter(pk__in=newest.values("newest"))
    latest = {alert.rule_id: alert for alert in alerts}
    verdicts = watched([device], now)
    for item in verdicts:
        if item.result.state != "unknown":
            _follow(device, item, latest.get(item.result.rule_id), now)
    # work is waited for only while its alert stands
    if any(alert.state != AlertState.RESOLVED for alert in latest.values()):
        closed_loop.look(device_id=device.pk, verdicts=verdicts, now=now)


def _follow(device: Device, item: Watched, alert: Alert | None, now: datetime) -> None:
    """What one verdict means for the latest alert of its rule."""
    result = item.result
    unresolved = alert is not None and alert.state != AlertState.RESOLVED
    if result.state == "ok":
        if alert is not None and unresolved:
            alert_changes.clear(alert, result, now)
    elif alert is None:
        alert_changes.open_alert(device, result, now)
    elif unresolved:
        alert_changes.refresh(alert, result, now)
    else:
        resolved_at = alert.resolved_at or now
        again = closed_loop.fails_since(item, resolved_at, now)
        if again is not None and now - resolved_at < RECURS_WITHIN:
            alert_changes.reopen(alert, again, now)
            closed_loop.came_back(alert, now)
        elif again is not None:
            alert_changes.open_alert(device, again, now)
