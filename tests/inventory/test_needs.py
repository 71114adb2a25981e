"""Parts that plans need, and what their orders say of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.permissions import Role
from devices.models import MaintenancePlan, ModelPlan, WorkOrder
from devices.services.plan_orders import materialise_due_orders
from inventory import selectors, selectors_needs
from inventory.models import PlanPart
from inventory.services import needs, stock
from tests.devices.maintenance_rows import admin, make_plan
from twinhealth.errors import DomainError

from .rows import api as rest
from .rows import browser, make_part

pytestmark = pytest.mark.django_db


def order_of(plan: MaintenancePlan) -> WorkOrder:
    materialise_due_orders()
    return WorkOrder.objects.select_related("plan").get(plan=plan)


def lacks(order: WorkOrder) -> list[tuple[str, int, int, int]]:
    found = selectors_needs.of_order(order, selectors.issued_to(order))
    return [(need.part.number, need.wanted, need.taken, need.short) for need in found]


def test_an_order_says_what_its_plan_needs_and_lacks() -> None:
    boss, plan = admin(), make_plan()
    part = make_part(3, number="N-1")
    order = order_of(plan)
    assert lacks(order) == []
    needs.need(plan=plan, part=part, amount=5, actor=boss)
    assert lacks(order) == [("N-1", 5, 0, 2)]
    made = stock.issue(part=part, order=order, amount=3, actor=boss)
    assert lacks(order) == [("N-1", 5, 3, 2)]
    stock.receive(part=part, amount=9, actor=boss)
    stock.issue(part=part, order=order, amount=2, actor=boss)
    assert lacks(order) == [("N-1", 5, 5, 0)]
    stock.give_back(movement=made, amount=1, actor=boss)
    assert lacks(order) == [("N-1", 5, 4, 0)]
    needs.need(plan=plan, part=part, amount=0, actor=boss)
    assert lacks(order) == []
    verbs = AuditEntry.objects.filter(verb="part_needed").values_list("detail", flat=True)
    assert sorted(row["amount"] for row in verbs) == [0, 5]


def test_a_machines_plan_needs_what_its_models_does_unless_it_says_otherwise() -> None:
    boss, plan = admin(), make_plan()
    model_plan = ModelPlan.objects.create(
        device_model=plan.device.model, title="All", rrule="FREQ=MONTHLY",
        starts_on=plan.starts_on, created_by=boss,
    )  # fmt: skip
    MaintenancePlan.objects.filter(pk=plan.pk).update(model_plan=model_plan)
    plan.refresh_from_db()
    one, two = make_part(number="N-1"), make_part(number="N-2")
    needs.need(plan=model_plan, part=one, amount=1, actor=boss)
    needs.need(plan=model_plan, part=two, amount=1, actor=boss)
    needs.need(plan=plan, part=two, amount=4, actor=boss)
    assert [(n, w) for n, w, _, _ in lacks(order_of(plan))] == [("N-1", 1), ("N-2", 4)]
    assert [row.amount for row in selectors_needs.of_plan(model_plan)] == [1, 1]
    page = browser(Role.ADMIN).get(reverse("devices:plan", args=[plan.pk])).content.decode()
    assert page.count("by the model&#x27;s plan") + page.count("by the model's plan") == 1
    page = browser(Role.ADMIN).get(reverse("devices:model-plan", args=[model_plan.pk]))
    assert page.content.decode().count("Not needed") == 2


def test_the_page_of_an_order_gives_them_out_in_one_step() -> None:
    boss, plan = admin(), make_plan()
    part = make_part(3, number="N-1", name="<b>filter</b>")
    needs.need(plan=plan, part=part, amount=2, actor=boss)
    order = order_of(plan)
    client = browser(Role.ENGINEER)
    page = client.get(reverse("devices:order", args=[order.pk])).content.decode()
    assert "Needed by the plan" in page
    assert "<b>filter" not in page
    client.post(reverse("inventory:order-issue", args=[order.pk]), {"part": part.pk, "amount": 2})
    assert lacks(order) == [("N-1", 2, 2, 0)]


def test_pages_and_rest_say_what_is_wrong() -> None:
    plan, part = make_plan(), make_part(number="N-1")
    url = reverse("inventory:plan-need", args=[plan.pk])
    client = browser(Role.ADMIN)
    for amount in ("-1", "1001", "x", ""):
        answer = client.post(url, {"part": part.pk, "amount": amount}, follow=True)
        assert "whole number" in answer.content.decode(), amount
    assert client.post(url, {"part": 2**70, "amount": 1}).status_code == 404
    assert browser(Role.ENGINEER).post(url, {"part": part.pk, "amount": 1}).status_code == 403
    assert not PlanPart.objects.exists()
    client.post(url, {"part": part.pk, "amount": 2})
    url = f"/api/v1/maintenance-plans/{plan.pk}/parts/"
    (shown,) = rest().get(url).json()
    assert (shown["number"], shown["amount"], shown["stock"]) == ("N-1", 2, 5)

    def said(given: dict[str, Any], status: int) -> Any:
        answer = rest().post(url, given, format="json")
        assert answer.status_code == status, answer.content
        return answer.json()

    said({"part": part.pk, "amount": 1_001}, 400)
    said({"part": 2**63, "amount": 1}, 400)
    assert said({"part": 10**9, "amount": 1}, 404)["code"] == "part_not_found"
    assert said({"part": part.pk, "amount": 0}, 200) == []
    type(part).objects.filter(pk=part.pk).update(active=False)
    assert said({"part": part.pk, "amount": 1}, 409)["code"] == "part_inactive"
    assert rest(Role.ENGINEER).post(url, {"part": part.pk, "amount": 1}).status_code == 403


def test_the_database_holds_one_row_of_a_part_and_an_owner() -> None:
    plan, part = make_plan(), make_part()
    PlanPart.objects.create(plan=plan, part=part, amount=1)
    for wrong in ({"plan": plan}, {}, {"plan": plan, "amount": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PlanPart.objects.create(**{"part": part, "amount": 1, **wrong})
    with pytest.raises(DomainError) as caught:
        needs.need(plan=plan, part=part, amount=-1, actor=admin())
    assert caught.value.code == "amount_out_of_range"
