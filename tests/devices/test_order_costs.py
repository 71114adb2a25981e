"""Labour by person and cost of orders; what the plan asks of whoever works on it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from accounts.permissions import Role
from devices.models import Cost, Labour, WorkOrder
from devices.services import order_costs, plans
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_order, make_plan
from twinhealth.errors import ConflictError, DomainError, InvalidInputError

pytestmark = pytest.mark.django_db


def test_labour_by_person_and_cost_stay_with_who_said_it() -> None:
    order, boss, worker = make_order("done"), admin(), user()
    order_costs.add_labour(order=order, actor=boss, person=worker, minutes=45, note="alignment")
    order_costs.add_labour(order=order, actor=boss, minutes=15)
    order_costs.add_cost(order=order, actor=boss, what="Lamp", amount=Decimal("99.9"))
    order_costs.add_cost(order=order, actor=boss, what="Lamp sent back", amount=Decimal("-99.90"))
    rows = Labour.objects.values_list("person", "minutes", "by")
    assert list(rows) == [(worker.pk, 45, boss.pk), (boss.pk, 15, boss.pk)]
    assert sum(Cost.objects.values_list("amount", flat=True)) == 0
    assert AuditEntry.objects.filter(verb="booked").count() == 4
    assert order.events.filter(note__contains="45 min").exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"minutes": 0}, "minutes_out_of_range"),
        ({"minutes": 1441}, "minutes_out_of_range"),
        ({"minutes": 5, "note": "x" * 301}, "note_too_long"),
        ({"what": " ", "amount": Decimal(1)}, "what_missing"),
        ({"what": "x", "amount": Decimal(0)}, "amount_out_of_range"),
        ({"what": "x", "amount": Decimal("NaN")}, "amount_out_of_range"),
        ({"what": "x", "amount": Decimal(10_000_001)}, "amount_out_of_range"),
    ],
)
def test_bad_bookings_are_refused(fields: dict[str, Any], code: str) -> None:
    service: Any = order_costs.add_labour if "minutes" in fields else order_costs.add_cost
    with pytest.raises(InvalidInputError) as caught:
        service(order=make_order(), actor=admin(), **fields)
    assert caught.value.code == code


def test_nothing_is_booked_on_what_never_was_or_for_who_does_not_work(monkeypatch: Any) -> None:
    with pytest.raises(ConflictError):
        order_costs.add_labour(order=make_order("cancelled"), actor=admin(), minutes=5)
    with pytest.raises(InvalidInputError):
        order_costs.add_labour(
            order=make_order(), actor=admin(), person=user(Role.CLINICIAN), minutes=5
        )
    monkeypatch.setattr(order_costs, "MAX_ROWS", 0)
    with pytest.raises(DomainError) as caught:
        order_costs.add_labour(order=make_order(), actor=admin(), minutes=5)
    assert caught.value.code == "too_many_rows"


def test_pages_and_rest() -> None:
    order, worker = make_order("in_progress"), user()
    person, api = Client(), APIClient()
    person.force_login(worker)
    api.force_authenticate(worker)
    page = reverse("devices:order", args=[order.pk])
    labour, cost = (reverse(f"devices:order-{n}", args=[order.pk]) for n in ("labour", "cost"))
    person.post(labour, {"minutes": "30", "note": "<b>look"})
    person.post(cost, {"what": "Lamp", "amount": "12.50"})
    body = person.get(page).content.decode()
    assert "30 min · 12.50" in body
    assert "&lt;b&gt;look" in body
    assert "Minutes" in person.post(labour, {"minutes": "x"}, follow=True).content.decode()
    base = f"/api/v1/work-orders/{order.pk}/"
    sent = api.post(f"{base}labour/", {"minutes": 5, "person": worker.username}, format="json")
    assert sent.status_code == 201, sent.content
    assert api.post(f"{base}costs/", {"what": "Cable", "amount": "3.00"}).status_code == 201
    assert api.post(f"{base}costs/", {"what": "Cable", "amount": "x"}).status_code == 400
    found = api.get(base).json()
    assert [row["minutes"] for row in found["labour"]] == [30, 5]
    assert [row["amount"] for row in found["costs"]] == ["12.50", "3.00"]
    clinician = Client()
    clinician.force_login(user(Role.CLINICIAN))
    assert clinician.post(labour, {"minutes": "30"}).status_code == 403


def test_skills_and_verification_come_from_the_plan() -> None:
    plan = make_plan(skills=["high voltage", " laser ", "high voltage"], verify_required=True)
    order = WorkOrder.objects.get(plan=plan)
    assert (order.skills, order.verify_required) == (["high voltage", "laser"], True)
    plans.update(plan=plan, actor=admin(), skills=[], verify_required=False)
    order.refresh_from_db()
    assert (order.skills, order.verify_required) == ([], False)
    for skills in (["x" * 65], [str(n) for n in range(21)]):
        with pytest.raises(InvalidInputError):
            plans.update(plan=plan, actor=admin(), skills=skills)
