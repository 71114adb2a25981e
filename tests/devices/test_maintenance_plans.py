"""Plans, and the orders their due dates make: once each, whoever asks and how often."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry
from devices.models import MaintenancePlan, WorkOrder
from devices.services import orders, plans
from devices.tasks import materialise_due_orders_task
from tests.devices.factories import user
from tests.devices.maintenance_rows import STEPS, admin, make_device, make_plan, today
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def due_dates(plan: MaintenancePlan, **which: object) -> list[date]:
    found = WorkOrder.objects.filter(plan=plan, **which).exclude(state="cancelled")
    return [day for day in found.order_by("due_on").values_list("due_on", flat=True) if day]


def test_a_plan_makes_what_is_due_at_once() -> None:
    plan = make_plan(grace_days=5)
    order = WorkOrder.objects.get(plan=plan)
    assert (order.state, order.due_on, order.grace_days) == ("planned", today(), 5)
    assert order.checklist == [{"step": step, "done": False, "note": ""} for step in STEPS]
    assert [e.to_state for e in order.events.all()] == ["planned"]
    assert plan.next_due_on is not None
    assert plan.next_due_on > today(80)
    entry = AuditEntry.objects.get(object_type="devices.MaintenancePlan")
    assert (entry.verb, entry.detail) == ("created", {"rrule": "FREQ=MONTHLY;INTERVAL=3"})


def test_orders_are_made_when_the_lead_begins() -> None:
    plan = make_plan(starts_on=date(2026, 5, 15), lead_days=10, now=noon(date(2026, 1, 1)))
    assert due_dates(plan) == []
    assert plans.materialise_due_orders(now=noon(date(2026, 5, 4))) == 0
    assert plans.materialise_due_orders(now=noon(date(2026, 5, 5))) == 1
    assert plans.materialise_due_orders(now=noon(date(2026, 5, 5))) == 0
    plan.refresh_from_db()
    assert plan.next_due_on == date(2026, 8, 15)
    assert due_dates(plan) == [date(2026, 5, 15)]


def test_days_that_nobody_served_are_made_up_for() -> None:
    plan = make_plan(rrule="FREQ=WEEKLY", starts_on=date(2026, 1, 5), now=noon(date(2026, 1, 5)))
    plans.materialise_due_orders(now=noon(date(2026, 3, 2)))
    found = due_dates(plan)
    assert found == [date(2026, 1, 5) + timedelta(weeks=n) for n in range(11)]


def test_a_start_long_ago_asks_for_the_latest_day_only() -> None:
    plan = make_plan(rrule="FREQ=MONTHLY", starts_on=date(2020, 1, 10), now=noon(date(2026, 3, 2)))
    assert due_dates(plan) == [date(2026, 2, 10), date(2026, 3, 10)]


def test_an_ended_rule_asks_for_no_more() -> None:
    plan = make_plan(rrule="FREQ=DAILY;COUNT=2")
    assert due_dates(plan) == [today(), today(1)]
    assert plan.next_due_on is None
    assert plans.materialise_due_orders() == 0


def test_a_long_backlog_comes_in_parts() -> None:
    plan = make_plan(rrule="FREQ=DAILY", starts_on=date(2026, 1, 1), now=noon(date(2026, 1, 1)))
    now = noon(date(2026, 12, 1))
    assert plans.materialise_due_orders(now=now) == plans.MAX_AT_ONCE
    while plans.materialise_due_orders(now=now):
        pass
    found = due_dates(plan)
    assert found[-1] == date(2026, 12, 15)
    assert len(found) == (date(2026, 12, 15) - date(2026, 1, 1)).days + 1


def test_the_day_is_the_hospitals(settings: object) -> None:
    plan = make_plan(starts_on=date(2026, 6, 1), lead_days=0, now=noon(date(2026, 1, 1)))
    late_evening = datetime(2026, 5, 31, 22, 30, tzinfo=UTC)  # 1 June in Berlin
    assert django_settings.TIME_ZONE == "UTC"
    assert plans.materialise_due_orders(now=late_evening) == 0
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert plans.materialise_due_orders(now=late_evening) == 1
    assert due_dates(plan) == [date(2026, 6, 1)]


def test_the_task_makes_them() -> None:
    plan = make_plan(starts_on=today(20))
    MaintenancePlan.objects.filter(pk=plan.pk).update(lead_days=30)
    materialise_due_orders_task()
    assert due_dates(plan) == [today(20)]


def test_one_plan_that_fails_does_not_stop_the_rest() -> None:
    broken, sound = make_plan(starts_on=today(20)), make_plan(starts_on=today(20))
    MaintenancePlan.objects.update(lead_days=30)
    MaintenancePlan.objects.filter(pk=broken.pk).update(rrule="FREQ=SECONDLY")
    assert plans.materialise_due_orders() == 1
    assert due_dates(sound) == [today(20)]


def test_a_retired_machine_gets_no_orders_and_no_plans() -> None:
    device = make_device()
    plan = make_plan(device, starts_on=today(20))
    MaintenancePlan.objects.update(lead_days=30)
    device.lifecycle = "retired"
    device.save()
    assert plans.materialise_due_orders() == 0
    for call in (lambda: make_plan(device), lambda: _pause_and_go(plan)):
        with pytest.raises(ConflictError) as caught:
            call()
        assert caught.value.code == "device_retired"


def _pause_and_go(plan: MaintenancePlan) -> None:
    plans.reactivate(plan=plans.deactivate(plan=plan, actor=admin()), actor=admin())


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"rrule": "FREQ=SECONDLY"}, "rrule_invalid"),
        ({"rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "rrule_never"),
        ({"starts_on": date(1900, 1, 1)}, "starts_on_out_of_range"),
        ({"title": ""}, "title_missing"),
        ({"grace_days": 366}, "grace_out_of_range"),
        ({"grace_days": -1}, "grace_out_of_range"),
        ({"lead_days": 91}, "lead_out_of_range"),
        ({"checklist": ["x" * 301]}, "step_too_long"),
    ],
)
def test_a_bad_plan_is_refused_and_so_is_a_bad_change(fields: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make_plan(**fields)
    assert caught.value.code == code
    assert not MaintenancePlan.objects.exists()
    plan = make_plan()
    with pytest.raises(InvalidInputError) as again:
        plans.update(plan=plan, actor=admin(), **fields)
    assert again.value.code == code


def test_pausing_withdraws_what_nobody_touched_and_is_undone() -> None:
    plan = make_plan(rrule="FREQ=WEEKLY", starts_on=today(-7), lead_days=21)
    touched = WorkOrder.objects.get(plan=plan, due_on=today(14))
    orders.assign(order=touched, actor=admin(), assignee=user())
    before = due_dates(plan)
    plan = plans.deactivate(plan=plan, actor=admin())
    assert not plan.active
    assert due_dates(plan) == [touched.due_on]
    assert plans.materialise_due_orders() == 0
    withdrawn = WorkOrder.objects.filter(plan=plan, state="cancelled").first()
    assert withdrawn is not None
    assert withdrawn.cancel_reason == plans.PAUSED
    with pytest.raises(ConflictError):
        plans.deactivate(plan=plan, actor=admin())
    plan = plans.reactivate(plan=plan, actor=admin())
    assert due_dates(plan) == before
    with pytest.raises(ConflictError):
        plans.reactivate(plan=plan, actor=admin())


def test_what_a_person_cancelled_stays_cancelled() -> None:
    plan = make_plan(starts_on=today(3))
    order = WorkOrder.objects.get(plan=plan)
    orders.cancel(order=order, actor=user(), reason="machine is sold")
    plan = plans.deactivate(plan=plan, actor=admin())
    plan = plans.reactivate(plan=plan, actor=admin())
    assert plans.materialise_due_orders() == 0
    assert due_dates(plan) == []


def test_a_plan_changed_while_an_order_runs() -> None:
    plan = make_plan(rrule="FREQ=WEEKLY", starts_on=today(), lead_days=14)
    running = orders.start(order=WorkOrder.objects.get(plan=plan, due_on=today()), actor=user())
    plan = plans.update(
        plan=plan, actor=admin(), rrule="FREQ=DAILY;INTERVAL=10", title="New", checklist=["one"]
    )
    running.refresh_from_db()
    assert (running.state, running.title) == ("in_progress", "Quarterly service")
    assert [item["step"] for item in running.checklist] == list(STEPS)
    assert due_dates(plan) == [today(), today(10)]
    ahead = WorkOrder.objects.get(plan=plan, due_on=today(10))
    assert (ahead.title, ahead.checklist[0]["step"]) == ("New", "one")
    # and back again: the withdrawn days get orders again, not the running one
    plan = plans.update(plan=plan, actor=admin(), rrule="FREQ=WEEKLY")
    assert due_dates(plan) == [today(), today(7), today(14)]
    entry = AuditEntry.objects.filter(verb="changed").first()
    assert entry is not None
    assert entry.detail == {"rrule": ["FREQ=DAILY;INTERVAL=10", "FREQ=WEEKLY"]}


def test_orders_not_begun_take_over_the_words_and_keep_the_date() -> None:
    plan = make_plan(starts_on=today(3))
    order = WorkOrder.objects.get(plan=plan)
    order = orders.schedule(order=order, actor=admin(), scheduled_for=timezone.now())
    plans.update(plan=plan, actor=admin(), title="Yearly", grace_days=2, checklist=["a", " ", "b"])
    order.refresh_from_db()
    assert (order.title, order.grace_days, order.state) == ("Yearly", 2, "scheduled")
    assert [item["step"] for item in order.checklist] == ["a", "b"]
    assert order.due_on == today(3)
    events = order.events.count()
    plans.update(plan=plan, actor=admin(), title="Yearly")
    assert order.events.count() == events  # nothing changed, nothing told


def test_a_longer_lead_makes_orders_at_once() -> None:
    plan = make_plan(starts_on=today(30))
    assert due_dates(plan) == []
    plans.update(plan=plan, actor=admin(), lead_days=30)
    assert due_dates(plan) == [today(30)]


def test_an_unknown_change_is_a_defect() -> None:
    with pytest.raises(TypeError):
        plans.update(plan=make_plan(), actor=admin(), active=False)


def test_the_database_holds_one_live_order_per_due_date() -> None:
    plan = make_plan()
    row = {"device": plan.device, "plan": plan, "title": "T", "due_on": today()}
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkOrder.objects.create(state="planned", **row)
    WorkOrder.objects.create(state="cancelled", **row)


@pytest.mark.django_db(transaction=True)
def test_twice_at_once_makes_the_same_rows() -> None:
    made = [
        make_plan(rrule="FREQ=WEEKLY", starts_on=date(2026, 1, n + 1), now=noon(date(2025, 12, 1)))
        for n in range(5)
    ]
    now = noon(date(2026, 3, 1))
    gate = threading.Barrier(3)
    counts: list[int] = []
    failures: list[Exception] = []

    def work() -> None:
        try:
            gate.wait(10)
            counts.append(plans.materialise_due_orders(now=now))
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    rows = WorkOrder.objects.count()
    assert sum(counts) == rows > 40
    for plan in made:
        found = due_dates(plan)
        assert found == [plan.starts_on + timedelta(weeks=n) for n in range(len(found))]
    assert plans.materialise_due_orders(now=now) == 0
