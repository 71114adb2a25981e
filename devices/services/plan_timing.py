"""When a plan is due next: by the calendar, from when it was last done, or by use."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Max, Q
from django.utils import timezone

from devices import schedule
from devices.models import MaintenancePlan, WorkOrder, WorkOrderEvent
from devices.models.maintenance import OrderState, Timing
from devices.order_steps import FINISHED, OPEN
from devices.selectors.meters import counts
from twinhealth.errors import InvalidInputError


def rule_of(plan: MaintenancePlan) -> schedule.Rule:
    """The rule, in the hospital's zone."""
    return schedule.parse(plan.rrule, zone=timezone.get_default_timezone())


def first_due(plan: MaintenancePlan, now: datetime) -> date | None:
    """Where a new plan begins: at its latest due date, or at the first to come."""
    today = timezone.localdate(now)
    if plan.timing == Timing.FLOATING:
        return plan.starts_on
    if plan.timing == Timing.METER:
        return _by_use(plan, now)
    rule = rule_of(plan)
    latest = schedule.last_until(rule, plan.starts_on, today)
    return latest or schedule.next_after(rule, plan.starts_on, today)


def next_due(plan: MaintenancePlan, now: datetime) -> date | None:
    """From where a plan goes on after a pause or a change.

    By the calendar from today on; else there is at most one order at a time, and the next is
    counted once that is done.
    """
    if plan.timing == Timing.FIXED:
        return schedule.next_from(rule_of(plan), plan.starts_on, timezone.localdate(now))
    if WorkOrder.objects.filter(plan=plan, state__in=OPEN).exists():
        return None
    if plan.timing == Timing.METER:
        return _by_use(plan, now)
    counted = WorkOrder.objects.filter(Q(plan=plan) | Q(counts_for=plan), state__in=FINISHED)
    last = counted.aggregate(last=Max("completed_at"))["last"]
    return schedule.after(rule_of(plan), timezone.localdate(last)) if last else plan.starts_on


def _by_use(plan: MaintenancePlan, now: datetime) -> date | None:
    found = counts([plan], now).get(plan.pk)
    if found is None:
        return None
    return found.due_on(plan.meter_every or 0.0, timezone.localdate(now))


def begin_counting(plan: MaintenancePlan, now: datetime) -> None:
    """A plan by use counts from what its counter shows now; unread, from the first reading."""
    found = counts([plan], now).get(plan.pk)
    plan.meter_base = found.value if found else None
    plan.meter_since = now


def locked(plan_id: int) -> MaintenancePlan:
    """The row as it is now, held until the transaction ends; the job waits for it."""
    return (
        MaintenancePlan.objects.select_related("meter", "device")
        .select_for_update(no_key=True, of=("self",))
        .get(pk=plan_id)
    )


def check_counts_for(order: WorkOrder, plan: MaintenancePlan) -> None:
    """An extra check counts only for a plan of its machine that is counted from work.

    Raises:
        InvalidInputError: `counts_for_another_device`, `counts_for_fixed`, `counts_for_own`.
    """
    if plan.device_id != order.device_id:
        raise InvalidInputError("counts_for_another_device", "This plan is of another machine.")
    if order.plan_id is not None:
        raise InvalidInputError("counts_for_own", "This order is of a plan already.")
    if plan.timing == Timing.FIXED:
        raise InvalidInputError(
            "counts_for_fixed", "A plan by the calendar keeps its dates whatever else is done."
        )


def done(order: WorkOrder, at: datetime) -> None:
    """Work was done: a plan that is counted from it goes on from then."""
    plan_id = order.plan_id or order.counts_for_id
    if plan_id is not None:
        _count_from(locked(plan_id), at, extra=order.plan_id is None)


def skipped(order: WorkOrder, at: datetime) -> None:
    """A person cancelled a plan's order: the next is counted from the day it was due."""
    if order.plan_id is None:
        return
    plan = locked(order.plan_id)
    due_on = order.occurs_on or order.due_on
    if plan.timing == Timing.FLOATING and due_on is not None:
        following = schedule.after(rule_of(plan), due_on)
        plan.next_due_on = max(following, timezone.localdate(at))
        plan.save(update_fields=["next_due_on"])
    else:
        _count_from(plan, at, extra=False)


def _count_from(plan: MaintenancePlan, at: datetime, *, extra: bool) -> None:
    if plan.timing == Timing.FIXED:
        return
    if plan.timing == Timing.METER:
        begin_counting(plan, at)
        due_on = _by_use(plan, at)
    else:
        due_on = schedule.after(rule_of(plan), timezone.localdate(at))
    if extra and not _moved_on(plan, due_on):
        due_on = None  # its order is being worked on, or has its time: that one decides
    plan.next_due_on = due_on
    plan.save(update_fields=["next_due_on", "meter_base", "meter_since"])


def _moved_on(plan: MaintenancePlan, due_on: date | None) -> bool:
    """Withdraw the order that the extra check made needless; false where somebody touched it."""
    waiting = WorkOrder.objects.select_for_update(no_key=True).filter(plan=plan, state__in=OPEN)
    for order in waiting:
        if order.state != OrderState.PLANNED or order.assigned_to_id or order.scheduled_for:
            return False
        order.state, order.cancel_reason = OrderState.CANCELLED, COUNTED
        order.save(update_fields=["state", "cancel_reason"])
        WorkOrderEvent.objects.create(
            order=order,
            from_state=OrderState.PLANNED,
            to_state=OrderState.CANCELLED,
            note=f"{COUNTED} Next on {due_on:%Y-%m-%d}." if due_on else COUNTED,
        )
    return True


COUNTED = "An extra check counted for the plan."
