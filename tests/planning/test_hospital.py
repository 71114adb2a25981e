"""What is read of the hospital, scenarios over it, and a machine's loss."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from devices.models import Blackout, Downtime, ModelPlan, Spare, WorkOrder, WorkOrderEvent
from devices.services import model_plans
from maintenance.services import covered_hours
from planning import scenario, suggestion
from planning.assumptions import Assumptions
from planning.book import ASSUMED, ESTIMATED, KNOWN, MISSING, Book
from planning.changes import Change
from planning.selectors import exams, hospital, repairs
from planning.selectors import what_if as selectors
from planning.simulation.inputs import NEVER
from tests.devices.factories import model as make_model
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_device, make_order, today
from tests.planning.rows import failing, images, planned, weekly, workday
from twinhealth.errors import InvalidInputError, NotFoundError

pytestmark = pytest.mark.django_db
FEW = Assumptions(runs=60)


def book(**fields: object) -> Book:
    return hospital.book(replace(FEW, **fields), now=timezone.now())  # type: ignore[arg-type]


def kinds(found: Book, label: str) -> list[str]:
    return [each.kind for each in found.sources if each.label == label]


def test_an_empty_hospital() -> None:
    found = book()
    assert (found.machines, found.orders) == ([], [])
    result = selectors.what_if([], FEW, now=timezone.now())[1]
    assert result["base"]["unplanned"] is None
    assert result["base"]["on_time"] is None
    assert suggestion.suggest(found).moves == []


def test_rates_are_the_posteriors_or_not_known() -> None:
    device = failing(3)[0]
    young = make_device(make_model(modality="CT"))
    found = book()
    place = {each.pk: n for n, each in enumerate(found.machines)}
    machines = found.world.machines
    # two failures in about four years of each, with what the others say
    rate = machines.shape[place[device.pk]] / machines.years[place[device.pk]]
    assert rate == pytest.approx(2 / 4.1, rel=0.4)
    assert machines.shape[place[young.pk]] == 0
    assert kinds(found, "Failures") == [ESTIMATED, MISSING]
    given = book(rate=3.0)
    assert (given.world.machines.shape / given.world.machines.years)[
        place[young.pk]
    ] == pytest.approx(3)
    assert kinds(given, "Failures") == [ESTIMATED, ASSUMED]


def test_orders_stand_where_they_are_and_are_permitted() -> None:
    device = make_device()
    order = planned(device, due=10, grace_days=5)
    late = planned(device, due=-30, grace_days=3)
    loose = make_order(device=device)
    found = book()
    rows = {each.pk: (n, each) for n, each in enumerate(found.orders)}
    n, row = rows[order.pk]
    assert found.world.orders.day[n] == 10
    assert found.world.orders.late_after[n] == 15
    assert row.limits.latest == today(15)
    assert found.world.orders.day[rows[late.pk][0]] == 0
    assert found.world.orders.late_after[rows[late.pk][0]] == -27
    assert found.world.orders.late_after[rows[loose.pk][0]] == NEVER
    assert not found.world.orders.restores[rows[loose.pk][0]]
    # the late plan's next dates within the horizon have no order yet
    ahead = [each for each in found.orders if each.pk is None]
    assert ahead
    assert all(each.made_on == each.day - timedelta(days=14) for each in ahead)


def test_the_manufacturers_interval_is_that_of_the_models_plan() -> None:
    made = make_model()
    device = make_device(made)
    plan = model_plans.create(
        actor=admin(), device_model=made, title="Service", rrule="FREQ=MONTHLY;INTERVAL=3",
        starts_on=today(5), longest_months=6, grace_days=4,
    )  # fmt: skip
    assert isinstance(plan, ModelPlan)
    order = WorkOrder.objects.get(device=device)
    done = timezone.now() - timedelta(days=100)
    WorkOrder.objects.create(
        device=device, plan=order.plan, title="o", state="done", signature="s", due_on=today(-90),
        started_at=done, completed_at=done + timedelta(hours=3),
    )  # fmt: skip
    row = next(each for each in book().orders if each.pk == order.pk)
    assert row.limits.latest is not None
    assert 80 <= (row.limits.latest - today()).days <= 92
    assert "6 months" in row.limits.why


def test_repairs_come_from_orders_without_a_plan() -> None:
    made = make_model()
    device = make_device(made)
    begin = timezone.now() - timedelta(days=50)
    for hours in (1, 2, 3, 4, 30):
        order = WorkOrder.objects.create(
            device=device, title="o", state="done", signature="s", started_at=begin,
            completed_at=begin + timedelta(hours=hours),
        )  # fmt: skip
        if hours == 30:
            for at, state in ((4, "on_hold"), (28, "in_progress")):
                event = WorkOrderEvent.objects.create(order=order, to_state=state)
                WorkOrderEvent.objects.filter(pk=event.pk).update(at=begin + timedelta(hours=at))
    found = repairs.repairs()
    pool, name = found.pool(made.pk, made.modality)
    assert pool.tolist() == [1, 2, 3, 4, 6]  # 30 h less 24 on hold
    assert name == repairs.OF_MODEL
    assert found.waits == [24.0]
    other, name = repairs.Repairs().pool(1, "CT")
    assert name == repairs.FALLBACK
    assert float(np.median(other)) == pytest.approx(3, rel=0.05)
    assert float(np.quantile(other, 0.95)) == pytest.approx(11, rel=0.08)
    assert repairs.worked(30) == 14


def test_exams_by_hour_of_the_week() -> None:
    busy, idle = make_device(), make_device()
    weekly(busy, {9: 2, 10: 1})
    images(idle, [timezone.now() - timedelta(days=1)])
    found = exams.per_hour_of_week([busy.pk, idle.pk], now=timezone.now())
    assert set(found) == {busy.pk}
    monday = found[busy.pk].reshape(7, 24)[:, 8:12]
    assert monday.mean(axis=0) == pytest.approx([0, 2, 1, 0], abs=0.3)
    assert kinds(book(), "Exams by hour of the week") == [KNOWN, MISSING]


def test_groups_rooms_and_hours() -> None:
    dx = failing(2)
    ct, spare = make_device(make_model(modality="CT")), make_device(make_model(modality="MR"))
    Spare.objects.create(device=ct, spare=spare)
    Downtime.objects.create(device=ct, starts_at=timezone.now(), reason="now")
    week = ["08:00-12:30", "", "", "", "", "", ""]
    covered_hours.put(actor=admin(), device=None, lines=week)
    found = book()
    place = {each.pk: n for n, each in enumerate(found.machines)}
    machines = found.world.machines
    group = {each.pk: machines.group[place[each.pk]] for each in (*dx, ct, spare)}
    assert group[dx[0].pk] == group[dx[1].pk] != group[ct.pk] == group[spare.pk]
    assert len(set(machines.room.tolist())) == 4
    assert machines.cover[0].sum() == 4.5
    assert machines.cover[0, 12] == 0.5
    assert machines.down_until[place[ct.pk]] == 24


def test_as_many_queries_for_many_machines() -> None:
    counts = []
    for _ in range(2):
        for each in failing(2):
            planned(each, due=12)
        with CaptureQueriesContext(connection) as captured:
            book()
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 24


def test_changes_are_taken_or_refused_with_a_code() -> None:
    one, two = failing(2)
    order = planned(one, due=10, grace_days=5)
    started = make_order("in_progress", device=two)
    loose = make_order(device=two, due_on=today(3))
    changes = [
        Change("move", order=order.pk, day=today(15)),
        Change("drop", order=loose.pk),
        Change("part", machine=one.pk),
        Change("part_model", model=one.model_id),
        Change("engineer", day=today(-3), until=today(9)),
        Change("loaner", machine=two.pk, day=today(), until=today(5)),
        Change("add", machine=two.pk, day=today(4), hours=3.0),
        Change("drop", order=started.pk),
        Change("move", order=2**62, day=today(1)),
        Change("part", machine=2**62),
        Change("part_model", model=2**62),
        Change("add", machine=two.pk, day=today(90), hours=1.0),
        Change("engineer", day=today(200), until=today(300)),
        Change("loaner", machine=one.pk, day=today(-9), until=today(-1)),
    ]
    found = book()
    world, fates = scenario.changed(found, changes)
    assert [each.code for each in fates] == [""] * 7 + [
        "order_not_movable", "order_not_found", "device_not_found", "model_not_found",
        "outside_horizon", "outside_horizon", "outside_horizon",
    ]  # fmt: skip
    place = found.place_of_order(order.pk)
    assert world.orders.day[place] == 15
    assert found.world.orders.day[place] == 10  # what is stays as it is
    assert world.machines.has_part.all()
    assert world.staff.engineers.sum() > found.world.staff.engineers.sum()
    assert len(world.orders.ids) == len(found.world.orders.ids) + 1


@pytest.mark.parametrize("kind", ["move", "drop"])
def test_beyond_the_manufacturers_interval_is_not_permitted(kind: str) -> None:
    (one,) = failing(1)
    order = planned(one, due=10, grace_days=5)
    change = Change(kind, order=order.pk, day=today(16) if kind == "move" else None)
    found = book()
    world, (fate,) = scenario.changed(found, [change])
    assert world is found.world
    assert fate.code == "beyond_manufacturer"
    assert "not permitted (CMS S&C 14-07)" in fate.message


def test_a_scenario_without_a_change_is_the_present() -> None:
    planned(failing(3)[0])
    result = selectors.what_if([], FEW, now=timezone.now())[1]
    assert result["base"] == result["scenario"]
    assert result["difference"]["unplanned"] == {"mean": 0, "low": 0, "high": 0, "error": 0}


def test_suggestions_respect_grace_blackouts_and_staff() -> None:
    for _ in range(4):
        user()
    devices = failing(6)
    day = workday(9)
    made = [planned(each, due=day, grace_days=6) for each in devices]
    Blackout.objects.create(starts_on=today(day + 1), ends_on=today(day + 2), reason="move")
    found = book(engineers=1)
    hours = replace(found.world.orders, hours=np.full(len(found.orders), 4.0))
    found = replace(found, world=replace(found.world, orders=hours))
    got = suggestion.suggest(found)
    assert got.moves
    assert got.terms["suggestion"].total <= got.terms["present"].total
    days = {each.order: each.to for each in got.moves}
    for move in got.moves:
        assert move.to.weekday() < 5
        assert not today(day + 1) <= move.to <= today(day + 2)
        assert "Moved from" in move.why
    for order in made:
        assert days.get(order.pk, order.due_on) <= today(day + 6)
    assert any("h planned of" in each.why for each in got.moves)
    again = suggestion.suggest(found)
    assert again.moves == got.moves


def test_a_lost_machines_exams_go_to_who_has_room() -> None:
    made = make_model(modality="DX")
    lost, spare, other, away = (make_device(made) for _ in range(4))
    weekly(lost, {9: 4})
    weekly(spare, {9: 1, 10: 2})
    weekly(other, {9: 1, 10: 3})
    weekly(away, {9: 1, 10: 9})
    Downtime.objects.create(device=away, starts_at=timezone.now(), reason="now")
    Spare.objects.create(device=lost, spare=spare)
    young = make_device(made)
    found = selectors.machine_loss(lost, days=7, now=timezone.now())
    assert found.known
    assert found.unknown == [young]
    assert found.down == [away]
    assert found.wanted == pytest.approx(28, rel=0.1)
    hour = next(each for each in found.hours if len(each.taken) == 2)
    assert [device for device, _ in hour.taken] == [spare, other]  # the named spare comes first
    assert hour.left == pytest.approx(hour.wanted - sum(count for _, count in hour.taken))
    assert found.left > 0
    assert found.absorbed == pytest.approx(sum(count for _, count in found.absorbers))
    assert not selectors.machine_loss(young, days=1, now=timezone.now()).known


@pytest.mark.parametrize("text", ["0", "15", "x", "-1", "1e3", "²"])
def test_days_out_of_range(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        selectors.days_asked(text)
    assert caught.value.code == "days_out_of_range"
    assert selectors.days_asked("") == 3


def test_what_is_not_there() -> None:
    for ask, code in (
        (selectors.scenario_or_error, "scenario_not_found"),
        (selectors.suggestion_or_error, "suggestion_not_found"),
    ):
        with pytest.raises(NotFoundError) as caught:
            ask(1)
        assert caught.value.code == code
