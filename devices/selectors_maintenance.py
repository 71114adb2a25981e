"""Reads of maintenance: one function per page or list, each with a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.permissions import TABLE, Can
from twinhealth.errors import NotFoundError

from . import schedule
from .models import Device, Downtime, MaintenancePlan, WorkOrder
from .models.device import Lifecycle
from .models.maintenance import OrderState, Timing
from .order_steps import FINISHED, OPEN
from .schedule_words import by_use, floating, sentence
from .selectors_due import (
    SHOWN_Q,
    SOON_DAYS,
    VIEWS,
    Shown,
    finished_q,
    on_time_q,
    preventive_q,
    shown,
)

BOARD: dict[str, tuple[str, ...]] = {
    "planned": (OrderState.REQUESTED, OrderState.PLANNED, OrderState.SCHEDULED),
    "in progress": (OrderState.IN_PROGRESS,),
    "on hold": (OrderState.ON_HOLD,),
    "done": FINISHED,
}
BOARD_CARDS = 30
ORDERINGS = {
    "due": "due_on",
    "number": "pk",
    "title": "title",
    "machine": "device__name",
    "state": "state",
    "assignee": "assigned_to__username",
    "completed": "completed_at",
}


def orders() -> QuerySet[WorkOrder]:
    """All orders with what a row shows."""
    return WorkOrder.objects.select_related("device", "plan", "assigned_to", "completed_by")


def order(pk: int) -> WorkOrder:
    """One order with all that its page shows.

    Raises:
        NotFoundError: `order_not_found`.
    """
    found = (
        orders()
        .select_related(
            "alert__rule__metric", "alert__rule__current", "created_by", "verified_by", "follows"
        )
        .prefetch_related(
            "events__by", "downtimes__created_by", "files__by", "labour__person", "costs__by"
        )
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise NotFoundError("order_not_found", "There is no such work order.")
    return found


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


def downtime(pk: int) -> Downtime:
    """One downtime.

    Raises:
        NotFoundError: `downtime_not_found`.
    """
    found = Downtime.objects.select_related("device", "order").filter(pk=pk).first()
    if found is None:
        raise NotFoundError("downtime_not_found", "There is no such downtime.")
    return found


def downtimes() -> QuerySet[Downtime]:
    """All downtimes, those that last first, then the newest."""
    return Downtime.objects.select_related("device", "order", "created_by").order_by(
        F("ends_at").desc(nulls_first=True), "-starts_at", "-pk"
    )


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What the page can be narrowed by; empty means all."""

    show: str = ""  # a key of `VIEWS`; open orders unless a state is asked for
    machine: int | None = None
    assignee: str = ""  # a user's number, or `nobody`
    state: str = ""
    plan: int | None = None
    on: date | None = None  # due or scheduled on this day

    def q(self, today: date) -> Q:
        """The rows."""
        show = self.show if self.show in VIEWS else "all" if self.state or self.on else "open"
        found = VIEWS[show][1](today)
        if self.machine is not None:
            found &= Q(device_id=self.machine)
        if self.assignee == "nobody":
            found &= Q(assigned_to=None)
        elif self.assignee.isdecimal():
            found &= Q(assigned_to_id=int(self.assignee[:18]))
        if self.state in OrderState.values:
            found &= Q(state=self.state)
        if self.plan is not None:
            found &= Q(plan_id=self.plan)
        if self.on is not None:
            found &= Q(scheduled_for__date=self.on) | Q(scheduled_for=None, due_on=self.on)
        return found

    def narrows(self) -> Q:
        """Machine and assignee alone: what the board and the calendar can be narrowed by."""
        only = OrderFilter(show="all", machine=self.machine, assignee=self.assignee)
        return only.q(date.min)


def order_table(chosen: OrderFilter, *, ordering: str, today: date) -> QuerySet[WorkOrder]:
    """Rows of the table; orders without a date come last.

    Args:
        chosen: the filters.
        ordering: a key of `ORDERINGS`, `-` in front for descending; by due date unless known.
        today: in the hospital's zone.
    """
    field = F(ORDERINGS.get(ordering.removeprefix("-"), "due_on"))
    down = ordering.startswith("-")
    by = field.desc(nulls_last=True) if down else field.asc(nulls_last=True)
    return orders().filter(chosen.q(today)).order_by(by, "pk")


@dataclass(frozen=True, slots=True)
class Kpis:
    """The numbers on top; each is the count of a view's rows."""

    overdue: int
    due: int
    in_progress: int
    on_hold: int
    done: int
    on_time: int
    preventive: int
    preventive_done: int

    @property
    def on_time_percent(self) -> int | None:
        """Of plans' orders done in 90 days or overdue now, the share done within their grace.

        Unknown while nothing was done: no evidence is not 0 %.
        """
        if not self.preventive_done:
            return None
        return round(100 * self.on_time / self.preventive)


def kpis(today: date) -> Kpis:
    """All of them in one query."""
    wanted: dict[str, Q] = {
        name: VIEWS[name][1](today) for name in ("overdue", "due", "in_progress", "on_hold", "done")
    }
    wanted["on_time"] = on_time_q(today)
    wanted["preventive"] = preventive_q(today)
    wanted["preventive_done"] = preventive_q(today) & finished_q(today)
    recent = WorkOrder.objects.filter(Q(state__in=OPEN) | finished_q(today))
    return Kpis(**recent.aggregate(**{k: Count("pk", filter=q) for k, q in wanted.items()}))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the board: the first cards of all its orders."""

    name: str
    cards: list[WorkOrder]
    count: int


def board(chosen: OrderFilter, today: date) -> list[Column]:
    """Planned, in progress, on hold, done in 90 days."""
    found = WorkOrder.objects.filter(chosen.narrows())
    rows = {name: Q(state__in=states) for name, states in BOARD.items()}
    rows["done"] = finished_q(today)
    keys = {name: name.replace(" ", "_") for name in rows}
    counts = found.aggregate(**{keys[name]: Count("pk", filter=q) for name, q in rows.items()})
    columns = []
    for name, q in rows.items():
        by = F("completed_at").desc() if name == "done" else F("due_on").asc(nulls_last=True)
        cards = orders().filter(chosen.narrows() & q).order_by(by, "pk")[:BOARD_CARDS]
        columns.append(Column(name=name, cards=list(cards), count=counts[keys[name]]))
    return columns


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


def workers() -> QuerySet[User]:
    """Who may be given an order."""
    roles = [role for role, may in TABLE.items() if Can.ORDER_WORK in may]
    return User.objects.filter(is_active=True, role__in=roles).order_by("username")


def machines() -> QuerySet[Device]:
    """Machines that can get work."""
    return Device.objects.exclude(lifecycle=Lifecycle.RETIRED).order_by("name", "pk")
