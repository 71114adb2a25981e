"""Maintenance in a real browser: the desk plans, the phone works, both end on rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from devices.models import MaintenancePlan, WorkOrder
from tests.browser.conftest import PHONE, Visitor, clean, place
from tests.devices.factories import user
from tests.devices.maintenance_rows import STEPS, admin, make_device, make_order, make_plan, today

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Visitor]


def test_a_plan_is_made_with_its_dates_in_view(visit: Visit) -> None:
    device = make_device(name="XR-plan")
    desk = visit(admin())
    desk.go(reverse("devices:plan-new"))
    page = desk.page
    expect(page.locator("#preview li")).to_have_count(5)
    page.get_by_label("Machine", exact=True).select_option(str(device.pk))
    page.get_by_label("What is to be done").fill("Detector check")
    page.get_by_role("button", name="Add a step").click()
    page.keyboard.type("first")
    page.keyboard.press("Enter")
    page.keyboard.type("second")
    expect(page.get_by_label("Weekday", exact=True)).to_be_hidden()
    page.get_by_label("on a weekday").check()
    expect(page.get_by_label("Weekday", exact=True)).to_be_visible()
    page.get_by_label("Every", exact=True).fill("2")
    expect(page.locator("#preview")).to_contain_text("every 2 months on the first Monday")
    page.get_by_label("by a rule").check()
    page.get_by_label("Rule", exact=True).fill("FREQ=SECONDLY")
    expect(page.locator("#preview")).to_contain_text("not more often")
    page.get_by_label("on a weekday").check()
    clean(desk)
    page.get_by_role("button", name="Start the plan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Detector check")
    plan = MaintenancePlan.objects.get()
    assert (plan.rrule, plan.device) == ("FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO", device)
    assert plan.checklist == ["first", "second"]
    clean(desk)


def test_an_order_is_worked_on_the_phone(visit: Visit) -> None:
    plan = make_plan()
    order = WorkOrder.objects.get(plan=plan)
    phone = visit(user(), size=PHONE, has_touch=True, is_mobile=True)
    page = phone.page
    phone.go(reverse("devices:order", args=[order.pk]))
    start = page.get_by_role("button", name="Start")
    box = place(start)
    assert box["height"] >= 44
    assert box["y"] + box["height"] < PHONE["height"]  # without scrolling
    start.click()
    step = page.get_by_label(STEPS[0], exact=True)
    assert place(page.locator(".check-step").first)["height"] >= 44
    step.check()
    expect(page.locator("#checklist-kept")).to_contain_text("1 of 2 answered")
    order.refresh_from_db()
    assert [item["done"] for item in order.checklist] == [True, False]  # kept before it is signed
    phone.settle()
    clean(phone)
    page.get_by_label("Signature").fill("Ada L.")
    page.get_by_role("button", name="Sign: done").click()
    expect(page.get_by_role("alert")).to_contain_text(STEPS[1])
    expect(page.get_by_label("Signature")).to_have_value("Ada L.")
    page.get_by_label(f"Note on: {STEPS[1]}").fill("no lamp here")
    page.get_by_role("button", name="Sign: done").click()
    expect(page.get_by_text("nobody checks the own work")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    order.refresh_from_db()
    assert (order.state, order.signature) == ("done", "Ada L.")
    assert order.checklist[1]["note"] == "no lamp here"


@pytest.mark.parametrize("view", ["table", "board", "calendar", "plans", "downtimes"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_every_view_fits_its_screen(visit: Visit, view: str, size: str) -> None:
    device = make_device(name="XR-with-a-rather-long-name")
    for state in ("planned", "in_progress", "on_hold", "done"):
        make_order(state, device=device, due_on=today(-2), title=f"A rather long title: {state}")
    make_plan(device)
    make_plan(starts_on=today(-20), grace_days=0)
    visitor = visit(admin(), **({"size": PHONE} if size == "phone" else {}))
    assert visitor.go(f"{reverse('devices:maintenance')}?view={view}") == 200
    visitor.settle()
    clean(visitor)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= (
        PHONE["width"] if size == "phone" else 1440
    )


def test_a_filter_sends_itself_and_the_keyboard_opens_a_row(visit: Visit) -> None:
    here, there = make_device(name="XR-here"), make_device(name="XR-there")
    order = make_order(device=here, title="Work here")
    make_order(device=there, title="Work there")
    desk = visit(admin())
    desk.go(reverse("devices:maintenance"))
    page = desk.page
    page.get_by_label("Machine", exact=True).select_option(str(here.pk))
    expect(page.get_by_text("Work there")).to_have_count(0)
    expect(page.get_by_text("Work here")).to_be_visible()
    page.locator("body").press("j")
    page.locator("body").press("Enter")
    page.wait_for_url(f"**{reverse('devices:order', args=[order.pk])}")
