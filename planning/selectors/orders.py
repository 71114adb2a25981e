"""Open orders and due dates ahead, with the days between which each may lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone

from devices import schedule
from devices.models import MaintenancePlan, WorkOrder
from devices.models.maintenance import Timing
from devices.order_steps import FINISHED, OPEN, possible
from devices.selectors_plans import dates_between, rule_of
from planning import guard


@dataclass(frozen=True, slots=True)
class Work:
    """One order, or one due date ahead that has none yet."""

    order: WorkOrder | None
    plan: MaintenancePlan | None
    device: int
    title: str
    day: date  # on which it stands
    due_on: date | None
    grace_days: int
    limits: guard.Limits
    next_due: date | None

    @property
    def seen(self) -> tuple[str, str | None, int | None]:
        """State, time and person, as a form keeps them."""
        if self.order is None:
            return ("", None, None)
        at = self.order.scheduled_for
        return (self.order.state, at.isoformat() if at else None, self.order.assigned_to_id)

    @property
    def movable(self) -> bool:
        """Whether its day can be changed; a due date without an order has no row to change."""
        return self.order is None or "schedule" in possible(self.order.state)


@dataclass(frozen=True, slots=True)
class Done:
    """When work of plans was last done."""

    by_plan: dict[int, date]
    by_device: dict[int, date]


def last_done(devices: Iterable[int]) -> Done:
    """The last completion of each plan's work; one query."""
    by_plan: dict[int, date] = {}
    by_device: dict[int, date] = {}
    rows = (
        WorkOrder.objects.filter(device__in=list(devices), plan__isnull=False, state__in=FINISHED)
        .order_by()
        .values_list("device", "plan")
        .annotate(Max("completed_at"))
    )
    for device, plan, at in rows:
        day = timezone.localdate(at)
        if plan is not None:
            by_plan[plan] = max(day, by_plan.get(plan, day))
        by_device[device] = max(day, by_device.get(device, day))
    return Done(by_plan, by_device)


def interval_days(plan: MaintenancePlan, day: date) -> float | None:
    """About how far its due dates are apart; `None` for a plan by use."""
    if plan.timing == Timing.METER or not plan.rrule:
        return None
    return float((schedule.after(rule_of(plan), day) - day).days)


def longest_months(plan: MaintenancePlan) -> int | None:
    """The manufacturer's interval, where the plan is a model's that knows it."""
    return plan.model_plan.longest_months if plan.model_plan is not None else None


def _next_due(plan: MaintenancePlan, due_on: date) -> date | None:
    if plan.timing != Timing.FIXED:
        return None
    return schedule.next_after(rule_of(plan), plan.starts_on, due_on)


def work(
    devices: Iterable[int], plans: Iterable[MaintenancePlan], done: Done, *, today: date, last: date
) -> list[Work]:
    """Open orders of the machines, and their plans' due dates until the last day; one query.

    An order without a time stands on its due date, one that is late on today.
    """
    ids = set(devices)
    found: list[Work] = []
    rows = (
        WorkOrder.objects.filter(device__in=ids, state__in=OPEN)
        .select_related("plan__model_plan")
        .order_by("pk")
    )
    for order in rows:
        at: datetime | None = order.scheduled_for
        stands = timezone.localdate(at) if at else order.due_on
        day = max(today, stands or today)
        found.append(_of(order.plan, order, day=day, due_on=order.due_on, done=done))
    for plan in plans:
        if plan.device_id in ids:
            found += [
                _of(plan, None, day=due, due_on=due, done=done)
                for due in dates_between(plan, today, last)
            ]
    return found


def _of(
    plan: MaintenancePlan | None,
    order: WorkOrder | None,
    *,
    day: date,
    due_on: date | None,
    done: Done,
) -> Work:
    source: Any = order or plan
    device: int = source.device_id
    limits, next_due = guard.Limits(), None
    if plan is not None and due_on is not None:
        next_due = _next_due(plan, due_on)
        limits = guard.limits(
            due_on=due_on,
            grace_days=source.grace_days,
            # of a due date further ahead the one before it counts, which isn't done yet
            last_done=done.by_plan.get(plan.pk) if order is not None else None,
            longest_months=longest_months(plan),
            next_due=next_due,
        )
    return Work(order, plan, device, source.title, day, due_on, source.grace_days, limits, next_due)


def made_on(item: Work) -> date | None:
    """When the order of a due date is made."""
    if item.order is not None or item.plan is None or item.due_on is None:
        return None
    return item.due_on - timedelta(days=item.plan.lead_days)
