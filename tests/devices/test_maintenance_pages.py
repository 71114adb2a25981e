"""The maintenance pages, as an admin at the desk and an engineer with a phone use them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from devices.models import Downtime, MaintenancePlan, WorkOrder
from devices.models.maintenance import OrderState
from devices.services import downtimes, orders, plans
from devices.templatetags.maintenance import relative
from tests.devices.factories import user
from tests.devices.maintenance_rows import (
    STEPS,
    admin,
    make_alert,
    make_device,
    make_order,
    make_plan,
    today,
)

pytestmark = pytest.mark.django_db

VIEWS = ("table", "board", "calendar", "plans", "downtimes")
HOSTILE = "<img src=x onerror=alert(1)>"


def signed_in(person: User) -> Client:
    found = Client()
    found.force_login(person)
    return found


@pytest.fixture
def boss() -> Client:
    return signed_in(admin())


@pytest.fixture
def engineer() -> Client:
    return signed_in(user())


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content[:2000]
    return response.content.decode()


def page(client: Client, name: str, *args: Any, query: str = "", status: int = 200) -> str:
    return text(client.get(reverse(f"devices:{name}", args=args) + query), status)


def post(client: Client, name: str, *args: Any, status: int = 302, **data: Any) -> str:
    return text(client.post(reverse(f"devices:{name}", args=args), data), status)


def plan_fields(**fields: Any) -> dict[str, Any]:
    return {
        "title": "Service",
        "mode": "month_day",
        "every": 3,
        "month_day": 0,
        "starts_on": today().isoformat(),
        "grace_days": 7,
        "lead_days": 14,
        "checklist": "first\n\n second ",
        **fields,
    }


def test_every_view_shows_every_kind_of_row(boss: Client) -> None:
    for state in OrderState.values:
        make_order(state, title=f"Work {state}", due_on=today())
    plan = make_plan(title="Quarterly look", starts_on=today(-30), grace_days=0)
    device = make_device(name="XR-down")
    downtimes.start(actor=user(), device=device, reason="no exposure")
    plans.deactivate(plan=make_plan(title="Paused one", starts_on=today(50)), actor=admin())
    body = page(boss, "maintenance", query="?show=all")
    for state in OrderState.values:
        assert f"Work {state}" in body
    for words in ("overdue", "Quarterly look", "XR-down", "is down since", "Usable again"):
        assert words in body
    body = page(boss, "maintenance", query="?view=board")
    assert body.count('class="board-card"') == 9 - 1  # the cancelled one isn't on the board
    body = page(boss, "maintenance", query="?view=calendar")
    assert "Work planned" in body
    assert "XR-down down" in body
    body = page(boss, "maintenance", query="?view=plans")
    assert "Paused one" in body
    assert "every 3 months" in body
    assert f"WO-{WorkOrder.objects.get(plan=plan).pk}" in body
    body = page(boss, "maintenance", query="?view=downtimes")
    assert "no exposure" in body
    assert "unplanned" in body


@pytest.mark.parametrize("view", VIEWS)
def test_an_empty_hospital_is_told_what_to_do(boss: Client, view: str) -> None:
    body = page(boss, "maintenance", query=f"?view={view}")
    assert "unknown" in body  # in time: nothing was done, so nobody knows
    if view in {"table", "plans"}:
        assert reverse("devices:plan-new") in body


@pytest.mark.parametrize(
    "query",
    [
        "?view=nonsense",
        "?show=nonsense&state=nonsense&assignee=nonsense&machine=nonsense&on=nonsense",
        "?machine=99999999999999999999999",
        "?machine=9223372036854775807",
        "?assignee=999999999999999999",
        "?assignee=%01&show=%01",
        "?view=calendar&month=9999-99",
        "?view=calendar&month=0001-01",
        "?view=calendar&month=%01",
        "?view=calendar&month=2100-12",
        "?ordering=nonsense&page=nonsense",
        "?page=99999999",
        "?plan=1&on=2026-01-01",
    ],
)
def test_an_address_that_says_nothing_is_a_page_all_the_same(boss: Client, query: str) -> None:
    make_order()
    page(boss, "maintenance", query=query)


def test_filters_stay_in_the_address(boss: Client) -> None:
    device = make_device()
    make_order(title="Here", device=device)
    make_order(title="Elsewhere")
    body = page(boss, "maintenance", query=f"?machine={device.pk}&show=open")
    assert "Here" in body
    assert "Elsewhere" not in body
    assert f"machine={device.pk}" in body.split('aria-label="Show"')[1]


@pytest.mark.parametrize("view", VIEWS)
def test_the_page_costs_the_same_for_few_rows_and_many(boss: Client, view: str) -> None:
    counts = []
    for _ in range(2):
        for state in ("planned", "in_progress", "done", "on_hold"):
            order = make_order(state, due_on=today())
            down = downtimes.start(actor=user(), device=order.device, reason="x", order=order)
            downtimes.end(downtime=down, actor=user())
            make_plan()
        with CaptureQueriesContext(connection) as queries:
            page(boss, "maintenance", query=f"?view={view}")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14


def test_each_kpi_opens_its_rows(boss: Client) -> None:
    make_order(due_on=today(-9), title="Late work")
    body = page(boss, "maintenance")
    assert 'href="?show=overdue"><span class="kpi-value">1</span>' in body
    assert "Late work" in page(boss, "maintenance", query="?show=overdue")
    assert "Late work" not in page(boss, "maintenance", query="?show=due")


def test_an_engineer_works_and_does_not_plan(engineer: Client) -> None:
    plan, order = make_plan(), make_order()
    body = page(engineer, "maintenance", query="?view=plans")
    assert "New order" in body
    assert reverse("devices:plan-new") not in body
    body = page(engineer, "plan", plan.pk)
    assert "Quarterly service" in body
    for word in ("Edit", "Pause"):
        assert word not in body
    page(engineer, "plan-new", status=403)
    page(engineer, "plan-edit", plan.pk, status=403)
    page(engineer, "plan-preview", status=403)
    post(engineer, "plan-new", status=403, **plan_fields(device=plan.device_id))
    post(engineer, "plan-pause", plan.pk, status=403)
    post(engineer, "plan-reactivate", plan.pk, status=403)
    post(engineer, "order-accept", order.pk, status=403)
    assert MaintenancePlan.objects.get().active


def test_a_clinician_and_nobody_see_nothing() -> None:
    plan, order = make_plan(title="Hidden title"), make_order(title="Hidden title")
    down = downtimes.start(actor=user(), device=order.device, reason="x")
    pages = [
        ("maintenance", []),
        ("plan-new", []),
        ("plan-preview", []),
        ("plan", [plan.pk]),
        ("plan-edit", [plan.pk]),
        ("order-new", []),
        ("order", [order.pk]),
        ("downtime-new", []),
    ]
    steps = [
        ("plan-pause", [plan.pk]),
        ("plan-reactivate", [plan.pk]),
        ("order-accept", [order.pk]),
        ("order-step", [order.pk, "start"]),
        ("downtime-end", [down.pk]),
    ]
    clinician = signed_in(user(Role.CLINICIAN))
    for name, args in pages:
        assert "Hidden title" not in page(clinician, name, *args, status=403)
        answer = Client().get(reverse(f"devices:{name}", args=args))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("accounts:login"))
    for name, args in steps:
        post(clinician, name, *args, status=403)
        post(Client(), name, *args, status=302)
    order.refresh_from_db()
    down.refresh_from_db()
    assert (order.state, down.ends_at) == ("planned", None)


@pytest.mark.parametrize(
    ("fields", "rrule"),
    [
        ({"mode": "month_day", "every": 3, "month_day": 0}, "FREQ=MONTHLY;INTERVAL=3"),
        ({"mode": "month_day", "every": 1, "month_day": -1}, "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ({"mode": "month_day", "every": 6, "month_day": 15}, "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=15"),
        ({"mode": "month_day", "every": 2, "month_day": 30}, "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=28,29,30;BYSETPOS=-1"),
        ({"mode": "month_weekday", "every": 1, "nth": 1, "weekday": 0}, "FREQ=MONTHLY;BYDAY=1MO"),
        ({"mode": "month_weekday", "every": 4, "nth": -1, "weekday": 4}, "FREQ=MONTHLY;INTERVAL=4;BYDAY=-1FR"),
        ({"mode": "weeks", "every": 2, "weekday": 2}, "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE"),
        ({"mode": "rule", "rrule": "freq=yearly;bymonth=5;bymonthday=1"}, "FREQ=YEARLY;BYMONTHDAY=1;BYMONTH=5"),
    ],
)  # fmt: skip
def test_a_plan_by_form_and_the_form_of_the_plan(
    boss: Client, fields: dict[str, Any], rrule: str
) -> None:
    device = make_device()
    post(boss, "plan-new", **plan_fields(device=device.pk, **fields))
    plan = MaintenancePlan.objects.get()
    assert (plan.device, plan.rrule, plan.checklist) == (device, rrule, ["first", "second"])
    form = boss.get(reverse("devices:plan-edit", args=[plan.pk])).context["form"]
    assert form["mode"].value() == fields["mode"]
    if fields["mode"] != "rule":
        for name, value in fields.items():
            assert form[name].value() == value
    # saved without a change, the rule stays word for word
    again = {name: form[name].value() for name in form.fields}
    again = {name: "" if value is None else value for name, value in again.items()}
    post(boss, "plan-edit", plan.pk, **again)
    plan.refresh_from_db()
    assert plan.rrule == rrule
    assert page(boss, "plan", plan.pk).count("<li>") >= 5


def test_a_weekly_rule_of_the_start_fits_the_simple_fields(boss: Client) -> None:
    plan = make_plan(rrule="FREQ=WEEKLY;INTERVAL=2")
    form = boss.get(reverse("devices:plan-edit", args=[plan.pk])).context["form"]
    assert (form["mode"].value(), form["weekday"].value()) == ("weeks", today().weekday())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mode": "rule", "rrule": "FREQ=SECONDLY"}, "not more often"),
        ({"mode": "rule", "rrule": ""}, "NAME=VALUE"),
        ({"mode": "month_day", "every": 500}, "whole number from 1 to 120"),
        ({"mode": "rule", "rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "never falls"),
        ({"title": ""}, "This field is required"),
        ({"starts_on": "1800-01-01"}, "between 1990 and 2100"),
        ({"mode": "often"}, "valid choice"),
        ({"device": "999999"}, "valid choice"),
    ],
)
def test_a_bad_plan_stays_on_the_form(boss: Client, fields: dict[str, Any], said: str) -> None:
    device = make_device()
    data = {"device": device.pk, **plan_fields(**fields)}
    body = post(boss, "plan-new", status=400, **{**data, **fields})
    assert said in body
    assert not MaintenancePlan.objects.exists()
    if "device" not in fields:
        plan = make_plan(device)
        before = (plan.title, plan.rrule)
        body = post(boss, "plan-edit", plan.pk, status=400, **plan_fields(**fields))
        assert said in body
        plan.refresh_from_db()
        assert (plan.title, plan.rrule) == before


def test_a_plan_for_a_machine_is_filled_in(boss: Client) -> None:
    device = make_device()
    for name in ("plan-new", "order-new", "downtime-new"):
        body = page(boss, name, query=f"?device={device.pk}")
        assert f'<option value="{device.pk}" selected>' in body
        page(boss, name, query="?device=nonsense")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mode": "rule", "rrule": "FREQ=MONTHLY;BYMONTHDAY=31", "starts_on": "2026-01-31"}, "day 31 are left out"),
        ({"mode": "month_day", "every": 1, "month_day": -1, "starts_on": "2026-01-31"}, "every month on the last day of the month"),
        ({"mode": "rule", "rrule": "FREQ=HOURLY", "starts_on": "2026-01-31"}, "not more often"),
        ({"mode": "rule", "rrule": "FREQ=DAILY;COUNT=1", "starts_on": "2026-01-31"}, "none from today on"),
        ({"mode": "rule", "rrule": "FREQ=DAILY;UNTIL=20200101", "starts_on": "2026-01-31"}, "never falls"),
        ({"mode": "month_day", "every": 1, "starts_on": ""}, "Fill in"),
        ({"mode": "rule", "rrule": HOSTILE, "starts_on": "2026-01-31"}, "NAME=VALUE"),
        ({}, "Fill in"),
    ],
)  # fmt: skip
def test_the_preview_says_when(boss: Client, fields: dict[str, Any], said: str) -> None:
    body = text(boss.get(reverse("devices:plan-preview"), fields))
    assert said in body
    assert "<img" not in body


def test_the_preview_has_the_next_five_days(boss: Client) -> None:
    fields = {"mode": "rule", "rrule": "FREQ=DAILY", "starts_on": "2026-01-01"}
    body = text(boss.get(reverse("devices:plan-preview"), fields))
    assert [f'datetime="{today(n).isoformat()}"' in body for n in range(6)] == [True] * 5 + [False]


def test_pausing_offers_its_undo(boss: Client) -> None:
    plan = make_plan()
    post(boss, "plan-pause", plan.pk)
    body = page(boss, "plan", plan.pk)
    assert "Let it run again" in body
    assert "Paused: nothing becomes due." in body
    assert "The plan was paused." in body  # the withdrawn order says why
    assert "This plan is paused already." in post(boss, "plan-pause", plan.pk, status=409)
    post(boss, "plan-reactivate", plan.pk)
    assert "Let it run again" not in page(boss, "plan", plan.pk)


def test_an_order_from_request_to_signature(boss: Client, engineer: Client) -> None:
    device = make_device()
    post(
        engineer, "order-new",
        device=device.pk, title="Squeaks", description="since Monday", checklist="\n".join(STEPS),
    )  # fmt: skip
    order = WorkOrder.objects.get()
    assert (order.state, order.grace_days) == ("requested", 0)
    assert "Waits for an admin" in page(engineer, "order", order.pk)
    post(boss, "order-accept", order.pk)
    when = (timezone.localtime() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    post(boss, "order-step", order.pk, "schedule", scheduled_for=when, assigned_to="")
    order.refresh_from_db()
    assert order.scheduled_for is not None
    assert timezone.localtime(order.scheduled_for).strftime("%Y-%m-%dT%H:%M") == when
    post(engineer, "order-step", order.pk, "start")
    kept = engineer.put(
        f"/api/v1/work-orders/{order.pk}/checklist/",
        {"checklist": [True, {"done": False, "note": "no lamp"}]},
        content_type="application/json",
    )
    assert kept.status_code == 200
    body = page(engineer, "order", order.pk)
    assert 'name="done-0" checked' in body
    assert 'value="no lamp"' in body
    post(engineer, "order-step", order.pk, "hold", reason="waiting for a lamp")
    assert "waiting for a lamp" in page(engineer, "order", order.pk)
    post(engineer, "order-step", order.pk, "resume")
    post(engineer, "order-step", order.pk, "comment", text="lamp came")
    post(
        engineer, "order-step", order.pk, "complete",
        **{"done-0": "on", "done-1": "on", "note-1": "", "signature": "E. Ngineer"},
    )  # fmt: skip
    body = page(engineer, "order", order.pk)
    assert "E. Ngineer" in body
    assert "nobody checks the own work" in body
    assert "Somebody else must verify" in post(
        engineer, "order-step", order.pk, "verify", status=403
    )
    post(boss, "order-step", order.pk, "verify")
    order.refresh_from_db()
    assert order.state == "verified"
    body = page(boss, "order", order.pk)
    for words in ("requested", "scheduled", "on hold", "lamp came", "verified"):
        assert words in body
    assert "order-button" not in body.split('id="order"')[1]  # nothing left to press


def test_a_refusal_loses_nothing_that_was_typed(engineer: Client) -> None:
    order = make_order("in_progress")
    body = post(
        engineer, "order-step", order.pk, "complete", status=400,
        **{"done-0": "on", "note-0": "took long", "note-1": "", "signature": "E. N."},
    )  # fmt: skip
    assert 'data-error-code="checklist_incomplete"' in body
    assert STEPS[1] in body.split('role="alert"')[1]
    assert 'value="took long"' in body
    assert 'value="E. N."' in body
    assert 'name="done-0" checked' in body
    body = post(engineer, "order-step", order.pk, "hold", status=400, reason="  ")
    assert 'data-error-code="reason_missing"' in body
    body = post(engineer, "order-step", order.pk, "cancel", status=400, reason="x" * 301)
    assert "<details open>" in body
    assert "at most 300" in body
    body = post(engineer, "order-step", order.pk, "start", status=409)
    assert 'data-error-code="bad_transition"' in body
    order.refresh_from_db()
    assert order.state == "in_progress"


def test_a_step_that_is_none(engineer: Client) -> None:
    order = make_order()
    post(engineer, "order-step", order.pk, "explode", status=404)
    post(engineer, "order-step", 999999, "start", status=404)
    assert engineer.get(reverse("devices:order-step", args=[order.pk, "start"])).status_code == 405


def test_an_order_for_an_alert(engineer: Client) -> None:
    alert = make_alert()
    body = page(engineer, "order-new", query=f"?alert={alert.pk}")
    assert "Look after: noise too high" in body
    fields = {"device": alert.device_id, "title": "Look after it", "alert": alert.pk}
    post(engineer, "order-new", **fields)
    order = WorkOrder.objects.get()
    assert (order.alert, order.state) == (alert, "planned")
    assert reverse("devices:alert", args=[alert.pk]) in page(engineer, "order", order.pk)
    assert f"WO-{order.pk}" in post(engineer, "order-new", status=409, **fields)
    for bad in ("999999", "nonsense", "99999999999999999999999"):
        page(engineer, "order-new", query=f"?alert={bad}", status=404)


def test_bad_orders_stay_on_the_form(boss: Client) -> None:
    device = make_device()
    assert "This field is required" in post(boss, "order-new", status=400, device=device.pk)
    device.lifecycle = "retired"
    device.save()
    body = post(boss, "order-new", status=400, device=device.pk, title="T")
    assert "valid choice" in body
    assert not WorkOrder.objects.exists()


def test_assigning_and_cancelling(boss: Client) -> None:
    order, worker = make_order(), user()
    post(boss, "order-step", order.pk, "assign", assigned_to=worker.pk)
    order.refresh_from_db()
    assert order.assigned_to == worker
    clinician = user(Role.CLINICIAN)
    post(boss, "order-step", order.pk, "assign", status=400, assigned_to=clinician.pk)
    post(boss, "order-step", order.pk, "cancel", reason="sold")
    assert "Cancelled: sold" in page(boss, "order", order.pk)


def test_downtime_by_order_and_by_form(engineer: Client) -> None:
    order = make_order("in_progress")
    url = reverse("devices:order", args=[order.pk])
    post(engineer, "order-step", order.pk, "down", reason="tube is out")
    down = Downtime.objects.get()
    assert (down.order, down.device, down.ends_at) == (order, order.device, None)
    body = post(engineer, "order-step", order.pk, "down", status=409, reason="again")
    assert 'data-error-code="downtime_overlap"' in body
    answer = engineer.post(reverse("devices:downtime-end", args=[down.pk]), {"next": url})
    assert answer["Location"] == url
    post(engineer, "downtime-end", down.pk, status=409)
    body = post(
        engineer, "downtime-new", status=409, device=order.device_id, reason="x",
        starts_at=timezone.localtime(down.starts_at - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
        ends_at=timezone.localtime(down.starts_at + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    assert "has another downtime" in body
    post(engineer, "downtime-new", status=400, device=order.device_id)
    post(engineer, "downtime-new", device=order.device_id, reason="again", planned="on")
    other = Downtime.objects.get(ends_at=None)
    assert other.planned
    answer = engineer.post(
        reverse("devices:downtime-end", args=[other.pk]), {"next": "https://evil.example/"}
    )
    assert answer["Location"] == reverse("devices:maintenance")


def test_hostile_text_is_only_text(boss: Client) -> None:
    device = make_device(name=HOSTILE[:60])
    plan = make_plan(device, title=HOSTILE, checklist=[HOSTILE])
    order = orders.start(order=WorkOrder.objects.get(plan=plan), actor=user())
    orders.comment(order=order, actor=user(), text=HOSTILE)
    orders.hold(order=order, actor=user(), reason=HOSTILE)
    downtimes.start(actor=user(), device=device, reason=HOSTILE, order=order)
    bodies = [page(boss, "maintenance", query=f"?view={view}") for view in VIEWS]
    bodies += [page(boss, "plan", plan.pk), page(boss, "order", order.pk)]
    for body in bodies:
        assert "<img" not in body
        assert "&lt;img" in body


def test_what_is_synthetic_says_so(boss: Client) -> None:
    device = make_device(is_synthetic=True)
    plan = make_plan(device)
    order = WorkOrder.objects.get(plan=plan)
    assert plan.is_synthetic
    for name, pk in (("plan", plan.pk), ("order", order.pk)):
        assert "badge-synthetic" in page(boss, name, pk)
    for view in ("table", "board", "plans"):
        assert "badge-synthetic" in page(boss, "maintenance", query=f"?view={view}")


def test_pages_hold_no_inline_script_or_style(boss: Client) -> None:
    plan, order = make_plan(), make_order("in_progress")
    bodies = [page(boss, "maintenance", query=f"?view={view}") for view in VIEWS]
    bodies += [
        page(boss, "plan", plan.pk),
        page(boss, "plan-edit", plan.pk),
        page(boss, "order", order.pk),
        page(boss, "order-new"),
        page(boss, "downtime-new"),
    ]
    for body in bodies:
        assert " style=" not in body
        assert "<style" not in body
        assert "onclick" not in body


def test_what_is_not_there_is_a_page(boss: Client) -> None:
    for name in ("plan", "plan-edit", "order"):
        page(boss, name, 999999, status=404)
        page(boss, name, 99999999999999999999999, status=404)
    post(boss, "downtime-end", 999999, status=404)


def test_days_as_people_say_them() -> None:
    day = today()
    assert [relative(day + timedelta(days=n), day) for n in (-3, -1, 0, 1, 12)] == [
        "3 d ago", "yesterday", "today", "tomorrow", "in 12 d",
    ]  # fmt: skip
