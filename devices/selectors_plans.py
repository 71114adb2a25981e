"""Reads of plans and what is due of them, each with a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet
from django.utils import timezone

from twinhealth.errors import NotFoundError

from . import schedule
from .models import Device, Downtime, MaintenancePlan, WorkOrder
from .models.maintenance import OrderState, Timing
from .order_steps import FINISHED, OPEN
from .schedule_words import by_use, floating, sentence
from .selectors_due import SHOWN_Q, SOON_DAYS, Shown, shown
from .selectors_maintenance import downtimes, orders


def plan(pk: int) -> MaintenancePlan:
    """One plan.

    Raises:
        NotFoundError: `plan_not_found`.
    """
    found = (
        MaintenancePlan.objects.select_related("device", "created_by", "meter")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise NotFoundError("plan_not_found", "There is no such maintenance plan.")
    return found


def countable_plans(of: WorkOrder) -> QuerySet[MaintenancePlan]:
    """Plans for which an order that no plan made may count: those that are counted from work."""
    found = MaintenancePlan.objects.exclude(timing=Timing.FIXED).filter(active=True)
    return found.filter(device=of.device_id) if of.plan_id is None else found.none()


def rule_of(item: MaintenancePlan) -> schedule.Rule:
    """The plan's rule, in the hospital's zone."""
    return schedule.parse(item.rrule, zone=timezone.get_default_timezone())


def words_of(item: MaintenancePlan) -> str:
    """How often, in words."""
    if item.meter is not None:
        return by_use(item.meter_every or 0.0, item.meter.unit, item.meter.label)
    rule = rule_of(item)
    return floating(rule) if item.timing == Timing.FLOATING else sentence(rule, item.starts_on)


def dates_between(item: MaintenancePlan, first: date, last: date) -> list[date]:
    """Due dates ahead that have no order yet; of what is counted from work, the next one alone."""
    start = item.next_due_on
    if start is None or start > last:
        return []
    if item.timing != Timing.FIXED:
        return [start] if start >= first else []
    return schedule.between(rule_of(item), item.starts_on, max(first, start), last)


def next_dates(item: MaintenancePlan, today: date, count: int = 5) -> list[date]:
    """The next due dates from today on; of what is counted from work, the next one alone."""
    if item.timing != Timing.FIXED:
        return [item.next_due_on] if item.next_due_on else []
    found: list[date] = []
    day = schedule.next_from(rule_of(item), item.starts_on, today)
    while day is not None and len(found) < count:
        found.append(day)
        day = schedule.next_after(rule_of(item), item.starts_on, day)
    return found


@dataclass(frozen=True, slots=True)
class PlanStatus:
    """A plan with what is due of it next.

    `due_on` is of the oldest order that is still open, else of the rule's next day; `None` when
    the rule has ended or the plan is paused.
    """

    plan: MaintenancePlan
    sentence: str
    due_on: date | None
    shown: Shown | None
    order: WorkOrder | None

    def as_dict(self) -> dict[str, Any]:
        """An entry of `maintenance[]` in REST."""
        return {
            "plan": self.plan.pk,
            "title": self.plan.title,
            "rrule": self.plan.rrule,
            "rule": self.sentence,
            "active": self.plan.active,
            "next_due_on": self.due_on,
            "state": self.shown,
            "order": self.order.pk if self.order else None,
        }


def plans() -> QuerySet[MaintenancePlan]:
    """All plans: those that run first, what is due soonest first."""
    return MaintenancePlan.objects.select_related("device", "created_by", "meter").order_by(
        "-active", F("next_due_on").asc(nulls_last=True), "pk"
    )


def plan_statuses(items: Iterable[MaintenancePlan], today: date) -> list[PlanStatus]:
    """What is due next of each plan, in one query for all."""
    listed = list(items)
    oldest: dict[int | None, WorkOrder] = {}
    for each in orders().filter(plan__in=listed, state__in=OPEN).order_by("due_on", "pk"):
        oldest.setdefault(each.plan_id, each)
    return [_status(item, oldest.get(item.pk), today) for item in listed]


def _status(item: MaintenancePlan, work: WorkOrder | None, today: date) -> PlanStatus:
    due_on = work.due_on if work else item.next_due_on if item.active else None
    return PlanStatus(
        plan=item,
        sentence=words_of(item),
        due_on=due_on,
        shown=shown(work, today) if work else _shown_date(due_on, today),
        order=work,
    )


def _shown_date(due_on: date | None, today: date) -> Shown | None:
    """Of a due date that has no order yet, which isn't late before the next round made one."""
    if due_on is None:
        return None
    if due_on <= today:
        return Shown.DUE
    return Shown.DUE_SOON if due_on <= today + timedelta(days=SOON_DAYS) else Shown.LATER


@dataclass(frozen=True, slots=True)
class DeviceMaintenance:
    """What the twin's page shows."""

    plans: list[PlanStatus]
    orders: list[WorkOrder]  # open ones first, then the newest
    downtimes: list[Downtime]  # one that lasts first, then the newest

    def as_list(self) -> list[dict[str, Any]]:
        """`maintenance[]` in REST: the plans with what is due of each."""
        return [status.as_dict() for status in self.plans]


def for_device(device: Device, *, today: date | None = None, recent: int = 10) -> DeviceMaintenance:
    """A machine's plans with what is due next, its recent orders and downtimes: four queries."""
    today = today or timezone.localdate()
    closed = Q(state__in=[*FINISHED, OrderState.CANCELLED])
    mine = orders().filter(device=device)
    still_open = list(mine.exclude(closed).order_by(F("due_on").asc(nulls_last=True), "pk"))
    rest = list(mine.filter(closed).order_by("-pk")[:recent])
    statuses = []
    for item in plans().filter(device=device):
        work = next((each for each in still_open if each.plan_id == item.pk), None)
        statuses.append(_status(item, work, today))
    return DeviceMaintenance(
        plans=statuses,
        orders=still_open + rest,
        downtimes=list(downtimes().filter(device=device)[:recent]),
    )


@dataclass(frozen=True, slots=True)
class NextDue:
    """When a machine's next planned maintenance is."""

    due_on: date
    shown: Shown
    overdue: int  # orders of plans that are late beyond their grace


def next_due_many(devices: Iterable[Device], *, today: date | None = None) -> dict[int, NextDue]:
    """Per machine the next planned maintenance; machines without any are left out. Two queries."""
    today = today or timezone.localdate()
    ids = [device.pk for device in devices]
    found: dict[int, list[date]] = defaultdict(list)
    late: dict[int, int] = {}
    work = WorkOrder.objects.filter(
        device__in=ids, plan__isnull=False, due_on__isnull=False, state__in=OPEN
    )
    for row in work.values("device_id").annotate(
        # not `due_on`: the filter beside it means the column
        earliest=Min("due_on"),
        late=Count("pk", filter=SHOWN_Q[Shown.OVERDUE](today)),
    ):
        found[row["device_id"]].append(row["earliest"])
        late[row["device_id"]] = row["late"]
    ahead = MaintenancePlan.objects.filter(device__in=ids, active=True, next_due_on__isnull=False)
    for device_id, due_on in ahead.values_list("device_id").annotate(Min("next_due_on")):
        found[device_id].append(due_on)
    result = {}
    for device_id, dates in found.items():
        due_on = min(dates)
        state = Shown.OVERDUE if late.get(device_id) else _shown_date(due_on, today)
        result[device_id] = NextDue(due_on, state or Shown.LATER, late.get(device_id, 0))
    return result
