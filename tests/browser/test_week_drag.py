"""The week: an order dragged by the mouse, or moved by keys and the form; the reason stays, undo works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from devices.models import WorkOrder
from devices.services import orders
from tests.browser.conftest import Visitor
from tests.browser.test_maintenance import clean
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Visitor]


def scheduled() -> WorkOrder:
    """On Tuesday of this week, for somebody."""
    now = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0)
    tuesday = now - timedelta(days=now.weekday() - 1)
    order = make_order(title="Drag me")
    return orders.schedule(order=order, actor=admin(), scheduled_for=tuesday, assigned_to=user())


def cell(page: Page, order: WorkOrder, days: int, person: int) -> str:
    assert order.scheduled_for is not None
    day = timezone.localdate(order.scheduled_for) + timedelta(days=days)
    found = f'td[data-day="{day}"][data-person="{person}"]'
    expect(page.locator(found)).to_have_count(1)
    return found


def test_dragged_onto_another_day_and_person_with_the_reason_and_back(visit: Visit) -> None:
    order, other = scheduled(), user()
    before = (order.scheduled_for, order.assigned_to)
    desk = visit(admin())
    desk.go(reverse("maintenance:week"))
    page = desk.page
    page.drag_and_drop(
        f'[data-move="{reverse("maintenance:reschedule", args=[order.pk])}"]',
        cell(page, order, 1, other.pk),
    )
    page.wait_for_url("**/maintenance/reschedule/**")
    clean(desk)
    order.refresh_from_db()
    assert (order.scheduled_for, order.assigned_to) == before  # nothing moves without a reason
    expect(page.get_by_label("For")).to_have_value(str(other.pk))
    page.get_by_label("Why it moves").fill("the room is taken")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_text(f"Moved: WO-{order.pk}.")).to_be_visible()
    order.refresh_from_db()
    assert before[0] is not None
    assert (order.scheduled_for, order.assigned_to) == (before[0] + timedelta(days=1), other)
    assert order.events.filter(note__contains="the room is taken").count() == 1
    expect(page.locator(cell(page, order, 0, other.pk))).to_contain_text("Drag me")
    page.get_by_role("button", name="Undo the move").click()
    expect(page.get_by_text("is back where it was")).to_be_visible()
    order.refresh_from_db()
    assert (order.scheduled_for, order.assigned_to) == before
    notes = list(order.events.values_list("note", flat=True))
    assert any("the room is taken" in note for note in notes)  # the history keeps both
    assert notes[-1] == "move undone"


def test_moved_by_keys_and_the_form_alone(visit: Visit) -> None:
    order = scheduled()
    assert order.scheduled_for is not None
    desk = visit(admin())
    desk.go(reverse("maintenance:week"))
    page = desk.page
    link = page.get_by_role("link", name=f"Move WO-{order.pk}")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/maintenance/reschedule/**")
    later = timezone.localtime(order.scheduled_for) + timedelta(days=2)
    page.get_by_label("When").fill(later.strftime("%Y-%m-%dT%H:%M"))
    why = page.get_by_label("Why it moves")
    why.focus()
    page.keyboard.press("Enter")  # without a reason the form isn't sent
    assert "/reschedule/" in page.url
    page.keyboard.type("the part comes on Thursday")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"Moved: WO-{order.pk}.")).to_be_visible()
    order.refresh_from_db()
    assert order.scheduled_for == later
    assert order.events.filter(note__contains="the part comes on Thursday").exists()
    assert desk.complaints == []


def test_dropped_where_it_stood_nothing_happens(visit: Visit) -> None:
    order = scheduled()
    assert order.assigned_to is not None
    desk = visit(admin())
    desk.go(reverse("maintenance:week"))
    page = desk.page
    page.drag_and_drop(
        f'[data-move="{reverse("maintenance:reschedule", args=[order.pk])}"]',
        cell(page, order, 0, order.assigned_to.pk),
    )
    desk.settle()
    assert "/maintenance/week/" in page.url
