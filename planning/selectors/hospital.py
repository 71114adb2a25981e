"""The hospital as a simulation takes it: gathered in a constant number of queries."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from devices.blackouts import Span
from devices.models import Blackout, Device, MaintenancePlan
from devices.models.device import Lifecycle
from devices.selectors import risk as risks_of
from maintenance.selectors_week import WORKDAY_HOURS, lengths
from planning import assumptions as assumed
from planning.assumptions import Assumptions
from planning.book import Book, MachineRow, OrderRow
from planning.simulation.inputs import NEVER, Assumed, Flags, Orders, Staff, World

from . import exams, machines, orders, repairs, sources

ORDER_HOURS = 2.0  # of planned work whose length nobody measured


def book(given: Assumptions, *, now: datetime) -> Book:
    """Everything, as of now; about twenty queries, however many machines there are."""
    today = timezone.localdate(now)
    facts = _facts(given, now=now, today=today)
    devices, work, hours = facts.devices, facts.work, facts.hours
    parts = sources.parts(given, facts.past)
    found, pools = machines.machines(facts, today=today)
    place = {each.pk: n for n, each in enumerate(devices)}
    world = World(
        machines=found,
        orders=_orders(work, hours, place, today),
        staff=_staff(given, today),
        pools=pools,
        weekday=today.weekday(),
        days=assumed.DAYS,
        runs=given.runs,
        seed=given.seed,
        assumed=Assumed(given.wear, parts.share, parts.hours),
    )
    return Book(
        today=today,
        world=world,
        machines=[
            MachineRow(
                each.pk, each.name, each.model_id, str(each.model), facts.risks[each.pk].short
            )
            for each in devices
        ],
        orders=[_row(each, hours, place) for each in work],
        blocked=_blocked(work, today),
        sources=sources.told(facts, world, parts),
    )


def _facts(given: Assumptions, *, now: datetime, today: date) -> machines.Facts:
    devices = list(
        Device.objects.filter(lifecycle=Lifecycle.IN_SERVICE).select_related("model").order_by("pk")
    )
    ids = [each.pk for each in devices]
    plans = list(
        MaintenancePlan.objects.filter(device__in=ids, active=True)
        .select_related("model_plan")
        .order_by("pk")
    )
    done = orders.last_done(ids)
    work = orders.work(ids, plans, done, today=today, last=today + timedelta(days=assumed.DAYS - 1))
    return machines.Facts(
        devices=devices,
        plans=plans,
        done=done,
        risks=risks_of.risks(devices, at=now),
        past=repairs.repairs(),
        usual=exams.per_hour_of_week(ids, now=now),
        work=work,
        hours=lengths({each.plan.pk for each in work if each.plan is not None}),
        given=given,
    )


def engineers() -> int:
    """Accounts of engineers."""
    return User.objects.filter(is_active=True, role=Role.ENGINEER).count()


def _staff(given: Assumptions, today: date) -> Staff:
    people = engineers() if given.engineers is None else given.engineers
    weekday = (np.arange(assumed.DAYS) + today.weekday()) % 7 < 5
    return Staff(np.where(weekday, people, 0), (8, WORKDAY_HOURS), given.overtime)


def _orders(
    work: list[orders.Work], hours: dict[int | None, float], place: dict[int, int], today: date
) -> Orders:
    def last(item: orders.Work) -> int:
        if item.due_on is None:
            return NEVER
        return (item.due_on - today).days + item.grace_days

    def day(item: orders.Work) -> int:
        return (item.day - today).days

    return Orders(
        ids=np.array(
            [each.order.pk if each.order else -1 - n for n, each in enumerate(work)],
            dtype=np.int64,
        ),
        machine=np.array([place[each.device] for each in work], dtype=np.int64),
        day=np.array([day(each) for each in work], dtype=np.int64),
        late_after=np.array([last(each) for each in work], dtype=np.int64),
        hours=np.array([_hours(each, hours) for each in work], dtype=float),
        counts=np.array(
            [each.plan is not None and each.due_on is not None for each in work], dtype=bool
        ),
        restores=np.array([each.plan is not None for each in work], dtype=bool),
        dropped=np.zeros(len(work), dtype=bool),
    )


def _hours(item: orders.Work, known: dict[int | None, float]) -> float:
    plan = item.plan.pk if item.plan else None
    # what was forgotten to be signed lasted for days; a machine is not away that long
    return min(max(known.get(plan, ORDER_HOURS), 0.25), float(WORKDAY_HOURS))


def _row(item: orders.Work, known: dict[int | None, float], place: dict[int, int]) -> OrderRow:
    return OrderRow(
        pk=item.order.pk if item.order else None,
        title=item.title,
        machine=place[item.device],
        day=item.day,
        limits=item.limits,
        next_due=item.next_due,
        movable=item.movable,
        seen=item.seen,
        hours_known=item.plan is not None and item.plan.pk in known,
        made_on=orders.made_on(item),
    )


def _blocked(work: list[orders.Work], today: date) -> Flags:
    """Blackouts of the hospital and of each order's plan."""
    of: dict[int | None, list[Span]] = {}
    for plan, first, last, yearly in Blackout.objects.values_list(
        "plan", "starts_on", "ends_on", "yearly"
    ):
        of.setdefault(plan, []).append(Span(first, last, yearly))
    days = [today + timedelta(days=n) for n in range(assumed.DAYS)]

    def shut(spans: list[Span]) -> list[bool]:
        return [any(span.covers(day) for span in spans) for day in days]

    house = np.array(shut(of.get(None, [])), dtype=bool)
    found = np.tile(house, (len(work), 1))
    for n, item in enumerate(work):
        if item.plan is not None and item.plan.pk in of:
            found[n] |= np.array(shut(of[item.plan.pk]), dtype=bool)
    return found
