"""What is shown of maintenance: derived states, numbers, board, calendar, the twin's share."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.permissions import Role
from devices import selectors_maintenance as selectors
from devices import selectors_plans as plan_selectors
from devices.models import Device, MaintenancePlan, WorkOrder
from devices.models.maintenance import OrderState
from devices.selectors_calendar import month
from devices.selectors_due import SHOWN_Q, VIEWS, Shown, finished_late, late_after, shown
from devices.selectors_maintenance import OrderFilter
from devices.services import downtimes, orders, plans
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_device, make_order, make_plan, today
from twinhealth.errors import NotFoundError

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 10)


def raw(
    state: str = "planned", due: int | None = None, grace: int = 0, **fields: object
) -> WorkOrder:
    """A row past the services: any date, any state; days count from `DAY`."""
    done = state in {"done", "verified"}
    return WorkOrder.objects.create(
        **{
            "device": Device.objects.first() or make_device(),
            "title": f"{state} {due} {grace}",
            "state": state,
            "due_on": None if due is None else DAY + timedelta(days=due),
            "grace_days": grace,
            "completed_at": datetime(2026, 3, 9, 12, tzinfo=UTC) if done else None,
            "verified_at": datetime(2026, 3, 9, 13, tzinfo=UTC) if state == "verified" else None,
            "signature": "A" if done else "",
            **fields,
        }
    )


def test_the_query_and_the_row_say_the_same_of_every_state() -> None:
    for state in OrderState.values:
        for due in (None, -400, -8, -7, -1, 0, 1, 13, 14, 15, 400):
            for grace in (0, 7, 365):
                raw(state, due, grace)
    rows = list(WorkOrder.objects.all())
    for day in (DAY, DAY - timedelta(days=30), DAY + timedelta(days=500)):
        said = {row.pk: shown(row, day) for row in rows}
        found: dict[int, Shown] = {}
        for state in Shown:
            for pk in WorkOrder.objects.filter(SHOWN_Q[state](day)).values_list("pk", flat=True):
                assert pk not in found, "one state each"
                found[pk] = state
        assert found == said
        assert set(Shown) - set(said.values()) <= {Shown.LATER, Shown.DUE_SOON, Shown.DUE}


@pytest.mark.parametrize(
    ("due", "grace", "expected"),
    [
        (-1, 0, Shown.OVERDUE),
        (-7, 7, Shown.DUE),  # the last day of the grace
        (-8, 7, Shown.OVERDUE),
        (0, 0, Shown.DUE),
        (1, 0, Shown.DUE_SOON),
        (14, 0, Shown.DUE_SOON),
        (15, 0, Shown.LATER),
        (None, 5, Shown.UNDATED),
    ],
)
def test_late_only_beyond_the_grace(due: int | None, grace: int, expected: Shown) -> None:
    order = raw("planned", due, grace)
    assert shown(order, DAY) == expected
    assert (late_after(order) is None) == (due is None)


def test_in_time_is_a_day_of_the_hospitals_zone() -> None:
    # 23:30 UTC on the last day of the grace is the next day in Berlin
    moment = datetime(2026, 3, 12, 23, 30, tzinfo=UTC)
    plan = make_plan(starts_on=date(2030, 1, 1))
    order = raw("done", 0, 2, completed_at=moment, plan=plan)
    assert finished_late(order) is False
    assert selectors.kpis(date(2026, 3, 20)).on_time == 1
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert finished_late(order) is True
        assert selectors.kpis(date(2026, 3, 20)).on_time == 0
    assert finished_late(raw("planned", 0)) is None
    assert finished_late(raw("done", None)) is None


def test_every_number_opens_its_rows() -> None:
    for state in OrderState.values:
        for due in (-20, -3, 5):
            raw(state, due, 5, plan=make_plan(starts_on=date(2030, 1, 1)))
    raw("done", -5, 0, completed_at=datetime(2025, 1, 1, tzinfo=UTC))  # longer than 90 days ago
    raw("in_progress")
    found = selectors.kpis(DAY)
    counts = {name: WorkOrder.objects.filter(q(DAY)).count() for name, (_, q) in VIEWS.items()}
    assert counts["overdue"] == found.overdue == 5
    assert counts["due"] == found.due
    assert counts["in_progress"] == found.in_progress == 4
    assert counts["on_hold"] == found.on_hold == 3
    assert counts["done"] == found.done
    assert counts["preventive"] == found.preventive
    assert counts["open"] + counts["done"] <= counts["all"]
    # by hand: of the planned ones done within 90 days or overdue, those within due date and grace
    rows = [row for row in WorkOrder.objects.all() if row.plan_id]
    since = datetime(2025, 12, 10, tzinfo=UTC)
    done = [row for row in rows if row.completed_at and row.completed_at >= since]
    late = [row for row in rows if shown(row, DAY) == Shown.OVERDUE]
    in_time = [row for row in done if finished_late(row) is False]
    assert 0 < len(in_time) < len(done)
    assert found.on_time_percent == round(100 * len(in_time) / len(done + late))


def test_nothing_done_is_unknown_not_zero() -> None:
    assert selectors.kpis(DAY).on_time_percent is None
    raw("planned", -50, plan=make_plan(starts_on=date(2030, 1, 1)))
    found = selectors.kpis(DAY)
    assert (found.overdue, found.on_time_percent) == (1, None)


def test_the_table_is_narrowed_and_sorted() -> None:
    worker, _, other = user(), make_device(), make_device()
    mine = raw("planned", 3, assigned_to=worker)
    raw("planned", None)
    late = raw("on_hold", -3, device=other)
    raw("done", 1)
    scheduled = raw("scheduled", 9, scheduled_for=datetime(2026, 3, 12, 8, tzinfo=UTC))

    def found(ordering: str = "", **chosen: object) -> list[WorkOrder]:
        return list(selectors.order_table(OrderFilter(**chosen), ordering=ordering, today=DAY))

    assert [row.due_on for row in found()] == [
        late.due_on, mine.due_on, scheduled.due_on, None,
    ]  # fmt: skip
    assert found("-due")[-1].due_on is None
    assert len(found(show="all")) == 5
    assert found(show="nonsense") == found()
    assert found(machine=other.pk) == [late]
    assert found(assignee=str(worker.pk)) == [mine]
    assert found(assignee="nobody", show="overdue") == [late]
    assert len(found(state="done")) == 1
    assert found(on=date(2026, 3, 12)) == [scheduled]
    assert found(on=mine.due_on) == [mine]
    assert found(on=scheduled.due_on) == []
    for key in selectors.ORDERINGS:
        assert len(found(key)) == len(found(f"-{key}")) == 4


def test_the_board_has_every_open_order_once() -> None:
    for state in OrderState.values:
        raw(state, 3)
    columns = selectors.board(OrderFilter(), DAY)
    assert {column.name: column.count for column in columns} == {
        "planned": 3, "in progress": 1, "on hold": 1, "done": 2,
    }  # fmt: skip
    for _ in range(selectors.BOARD_CARDS + 1):
        raw("planned", 1)
    first = selectors.board(OrderFilter(), DAY)[0]
    assert (len(first.cards), first.count) == (selectors.BOARD_CARDS, selectors.BOARD_CARDS + 4)


def test_the_month_shows_orders_what_is_ahead_and_downtime() -> None:
    device = make_device()
    plan = plans.create(
        actor=admin(),
        device=device,
        title="Weekly",
        rrule="FREQ=WEEKLY",
        starts_on=date(2026, 3, 2),
        lead_days=7,
        now=datetime(2026, 3, 2, 12, tzinfo=UTC),
    )
    raw("scheduled", 1, device=device, scheduled_for=datetime(2026, 3, 20, 23, 30, tzinfo=UTC))
    raw("cancelled", 1, device=device)
    for _ in range(8):
        raw("planned", 2, device=device)
    downtimes.create(
        actor=user(),
        device=device,
        reason="tube",
        starts_at=datetime(2026, 3, 4, 12, tzinfo=UTC),
        ends_at=datetime(2026, 3, 6, 0, tzinfo=UTC),
    )
    found = month(OrderFilter(), date(2026, 3, 1), DAY)
    cells = {day.date: day for week in found.weeks for day in week}
    assert len(cells) == 42
    assert (found.previous, found.following) == (date(2026, 2, 1), date(2026, 4, 1))
    assert [d for d, c in cells.items() if c.is_today] == [DAY]
    assert [d.day for d, c in cells.items() if c.orders] == [2, 9, 12, 20]
    assert [d for d, c in cells.items() if c.expected] == [
        date(2026, 3, 16), date(2026, 3, 23), date(2026, 3, 30),
    ]  # fmt: skip
    assert [d.day for d, c in cells.items() if c.down] == [4, 5]
    full = cells[date(2026, 3, 12)]
    assert (len(full.orders), full.more) == (6, 2)
    elsewhere = month(OrderFilter(machine=make_device().pk), date(2026, 3, 1), DAY)
    assert not any(c.orders or c.expected or c.down for week in elsewhere.weeks for c in week)
    someone = month(OrderFilter(assignee=str(user().pk)), date(2026, 3, 1), DAY)
    assert not any(c.orders or c.expected for week in someone.weeks for c in week)
    plans.deactivate(plan=plan, actor=admin())
    paused = month(OrderFilter(), date(2026, 3, 1), DAY)
    assert not any(c.expected for week in paused.weeks for c in week)


@pytest.mark.parametrize(
    ("first", "cells"), [(date(2026, 2, 1), 35), (date(2027, 2, 1), 28), (date(1990, 1, 1), 35)]
)
def test_months_of_four_to_six_weeks(first: date, cells: int) -> None:
    found = month(OrderFilter(), first, DAY)
    assert sum(len(week) for week in found.weeks) == cells
    assert found.following == (first + timedelta(days=31)).replace(day=1)
    assert (found.previous is None) == (first.year == 1990)


def test_what_the_twin_shows() -> None:
    device = make_device()
    plan = make_plan(device, starts_on=today(-3), grace_days=1)
    paused = plans.deactivate(plan=make_plan(device, starts_on=today(60)), actor=admin())
    ahead = make_plan(device, starts_on=today(30))
    done = make_order("done", device=device)
    by_hand = make_order("planned", device=device)
    down = downtimes.start(actor=user(), device=device, reason="x")
    make_plan()
    found = plan_selectors.for_device(device)
    order = WorkOrder.objects.get(plan=plan)
    assert [(s.plan, s.due_on, s.shown, s.order) for s in found.plans] == [
        (ahead, today(30), Shown.LATER, None),
        (plan, today(-3), Shown.OVERDUE, order),
        (paused, None, None, None),
    ]
    assert found.orders == [order, by_hand, done]
    assert found.downtimes == [down]
    entry = found.as_list()[1]
    assert entry == {
        "plan": plan.pk,
        "title": plan.title,
        "rrule": "FREQ=MONTHLY;INTERVAL=3",
        "rule": found.plans[1].sentence,
        "active": True,
        "next_due_on": today(-3),
        "state": "overdue",
        "order": order.pk,
    }


def test_next_due_of_the_fleet() -> None:
    late, soon, none, by_hand, both = (make_device() for _ in range(5))
    make_plan(late, starts_on=today(-30), grace_days=1)
    make_plan(late, starts_on=today(5))
    make_plan(soon, starts_on=today(5))
    make_order("planned", device=by_hand, due_on=today(1))
    make_plan(both, starts_on=today(40))
    order = WorkOrder.objects.get(plan=make_plan(both, starts_on=today(3)))
    orders.cancel(order=order, actor=user(), reason="x")
    found = plan_selectors.next_due_many(Device.objects.all())
    assert set(found) == {late.pk, soon.pk, both.pk}
    assert (found[late.pk].due_on, found[late.pk].shown, found[late.pk].overdue) == (
        today(-30), Shown.OVERDUE, 1,
    )  # fmt: skip
    assert (found[soon.pk].due_on, found[soon.pk].shown) == (today(5), Shown.DUE_SOON)
    assert (found[both.pk].due_on, found[both.pk].shown) == (today(40), Shown.LATER)
    assert none.pk not in found


def test_reads_cost_the_same_for_one_row_and_many() -> None:
    device = make_device()
    counts = []
    for _ in range(2):
        for state in ("done", "planned", "in_progress"):
            make_order(state, device=device)
        make_plan(device)
        down = downtimes.start(actor=user(), device=device, reason="x")
        downtimes.end(downtime=down, actor=user())
        make_plan()
        row = []
        for read in (
            lambda: plan_selectors.for_device(device).as_list(),
            lambda: plan_selectors.next_due_many(Device.objects.all()),
            lambda: selectors.board(OrderFilter(), today()),
            lambda: selectors.kpis(today()),
            lambda: month(OrderFilter(), today().replace(day=1), today()),
            lambda: [
                s.as_dict() for s in plan_selectors.plan_statuses(plan_selectors.plans(), today())
            ],
        ):
            with CaptureQueriesContext(connection) as queries:
                read()
            row.append(len(queries))
        counts.append(row)
    assert counts[0] == counts[1] == [4, 3, 5, 1, 4, 2]


def test_what_is_not_there() -> None:
    for read in (selectors.order, plan_selectors.plan, selectors.downtime):
        with pytest.raises(NotFoundError):
            read(2**62)


def test_workers_are_those_who_may() -> None:
    engineer, boss = user(), admin()
    user(Role.CLINICIAN)
    gone = user()
    gone.is_active = False
    gone.save()
    assert set(selectors.workers()) == {engineer, boss}


def test_next_dates_end_with_the_rule() -> None:
    plan = MaintenancePlan(rrule="FREQ=DAILY;COUNT=3", starts_on=DAY)
    assert plan_selectors.next_dates(plan, DAY + timedelta(days=1)) == [
        DAY + timedelta(days=1), DAY + timedelta(days=2),
    ]  # fmt: skip
