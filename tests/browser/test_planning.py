"""What if in a real browser: from the week to a scenario, its figures, and the moved order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Visitor, clean
from tests.devices.maintenance_rows import admin, today
from tests.planning.rows import failing, planned

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Visitor]


def test_a_scenario_from_the_week_to_the_moved_order(visit: Visit) -> None:
    one, two, _ = failing(3)
    order = planned(one, due=0, grace_days=9)
    boss = admin()
    desk = visit(boss)
    desk.go(reverse("maintenance:week"))
    page = desk.page
    page.get_by_label("Order", exact=True).select_option(str(order.pk))
    page.get_by_label("to day", exact=True).fill(today(3).isoformat())
    page.get_by_role("button", name="See what changes").click()
    expect(page.get_by_role("heading", name="What it does")).to_be_visible()
    expect(page.locator(".what-if-chips")).to_contain_text(f"WO-{order.pk}")
    clean(desk)
    page.get_by_label("Machine", exact=True).select_option(str(two.pk))
    page.get_by_role("button", name="Spare part", exact=True).click()
    expect(page.locator(".what-if-chips li")).to_have_count(2)
    page.get_by_label("To day").fill(today(10).isoformat())
    page.get_by_role("button", name="Leave it out").click()
    expect(page.get_by_role("alert")).to_contain_text("has two changes")
    page.go_back()
    page.get_by_label("Why they move").fill("fewer at once")
    page.get_by_role("button", name="Apply 1 move").click()
    expect(page.get_by_role("status")).to_contain_text(f"Moved: WO-{order.pk}")
    order.refresh_from_db()
    assert timezone.localdate(order.scheduled_for) == today(3)
    expect(page.locator(".what-if-chips li")).to_have_count(1)  # the spare part is no move
    page.get_by_role("button", name="Undo the move of 1 order").click()
    expect(page.get_by_role("status")).to_contain_text("Back where they were")
    order.refresh_from_db()
    assert order.scheduled_for is None


def test_a_suggestion_on_the_phone(visit: Visit) -> None:
    for each in failing(3):
        planned(each, due=9, grace_days=6)
    phone = visit(admin(), size=PHONE, has_touch=True, is_mobile=True)
    phone.go(reverse("planning:suggestion"))
    page = phone.page
    page.get_by_role("button", name="Work out a suggestion").click()
    expect(page.get_by_role("heading", name="Simulated")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    clean(phone)
