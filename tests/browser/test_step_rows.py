"""Steps of a plan as rows: by mouse and keys; the text form says the same, and is there without script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from devices.models import MaintenancePlan, ModelPlan
from devices.services import model_plans
from tests.browser.conftest import PHONE, Visitor
from tests.browser.test_maintenance import clean
from tests.devices.factories import model
from tests.devices.maintenance_rows import admin, make_plan, today

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Visitor]
LINES = (
    "clean\nTube voltage [number kV 68..72]\nLabel [photo]\nRemarks [text]\nis it [photo] [check]"
)


def test_rows_are_added_moved_and_removed_by_keys(visit: Visit) -> None:
    plan = make_plan(checklist=["first", "second"])
    desk = visit(admin())
    desk.go(reverse("devices:plan-edit", args=[plan.pk]))
    page = desk.page
    expect(page.get_by_label("Checklist", exact=True)).to_be_hidden()
    first = page.get_by_label("Step 1", exact=True)
    expect(first).to_have_value("first")
    expect(page.get_by_label("Move step 1 up")).to_be_disabled()
    first.focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_label("Step 2", exact=True)).to_have_value("first")
    expect(page.get_by_label("Step 2", exact=True)).to_be_focused()
    page.keyboard.press("Enter")  # the next step, not the form
    page.keyboard.type("Tube voltage")
    page.get_by_label("Kind of step 3").select_option("number")
    page.get_by_label("Unit of step 3").fill("kV")
    page.get_by_label("Lowest of step 3").fill("68")
    page.get_by_label("Highest of step 3").fill("72.5")
    page.get_by_role("button", name="Move step 3 up").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Remove step 3").click()
    page.get_by_role("button", name="Add a step").click()
    page.keyboard.type("photo of it")
    page.get_by_label("Kind of step 3").select_option("photo")
    clean(desk)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{reverse('devices:plan', args=[plan.pk])}")
    plan.refresh_from_db()
    assert plan.checklist == [
        "second",
        {"step": "Tube voltage", "kind": "number", "unit": "kV", "low": 68.0, "high": 72.5},
        {"step": "photo of it", "kind": "photo"},
    ]


def test_text_and_rows_say_the_same(visit: Visit) -> None:
    plan = make_plan(checklist=["x"])
    desk = visit(admin(), size=PHONE)
    desk.go(reverse("devices:plan-edit", args=[plan.pk]))
    page = desk.page
    page.get_by_role("button", name="Edit as text").click()
    page.get_by_label("Checklist", exact=True).fill(LINES)
    page.get_by_role("button", name="Edit as rows").click()
    expect(page.locator(".step-rows > li")).to_have_count(5)
    expect(page.get_by_label("Highest of step 2")).to_have_value("72")
    expect(page.get_by_label("Kind of step 5")).to_have_value("check")
    page.get_by_label("Step 1", exact=True).press("End")
    page.keyboard.type("!")
    page.get_by_role("button", name="Edit as text").click()
    expect(page.get_by_label("Checklist", exact=True)).to_have_value(
        LINES.replace("clean", "clean!")
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert desk.complaints == []


def test_what_the_server_refuses_comes_back_in_rows(visit: Visit) -> None:
    plan = make_plan(checklist=["x"])
    desk = visit(admin())
    desk.go(reverse("devices:plan-edit", args=[plan.pk]))
    page = desk.page
    page.get_by_label("Kind of step 1").select_option("number")
    page.get_by_label("Unit of step 1").fill("furlong")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field-error").first).to_contain_text("UCUM")
    expect(page.get_by_label("Unit of step 1")).to_have_value("furlong")
    assert MaintenancePlan.objects.get().checklist == ["x"]


def test_a_models_plan_has_rows_too_and_without_script_the_text(visit: Visit) -> None:
    found = model_plans.create(
        actor=admin(), device_model=model(), title="S", rrule="FREQ=YEARLY", starts_on=today(),
        checklist=["a step"],
    )  # fmt: skip
    address = reverse("devices:model-plan-edit", args=[found.pk])
    desk = visit(admin())
    desk.go(address)
    desk.page.get_by_label("Step 1", exact=True).fill("another")
    desk.page.get_by_role("button", name="Save").click()
    desk.page.wait_for_url(f"**{reverse('devices:model-plan', args=[found.pk])}")
    assert ModelPlan.objects.get().checklist == ["another"]
    plain = visit(admin(), java_script_enabled=False)
    plain.go(address)
    expect(plain.page.get_by_label("Checklist", exact=True)).to_have_value("another")
