"""The week in lanes, and moves with their reason, their limits and their undoing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from devices.models import WorkOrder
from devices.selectors_maintenance import OrderFilter
from devices.services import orders
from maintenance import selectors_week as selectors
from maintenance.services import rescheduling
from tests.devices.factories import user
from tests.devices.maintenance_rows import make_order, make_plan, today
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db


def at(day: date, hour: int = 9) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def notes(order: WorkOrder) -> list[str]:
    return list(order.events.values_list("note", flat=True))


def test_a_move_keeps_its_reason_and_is_undone() -> None:
    worker = user()
    order = make_order(due_on=today(5))
    moved, before = rescheduling.move(
        order=order, actor=worker, scheduled_for=at(today(3)), assigned_to=worker, reason="no part"
    )
    assert (moved.state, moved.scheduled_for, moved.assigned_to) == (
        "scheduled",
        at(today(3)),
        worker,
    )
    assert moved.due_on == today(5)
    assert notes(order)[-1] == "moved from no time: no part"
    after = rescheduling.Place.of(moved)
    back = rescheduling.undo(order=order, actor=worker, to=before, after=after)
    assert rescheduling.Place.of(back) == before == rescheduling.Place("planned", None, None)
    assert notes(order)[-1] == "move undone"
    with pytest.raises(ConflictError) as caught:
        rescheduling.undo(order=order, actor=worker, to=before, after=after)
    assert caught.value.code == "moved_meanwhile"


def test_what_a_move_refuses() -> None:
    worker, order = user(), make_order(due_on=today(1), grace_days=2)
    fields: dict[str, Any] = {"actor": worker, "reason": "x"}
    with pytest.raises(InvalidInputError) as caught:
        rescheduling.move(order=order, scheduled_for=at(today(2)), actor=worker, reason=" ")
    assert caught.value.code == "reason_missing"
    rescheduling.move(order=order, scheduled_for=at(today(3), 23), **fields)  # the last day
    order.refresh_from_db()
    with pytest.raises(ConflictError) as beyond:
        rescheduling.move(order=order, scheduled_for=at(today(4)), **fields)
    assert beyond.value.code == "beyond_grace"
    assert beyond.value.extra == {"last_day": today(3).isoformat()}
    assert "overdue" in beyond.value.message
    stale = WorkOrder.objects.get(pk=order.pk)
    rescheduling.move(order=order, scheduled_for=at(today(4)), beyond_grace=True, **fields)
    with pytest.raises(ConflictError) as meanwhile:
        rescheduling.move(order=stale, scheduled_for=at(today(2)), **fields)
    assert meanwhile.value.code == "moved_meanwhile"
    with pytest.raises(ConflictError) as done:
        rescheduling.move(order=make_order("done"), scheduled_for=at(today(2)), **fields)
    assert done.value.code == "bad_transition"


def test_lanes_and_workload() -> None:
    worker = user()
    monday = selectors.first_of("2027-W10", today())
    plan = make_plan(starts_on=monday, checklist=())
    for number, hours in enumerate((2, 3, 9)):
        WorkOrder.objects.create(
            device=plan.device, plan=plan, title="o", state="done", signature="s",
            due_on=monday - timedelta(days=100 + number), started_at=at(monday, 1),
            completed_at=at(monday, 1) + timedelta(hours=hours),
        )  # fmt: skip
    for number in range(3):
        WorkOrder.objects.create(
            device=plan.device, plan=plan, title="o", state="planned", assigned_to=worker,
            due_on=monday - timedelta(days=number), scheduled_for=at(monday + timedelta(days=2)),
        )  # fmt: skip
    loose = make_order(due_on=monday + timedelta(days=6), device=plan.device)
    other = make_order(assigned_to=worker, device=plan.device)
    orders.schedule(order=other, actor=worker, scheduled_for=at(monday + timedelta(days=2)))
    found = selectors.week(OrderFilter(), monday)
    lanes = {lane.person: lane for lane in found.lanes}
    assert [len(day.orders) for day in lanes[worker].days] == [0, 0, 4, 0, 0, 0, 0]
    busy = lanes[worker].days[2]
    assert (busy.hours, busy.unknown, busy.capacity, busy.over) == (9, 1, 8, True)
    assert [each.pk for each in lanes[None].days[6].orders] == [loose.pk]
    alone = selectors.week(OrderFilter(assignee=str(worker.pk)), monday)
    assert [lane.person for lane in alone.lanes] == [worker]


@pytest.mark.parametrize("text", ["", "x", "2026-W99", "2026-W00", "9999-W01", "2026-W4", "-W01"])
def test_a_week_that_is_none_is_this_one(text: str) -> None:
    assert selectors.first_of(text, date(2026, 11, 26)) == date(2026, 11, 23)


def test_by_page() -> None:
    worker = user()
    client = signed_in(worker)
    order = make_order(due_on=today(), grace_days=1, title="<b>x")
    week = reverse("maintenance:week")
    body = client.get(week).content.decode()
    assert "<b>x" not in body
    url = reverse("maintenance:reschedule", args=[order.pk])
    assert url in body
    shown = client.get(f"{url}?day={today(3)}&person={worker.pk}")
    initial = shown.context["form"].initial
    assert timezone.localdate(initial["scheduled_for"]) == today(3)
    assert initial["assigned_to"] == worker.pk
    assert client.get(f"{url}?day=x&person={2**70}").status_code == 200
    given = {
        "scheduled_for": f"{today(3)}T09:00", "assigned_to": worker.pk, "seen": initial["seen"],
        "reason": "part comes late",
    }  # fmt: skip
    assert client.post(url, {**given, "reason": ""}).status_code == 400
    asked = client.post(url, given)
    assert asked.status_code == 409
    assert "not permitted" in asked.content.decode()
    assert "part comes late" in asked.content.decode()
    assert client.post(url, {**given, "beyond_grace": "on"}).status_code == 302
    order.refresh_from_db()
    assert (order.scheduled_for, order.assigned_to) == (at(today(3)), worker)
    assert client.post(url, {**given, "beyond_grace": "on"}).status_code == 409  # seen is old
    undo = reverse("maintenance:undo")
    assert undo in client.get(week).content.decode()
    assert signed_in(worker).post(undo).status_code == 404  # another session's
    assert client.post(undo).status_code == 302
    order.refresh_from_db()
    assert (order.state, order.scheduled_for, order.assigned_to) == ("planned", None, None)
    assert client.post(undo).status_code == 404
    assert url in client.get(reverse("devices:order", args=[order.pk])).content.decode()


def test_by_rest() -> None:
    worker, order = user(), make_order(due_on=today(1))
    api = APIClient()
    api.force_authenticate(worker)
    url = f"/api/v1/work-orders/{order.pk}/reschedule/"
    body = {
        "scheduled_for": at(today(2)).isoformat(),
        "reason": "x",
        "assigned_to": worker.username,
    }
    refused = api.post(url, body, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "beyond_grace")
    moved = api.post(url, {**body, "beyond_grace": True}, format="json")
    assert (moved.status_code, moved.json()["state"]) == (200, "scheduled")
    assert api.post(url, {"reason": "x"}, format="json").status_code == 400
    assert api.post("/api/v1/work-orders/99999/reschedule/", body, format="json").status_code == 404


def test_the_week_asks_as_often_for_many_orders_as_for_one() -> None:
    client = signed_in(user())
    counts = []
    for _ in range(2):
        make_order(due_on=today(), assigned_to=user())
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("maintenance:week"))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 14


def test_a_house_too_large_for_a_list_is_asked_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.machine_choice.LONGEST", 1)
    order, other = make_order(due_on=today()), make_order(due_on=today())
    client = signed_in(user())
    for address in (
        reverse("maintenance:week"), reverse("devices:maintenance"), reverse("maintenance:figures"),
        reverse("maintenance:hours"),
    ):  # fmt: skip
        assert 'name="machine_named"' in client.get(address).content.decode()
    for text in (order.device.serial, order.device.name):
        for address in (reverse("maintenance:week"), reverse("devices:maintenance")):
            body = client.get(address, {"machine_named": text}).content.decode()
            assert reverse("devices:order", args=[order.pk]) in body
            assert reverse("devices:order", args=[other.pk]) not in body
    body = client.get(reverse("maintenance:week"), {"machine_named": "none"}).content.decode()
    assert reverse("devices:order", args=[order.pk]) not in body
