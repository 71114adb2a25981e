"""What plans and orders refuse, plans of a model on later machines, and days of one plan."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import ProtectedError
from django.urls import reverse

from accounts.permissions import Role
from devices.services import blackouts, model_plans, registry
from tests.devices.answer_rows import client
from tests.devices.factories import model as make_model
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_order, make_plan, today
from twinhealth.errors import InvalidInputError

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("door", ["rest", "page"])
def test_a_signature_without_rights_signs_nothing(door: str) -> None:
    order = make_order("in_progress")
    paths = {
        "rest": f"/api/v1/work-orders/{order.pk}/complete/",
        "page": reverse("devices:order-step", args=[order.pk, "complete"]),
    }
    given = {"signature": "Dr. C", "done-0": "on", "done-1": "on"}
    answer = client(user(Role.CLINICIAN)).post(paths[door], given)
    assert answer.status_code == 403
    order.refresh_from_db()
    assert (order.state, order.signature, order.completed_at) == ("in_progress", "", None)
    assert not order.events.filter(to_state="done").exists()


def test_a_retired_machine_keeps_its_history_and_cannot_be_erased() -> None:
    plan = make_plan()
    order = make_order("done", device=plan.device)
    registry.set_lifecycle(device=plan.device, lifecycle="retired", actor=admin(), reason="sold")
    with pytest.raises(ProtectedError):
        plan.device.delete()
    with pytest.raises(ProtectedError):
        plan.delete()
    body = client(admin()).get(reverse("devices:order", args=[order.pk]))
    assert body.status_code == 200
    assert order.signature in body.content.decode()


def test_days_without_maintenance_end_after_they_begin() -> None:
    with pytest.raises(InvalidInputError) as refused:
        blackouts.create(actor=admin(), starts_on=today(2), ends_on=today(1), reason="holiday")
    assert refused.value.code == "ends_before_start"


# --- plans of a model, and days of one plan


def test_a_machine_registered_later_has_its_models_plans_at_once() -> None:
    make, boss = make_model(), admin()
    common: dict[str, Any] = {"actor": boss, "device_model": make, "starts_on": today()}
    model_plans.create(title="Service", rrule="FREQ=MONTHLY;INTERVAL=3", **common)
    late = registry.register_device(serial="LATE-1", name="XR-late", model=make, actor=boss)
    plan = late.plans.get()
    assert (plan.title, plan.created_by) == ("Service", boss)
    assert plan.orders.count() == 1
    other = registry.register_device(
        serial="OTHER", name="XR-other", model=make_model(), actor=None
    )
    assert not other.plans.exists()


def test_a_models_plan_that_cannot_be_given_stops_no_registration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, boss = make_model(), admin()
    model_plans.create(
        actor=boss, device_model=make, title="S", rrule="FREQ=YEARLY", starts_on=today()
    )

    def refuse(*_: Any, **__: Any) -> Any:
        raise InvalidInputError("rrule_never", "never")

    monkeypatch.setattr(model_plans.plans, "create", refuse)
    late = registry.register_device(serial="LATE-2", name="XR-late", model=make, actor=boss)
    assert not late.plans.exists()
    monkeypatch.undo()
    assert model_plans.spread_all() == 1


def test_the_page_of_one_plans_days() -> None:
    plan, boss = make_plan(), client(admin())
    other = make_plan()
    url = reverse("devices:plan-blackouts", args=[plan.pk])
    assert "None: work may be due on any day" in boss.get(url).content.decode()
    given = {"starts_on": str(today(20)), "ends_on": str(today(21)), "reason": "<i>congress</i>"}
    new = reverse("devices:plan-blackout-new", args=[plan.pk])
    assert boss.post(new, {**given, "ends_on": str(today(19))}).status_code == 400
    assert client(user()).post(new, given).status_code == 403
    assert boss.post(new, given)["Location"] == url
    days = plan.blackouts.get()
    assert "&lt;i&gt;congress&lt;/i&gt;" in boss.get(url).content.decode()
    theirs = boss.get(reverse("devices:plan-blackouts", args=[other.pk])).content.decode()
    assert "congress" not in theirs
    gone = boss.post(reverse("devices:blackout-delete", args=[days.pk]), {"next": url})
    assert gone["Location"] == url
    assert not plan.blackouts.exists()
    assert boss.get(reverse("devices:plan-blackouts", args=[999_999])).status_code == 404
