"""The month as a grid of days: orders, due dates that have none yet, and downtime."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Case, Count, F, Q, When, Window
from django.db.models.functions import Coalesce, RowNumber, TruncDate
from django.utils import timezone

from . import schedule
from .models import Downtime, MaintenancePlan, WorkOrder
from .models.device import Lifecycle
from .models.maintenance import OrderState
from .order_steps import FINISHED
from .selectors_maintenance import OrderFilter, downtimes
from .selectors_plans import dates_between

MAX_PLANS = 1_000  # plans looked at for due dates ahead
PER_DAY = 6
# what a cell says of an order
CELL = (
    "title", "state", "due_on", "grace_days", "scheduled_for", "completed_at", "device__name",
)  # fmt: skip


@dataclass(slots=True)
class Day:
    """One cell of the grid."""

    date: date
    in_month: bool
    is_today: bool
    orders: list[WorkOrder] = field(default_factory=list)  # as many as a cell holds
    order_count: int = 0
    expected: list[MaintenancePlan] = field(default_factory=list)
    down: list[Downtime] = field(default_factory=list)

    @property
    def more(self) -> int:
        """How many orders it doesn't hold."""
        return self.order_count - len(self.orders)

    @property
    def shown_expected(self) -> list[MaintenancePlan]:
        """As many as a cell holds."""
        return self.expected[:PER_DAY]

    @property
    def more_expected(self) -> int:
        """How many it doesn't."""
        return max(0, len(self.expected) - PER_DAY)

    @property
    def shown_down(self) -> list[Downtime]:
        """As many as a cell holds."""
        return self.down[:PER_DAY]

    @property
    def more_down(self) -> int:
        """How many it doesn't."""
        return max(0, len(self.down) - PER_DAY)


@dataclass(frozen=True, slots=True)
class Month:
    """A month's weeks, Monday first."""

    first: date
    weeks: list[list[Day]]
    previous: date | None
    following: date | None
    plans_left_out: bool  # more plans than `MAX_PLANS` have due dates ahead


def month(chosen: OrderFilter, first: date, today: date) -> Month:
    """The grid of one month, in a constant number of queries.

    An order stands on the day for which it is scheduled, else on its due date.

    Args:
        chosen: narrowed by machine and assignee.
        first: first day of the month, within the years of `schedule`.
        today: in the hospital's zone.
    """
    dates = calendar.Calendar().monthdatescalendar(first.year, first.month)
    start, end = dates[0][0], dates[-1][-1]
    days = {
        each: Day(each, in_month=each.month == first.month, is_today=each == today)
        for week in dates
        for each in week
    }
    _put_orders(chosen, days, start, end)
    left_out = _put_expected(chosen, days, start, end)
    _put_downtimes(chosen, days, start, end)
    before = first - timedelta(days=1)
    after = end if end.month != first.month else end + timedelta(days=1)
    return Month(
        first=first,
        weeks=[[days[each] for each in week] for week in dates],
        previous=before.replace(day=1) if before.year >= schedule.FIRST_YEAR else None,
        following=after.replace(day=1) if after.year <= schedule.LAST_YEAR else None,
        plans_left_out=left_out,
    )


def _moments(start: date, end: date) -> tuple[datetime, datetime]:
    return (
        timezone.make_aware(datetime.combine(start, time.min)),
        timezone.make_aware(datetime.combine(end + timedelta(days=1), time.min)),
    )


def _put_orders(chosen: OrderFilter, days: dict[date, Day], start: date, end: date) -> None:
    low, high = _moments(start, end)
    here = Q(scheduled_for__gte=low, scheduled_for__lt=high) | Q(
        scheduled_for=None, due_on__range=(start, end)
    )
    # a large house has thousands in a month: the database counts, and picks what a cell shows;
    # a full cell shows open work before what is done
    found = (
        WorkOrder.objects.filter(chosen.narrows() & here)
        .exclude(state=OrderState.CANCELLED)
        .annotate(day=Coalesce(TruncDate("scheduled_for"), "due_on"))
        .annotate(
            total=Window(Count("pk"), partition_by=F("day")),
            place=Window(
                RowNumber(),
                partition_by=F("day"),
                order_by=[
                    Case(When(state__in=FINISHED, then=1), default=0),
                    F("scheduled_for").asc(nulls_last=True),
                    "pk",
                ],
            ),
        )
        .filter(place__lte=PER_DAY)
    )
    shown = list(found.order_by("place").values_list("pk", "day", "total"))
    rows = WorkOrder.objects.select_related("device").only(*CELL)
    whole = rows.in_bulk([pk for pk, _, _ in shown])
    for pk, day, total in shown:
        if day in days:
            days[day].order_count = total
            if pk in whole:
                days[day].orders.append(whole[pk])


def _put_expected(chosen: OrderFilter, days: dict[date, Day], start: date, end: date) -> bool:
    """Due dates whose order isn't made yet; nobody is assigned to those."""
    if chosen.assignee and chosen.assignee != "nobody":
        return False
    running = MaintenancePlan.objects.filter(active=True, next_due_on__lte=end).exclude(
        device__lifecycle=Lifecycle.RETIRED
    )
    if chosen.machine is not None:
        running = running.filter(device_id=chosen.machine)
    found = list(running.select_related("device").order_by("next_due_on", "pk")[: MAX_PLANS + 1])
    for plan in found[:MAX_PLANS]:
        for day in dates_between(plan, start, end):
            days[day].expected.append(plan)
    return len(found) > MAX_PLANS


def _put_downtimes(chosen: OrderFilter, days: dict[date, Day], start: date, end: date) -> None:
    low, high = _moments(start, end)
    found = downtimes().filter(Q(ends_at=None) | Q(ends_at__gt=low), starts_at__lt=high)
    if chosen.machine is not None:
        found = found.filter(device_id=chosen.machine)
    for item in found:
        last = timezone.localdate((item.ends_at or timezone.now()) - timedelta(microseconds=1))
        day = max(start, timezone.localdate(item.starts_at))
        while day <= min(last, end):
            days[day].down.append(item)
            day += timedelta(days=1)
