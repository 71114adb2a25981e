"""Plans of a make for all its machines, exceptions within what the manufacturer allows, blackouts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from devices.models import Blackout, MaintenancePlan, ModelPlan, ModelPlanException, WorkOrder
from devices.services import blackouts, model_plans, orders
from devices.tasks import materialise_due_orders_task
from tests.devices import factories as f
from tests.devices.maintenance_rows import admin, make_device, make_plan, today
from twinhealth.errors import InvalidInputError

pytestmark = pytest.mark.django_db


def quarterly(**fields: Any) -> ModelPlan:
    fields = {
        "actor": admin(), "device_model": fields.pop("device_model", None) or f.model(),
        "title": "Quarterly", "rrule": "FREQ=MONTHLY;INTERVAL=3", "starts_on": today(),
        "checklist": ["look"], **fields,
    }  # fmt: skip
    return model_plans.create(**fields)


def test_every_machine_gets_it_and_so_does_one_that_comes_later() -> None:
    make = f.model()
    first, gone = f.device(make), f.device(make)
    gone.lifecycle = "retired"
    gone.save()
    plan = quarterly(device_model=make)
    assert [p.device for p in plan.plans.all()] == [first]
    assert WorkOrder.objects.get(plan__model_plan=plan).due_on == today()
    later = f.device(make)
    materialise_due_orders_task()
    materialise_due_orders_task()
    assert {p.device for p in plan.plans.all()} == {first, later}
    assert WorkOrder.objects.count() == 2
    row = MaintenancePlan.objects.get(device=later)
    with pytest.raises(IntegrityError), transaction.atomic():
        MaintenancePlan.objects.create(
            device=later, model_plan=plan, title="T", rrule="FREQ=DAILY", starts_on=today()
        )
    assert row.checklist == ["look"]


def test_a_change_reaches_every_machine_but_not_another_interval() -> None:
    make = f.model(maintenance_months=6)
    one, other = f.device(make), f.device(make)
    plan = quarterly(device_model=make)
    model_plans.except_machine(
        model_plan=plan, device=other, actor=admin(), reason="heavy use", rrule="FREQ=MONTHLY"
    )
    model_plans.update(
        model_plan=plan, actor=admin(), title="Half-yearly", rrule="FREQ=MONTHLY;INTERVAL=6"
    )
    rules = {p.device: (p.title, p.rrule) for p in plan.plans.all()}
    assert rules == {
        one: ("Half-yearly", "FREQ=MONTHLY;INTERVAL=6"), other: ("Half-yearly", "FREQ=MONTHLY"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("months", "rrule", "allowed"),
    [
        (6, "FREQ=MONTHLY;INTERVAL=6", True),
        (6, "FREQ=WEEKLY;INTERVAL=25", True),
        (6, "FREQ=WEEKLY;INTERVAL=26", False),  # 182 days; from September it is 181
        (6, "FREQ=MONTHLY;INTERVAL=7", False),
        (6, "FREQ=YEARLY", False),
        (6, "FREQ=MONTHLY;BYMONTH=1,3", False),  # ten months from March to January
        (None, "FREQ=MONTHLY;INTERVAL=3", True),
        (None, "FREQ=MONTHLY;INTERVAL=4", False),
    ],
)
def test_no_interval_beyond_the_manufacturers(months: int, rrule: str, allowed: bool) -> None:
    make = f.model(maintenance_months=months)
    device = f.device(make)
    plan = quarterly(device_model=make)
    call = lambda: model_plans.except_machine(  # noqa: E731
        model_plan=plan, device=device, actor=admin(), reason="little use", rrule=rrule
    )
    if allowed:
        call()
        assert plan.plans.get().rrule == rrule
        return
    with pytest.raises(InvalidInputError) as caught:
        call()
    assert caught.value.code == "beyond_manufacturer"
    assert plan.plans.get().rrule == "FREQ=MONTHLY;INTERVAL=3"
    assert not ModelPlanException.objects.exists()
    if months:
        with pytest.raises(InvalidInputError):
            quarterly(device_model=make, rrule=rrule)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"grace_days": 40_000}, "grace_out_of_range"),
        ({"lead_days": -1}, "lead_out_of_range"),
        ({"longest_months": 0}, "longest_out_of_range"),
        ({"timing": "meter"}, "unknown_timing"),
        ({"title": " "}, "title_missing"),
    ],
)
def test_a_change_is_checked_before_it_is_saved(changes: dict[str, Any], code: str) -> None:
    made = quarterly()
    kept = ModelPlan.objects.values().get()
    with pytest.raises(InvalidInputError) as caught:
        model_plans.update(model_plan=made, actor=admin(), **changes)
    assert caught.value.code == code
    assert ModelPlan.objects.values().get() == kept


def test_a_machine_is_left_out_and_taken_in_again() -> None:
    make = f.model()
    device = f.device(make)
    plan = quarterly(device_model=make)
    found = model_plans.except_machine(
        model_plan=plan, device=device, actor=admin(), reason="on loan"
    )
    assert not plan.plans.get().active
    assert WorkOrder.objects.get().state == "cancelled"
    materialise_due_orders_task()
    assert WorkOrder.objects.exclude(state="cancelled").count() == 0
    model_plans.end_exception(exception=found, actor=admin())
    assert plan.plans.get().active
    assert WorkOrder.objects.exclude(state="cancelled").count() == 1
    with pytest.raises(InvalidInputError) as caught:
        model_plans.except_machine(model_plan=plan, device=make_device(), actor=admin(), reason="x")
    assert caught.value.code == "device_of_another_model"


# --- blackouts


def off(first: int, last: int, **fields: Any) -> Blackout:
    fields = {"actor": admin(), "reason": "flu season", **fields}
    return blackouts.create(starts_on=today(first), ends_on=today(last), **fields)


def due(plan: MaintenancePlan) -> list[int]:
    rows = WorkOrder.objects.filter(plan=plan).exclude(state="cancelled").order_by("due_on")
    return [(row.due_on - today()).days for row in rows if row.due_on]


def test_a_due_date_goes_to_the_next_allowed_day_within_its_grace_else_before() -> None:
    off(5, 8)
    within = make_plan(starts_on=today(5), grace_days=7)
    before = make_plan(starts_on=today(5), grace_days=2)
    assert (due(within), due(before)) == ([9], [4])
    order = WorkOrder.objects.get(plan=within)
    assert (order.occurs_on, order.grace_days) == (today(5), 3)  # late on the same day as ever
    assert WorkOrder.objects.get(plan=before).grace_days == 3
    assert "moved by a blackout" in order.events.get().note


def test_days_of_one_plan_and_of_the_hospital_add_up() -> None:
    plan, other = make_plan(starts_on=today(5)), make_plan(starts_on=today(5))
    off(5, 5)
    off(6, 6, plan=plan)
    assert (due(plan), due(other)) == ([7], [6])


def test_orders_move_with_the_days_and_back_unless_somebody_touched_them() -> None:
    plan, taken = make_plan(starts_on=today(5)), make_plan(starts_on=today(5))
    orders.assign(order=WorkOrder.objects.get(plan=taken), actor=admin(), assignee=f.user())
    found = off(4, 6)
    assert (due(plan), due(taken)) == ([7], [5])
    assert (
        "days without maintenance were changed"
        in WorkOrder.objects.get(plan=plan).events.last().note
    )  # type: ignore[union-attr]
    blackouts.delete(blackout=found, actor=admin())
    assert due(plan) == [5]


def test_daily_work_in_a_blackout_is_done_once() -> None:
    off(3, 5)
    plan = make_plan(rrule="FREQ=DAILY", starts_on=today(), lead_days=7, grace_days=7)
    assert due(plan) == [0, 1, 2, 6, 7]
    assert plan.next_due_on == today(8)


@pytest.mark.parametrize(
    ("first", "last", "reason", "code"),
    [
        (5, 4, "x", "ends_before_start"),
        (0, 400, "x", "blackout_too_long"),
        (0, 1, " ", "reason_missing"),
    ],
)
def test_bad_days_are_refused(first: int, last: int, reason: str, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        off(first, last, reason=reason)
    assert caught.value.code == code


# --- in the browser and by REST


def test_pages() -> None:
    boss, engineer = Client(), Client()
    boss.force_login(admin())
    engineer.force_login(f.user())
    make = f.model(maintenance_months=6)
    device = f.device(make)
    new = reverse("devices:model-plan-new")
    fields = {
        "device_model": make.pk, "title": "Service", "timing": "fixed", "mode": "month_day",
        "every": 3, "month_day": 0, "starts_on": today().isoformat(), "grace_days": 7,
        "lead_days": 14, "checklist": "look",
    }  # fmt: skip
    refused = boss.post(new, {**fields, "every": 12})
    assert refused.status_code == 400
    assert "Not permitted" in refused.content.decode()
    assert boss.post(new, fields).status_code == 302
    plan = ModelPlan.objects.get()
    page = reverse("devices:model-plan", args=[plan.pk])
    body = boss.get(page).content.decode()
    assert device.name in body
    assert plan.title in boss.get(reverse("devices:model-plans")).content.decode()
    exempt = reverse("devices:model-plan-except", args=[plan.pk])
    bad = boss.post(exempt, {"device": device.pk, "reason": "x", "rrule": "FREQ=YEARLY"})
    assert "Not permitted" in bad.content.decode()
    assert boss.post(exempt, {"device": device.pk, "reason": "on loan"}).status_code == 302
    found = ModelPlanException.objects.get()
    assert "on loan" in boss.get(page).content.decode()
    assert boss.post(reverse("devices:model-plan-include", args=[found.pk])).status_code == 302
    assert not ModelPlanException.objects.exists()
    edit = reverse("devices:model-plan-edit", args=[plan.pk])
    assert boss.get(edit).status_code == 200
    assert boss.post(edit, {**fields, "title": "Look"}).status_code == 302
    assert plan.plans.get().title == "Look"
    days = reverse("devices:blackouts")
    sent = {"starts_on": today(1).isoformat(), "ends_on": today(2).isoformat(), "reason": "fair"}
    add = reverse("devices:blackout-new")
    assert boss.post(add, {**sent, "ends_on": today().isoformat()}).status_code == 400
    assert boss.post(add, sent).status_code == 302
    row = Blackout.objects.get()
    assert "fair" in engineer.get(days).content.decode()
    assert engineer.post(add, sent).status_code == 403
    assert boss.post(reverse("devices:blackout-delete", args=[row.pk])).status_code == 302
    assert not Blackout.objects.exists()
    assert engineer.get(new).status_code == 403


def test_rest() -> None:
    api, engineer = APIClient(), APIClient()
    api.force_authenticate(admin())
    engineer.force_authenticate(f.user())
    make = f.model(maintenance_months=6)
    device = f.device(make)
    url = "/api/v1/model-plans/"
    sent = {
        "device_model": make.pk, "title": "Service", "rrule": "FREQ=MONTHLY;INTERVAL=3",
        "starts_on": today().isoformat(), "checklist": ["look"],
    }  # fmt: skip
    assert engineer.post(url, sent, format="json").status_code == 403
    made = api.post(url, sent, format="json").json()
    assert (made["machines"], made["longest_months"]) == (1, 6)
    assert engineer.get(url).json()["count"] == 1
    changed = api.patch(f"{url}{made['id']}/", {"title": "Look"}, format="json").json()
    assert changed["title"] == "Look"
    exempt = f"{url}{made['id']}/exceptions/"
    far = {"device": device.pk, "rrule": "FREQ=YEARLY", "reason": "x"}
    assert api.post(exempt, far, format="json").json()["code"] == "beyond_manufacturer"
    kept = api.post(exempt, {"device": device.serial, "reason": "loan"}, format="json").json()
    assert kept["exceptions"][0]["device"] == device.pk
    gone = api.delete(f"{exempt}{kept['exceptions'][0]['id']}/")
    assert gone.status_code == 204
    assert api.delete(f"{exempt}999999/").status_code == 404
    days = "/api/v1/blackouts/"
    made = api.post(
        days,
        {"starts_on": today(1).isoformat(), "ends_on": today(3).isoformat(), "reason": "fair"},
        format="json",
    ).json()
    assert engineer.get(days).json()["count"] == 1
    assert engineer.delete(f"{days}{made['id']}/").status_code == 403
    assert api.delete(f"{days}{made['id']}/").status_code == 204
    assert api.delete(f"{days}{made['id']}/").status_code == 404
    assert today() + timedelta(days=1) == today(1)
