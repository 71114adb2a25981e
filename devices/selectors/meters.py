"""How far a machine's counters are, for plans by use; a few queries for many plans."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Min
from django.utils import timezone

from devices.models import Component, MaintenancePlan, ReadingDay

from .newest import newest_many

WINDOW = timedelta(days=30)  # the use from which the day is estimated
FARTHEST = 3_650  # days ahead; later is as good as unknown


@dataclass(frozen=True, slots=True)
class Count:
    """Where a plan by use stands.

    Attributes:
        value: what the counter shows.
        at: when it was read.
        base: from which the plan counts.
        since: when that began: the last time it was done, or the part put in since.
        used: what counts.
        per_day: the use of the last 30 days; `None` where it isn't known.
    """

    value: float
    at: datetime
    base: float
    since: datetime
    used: float
    per_day: float | None

    def due_on(self, every: float, today: date) -> date | None:
        """Today where it is reached, else the day by the use so far; `None` where none is known."""
        left = every - self.used
        if left <= 0:
            return today
        if not self.per_day:
            return None
        days = math.ceil(left / self.per_day)
        return today + timedelta(days=days) if days <= FARTHEST else None


def counts(plans: Sequence[MaintenancePlan], now: datetime) -> dict[int, Count]:
    """Where each plan by use stands; those whose counter nobody has read yet are left out."""
    ids = sorted({plan.device_id for plan in plans})
    newest = newest_many(ids, now)
    lows = _first_values(plans, now)
    parts = _parts(plans)
    found = {}
    for plan in plans:
        key = (plan.device_id, plan.meter_id or 0)
        if key not in newest or plan.meter is None:
            continue
        at, value = newest[key]
        base, since = plan.meter_base, plan.meter_since or plan.created_at
        part = parts.get((plan.device_id, plan.meter.counter_of))
        if part is not None and part.installed_at > since:
            # a new part begins at what the counter showed when it was put in
            base, since = part.counters.get(plan.meter.key), part.installed_at
        if base is None or value < base:
            base = 0.0  # the counter began again
        first = lows.get(key)
        per_day = None
        if first is not None and (days := (at - first[0]).total_seconds() / 86_400) >= 1:
            per_day = max(0.0, value - first[1]) / days
        found[plan.pk] = Count(value, at, base, since, value - base, per_day)
    return found


def _first_values(
    plans: Sequence[MaintenancePlan], now: datetime
) -> dict[tuple[int, int], tuple[datetime, float]]:
    """What each counter showed at the beginning of the window, or where it began again."""
    rows = ReadingDay.objects.filter(
        device__in={plan.device_id for plan in plans},
        metric__in={plan.meter_id for plan in plans},
        day__gte=timezone.localdate(now - WINDOW),
    ).values_list("device_id", "metric_id")
    return {
        (device, metric): (first, low)
        for device, metric, first, low in rows.annotate(Min("first_at"), Min("low"))
    }


def _parts(plans: Sequence[MaintenancePlan]) -> dict[tuple[int, str], Component]:
    """The newest part of each kind in each machine whose use is counted."""
    kinds = {plan.meter.counter_of for plan in plans if plan.meter and plan.meter.counter_of}
    if not kinds:
        return {}
    live = Component.objects.filter(
        device__in={plan.device_id for plan in plans},
        kind__in=kinds,
        removed_at=None,
        voided_at=None,
    )
    return {(part.device_id, part.kind): part for part in live.order_by("installed_at", "pk")}
