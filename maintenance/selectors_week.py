"""The week in lanes: who has what, and how much of a working day it fills."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import median

from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from devices.models import WorkOrder
from devices.models.maintenance import OrderState
from devices.order_steps import FINISHED, possible
from devices.selectors.order_people import missing_of
from devices.selectors_maintenance import OrderFilter, orders, workers

WORKDAY_HOURS = 8  # of one person, on a weekday
SAMPLE = 2_000  # finished orders looked at for how long a plan's work takes
MOST = 2_000  # orders of one week


@dataclass(slots=True)
class Cell:
    """One person's day."""

    date: date
    orders: list[WorkOrder] = field(default_factory=list)
    hours: float = 0.0  # of open orders whose length is known
    unknown: int = 0  # open orders of which nobody knows how long they take

    @property
    def capacity(self) -> int:
        """Working hours of the day."""
        return WORKDAY_HOURS if self.date.weekday() < 5 else 0

    @property
    def over(self) -> bool:
        """More work than hours."""
        return self.hours > self.capacity


@dataclass(frozen=True, slots=True)
class Lane:
    """One person's week; `None`: nobody's yet."""

    person: User | None
    days: list[Cell]

    @property
    def count(self) -> int:
        """Orders in it."""
        return sum(len(day.orders) for day in self.days)


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from Monday on."""

    first: date
    days: list[date]
    lanes: list[Lane]
    left_out: bool

    @property
    def name(self) -> str:
        """`2026-W48` (ISO 8601)."""
        return name_of(self.first)

    @property
    def previous(self) -> str:
        """The week before."""
        return name_of(self.first - timedelta(days=7))

    @property
    def following(self) -> str:
        """The week after."""
        return name_of(self.first + timedelta(days=7))


def name_of(day: date) -> str:
    """The ISO week of a day."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def first_of(text: str, today: date) -> date:
    """Monday of the week `2026-W48`; this week for anything else."""
    year, _, number = text.partition("-W")
    if len(text) == 8 and year.isdecimal() and number.isdecimal() and 2000 <= int(year) <= 2999:
        try:
            return date.fromisocalendar(int(year), int(number), 1)
        except ValueError:
            pass
    return today - timedelta(days=today.weekday())


def week(chosen: OrderFilter, first: date) -> Week:
    """Lanes of all who work on orders, in a constant number of queries.

    Args:
        chosen: narrowed by machine and assignee.
        first: a Monday.
    """
    days = [first + timedelta(days=number) for number in range(7)]
    low, high = (
        timezone.make_aware(datetime.combine(day, time.min))
        for day in (first, first + timedelta(days=7))
    )
    here = Q(scheduled_for__gte=low, scheduled_for__lt=high) | Q(
        scheduled_for=None, due_on__range=(days[0], days[-1])
    )
    found = orders().filter(chosen.narrows() & here).exclude(state=OrderState.CANCELLED)
    rows = list(found.order_by(F("scheduled_for").asc(nulls_last=True), "pk")[: MOST + 1])
    people = list(workers())
    known = {person.pk for person in people}
    people += [
        order.assigned_to
        for order in {row.assigned_to_id: row for row in rows}.values()
        if order.assigned_to and order.assigned_to_id not in known
    ]
    lanes: dict[int | None, Lane] = {None: Lane(None, [Cell(day) for day in days])}
    lanes |= {person.pk: Lane(person, [Cell(day) for day in days]) for person in people}
    hours = lengths({row.plan_id for row in rows if row.plan_id})
    lacks = missing_of(rows)
    for order in rows[:MOST]:
        at = order.scheduled_for
        day = timezone.localdate(at) if at else order.due_on
        if day is not None:
            order.skills_missing = lacks.get(order.pk, [])  # type: ignore[attr-defined]
            _put(lanes[order.assigned_to_id].days[(day - first).days], order, hours)
    shown = [lane for lane in lanes.values() if lane.count or _wanted(lane, chosen)]
    return Week(first, days, shown, len(rows) > MOST)


def _wanted(lane: Lane, chosen: OrderFilter) -> bool:
    """An empty lane is a place to drop work on, unless one person alone was asked for."""
    return not chosen.assignee or (
        lane.person is not None and str(lane.person.pk) == chosen.assignee
    )


def _put(cell: Cell, order: WorkOrder, known: dict[int | None, float]) -> None:
    order.can_move = "schedule" in possible(order.state)  # type: ignore[attr-defined]
    cell.orders.append(order)
    if order.state in FINISHED:
        return
    hours = known.get(order.plan_id)
    if hours is None:
        cell.unknown += 1
    else:
        cell.hours += hours


def lengths(plans: Collection[int]) -> dict[int | None, float]:
    """Of each plan, the median hours from start to completion of its finished orders."""
    done: dict[int | None, list[float]] = {}
    for plan, began, ended in (
        WorkOrder.objects.filter(
            plan__in=plans, state__in=FINISHED, started_at__isnull=False, completed_at__isnull=False
        )
        .order_by("-completed_at")
        .values_list("plan_id", "started_at", "completed_at")[:SAMPLE]
    ):
        if began is not None and ended is not None:
            done.setdefault(plan, []).append((ended - began).total_seconds() / 3600)
    return {plan: median(hours) for plan, hours in done.items()}
