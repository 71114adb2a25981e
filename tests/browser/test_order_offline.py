"""An order on a phone whose network goes: nothing typed is lost, nothing is overwritten in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from devices.models import OrderAnswers, OrderFile, WorkOrder
from devices.services import orders, plans
from tests.browser.conftest import PASSWORD, PHONE, Visitor
from tests.browser.test_maintenance import clean
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_order, make_plan, today

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Visitor]
STEPS: tuple[Any, ...] = (
    "clean the grid",
    {"step": "Tube voltage", "kind": "number", "unit": "kV", "low": 68, "high": 72},
    {"step": "Label", "kind": "photo"},
)


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """A worker, a store and a server answer one after the other; on a busy machine that takes a while."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


def phone_of(visit: Visit, person: User, order: WorkOrder) -> Visitor:
    phone = visit(person, size=PHONE, has_touch=True, is_mobile=True)
    phone.go(reverse("devices:order", args=[order.pk]))
    # the script that opens the page without network has what it needs
    phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.page.wait_for_function(
        "async (path) => Boolean(await caches.match(path))",
        arg=reverse("devices:order", args=[order.pk]),
    )
    phone.settle()
    return phone


def picture() -> bytes:
    made = BytesIO()
    Image.new("RGB", (8, 8), "red").save(made, "PNG")
    return made.getvalue()


def line(page: Page) -> Any:
    return expect(page.locator("#checklist-kept"))


def test_answers_wait_for_the_network_and_are_sent_once(visit: Visit) -> None:
    worker = user()
    order = make_order("in_progress", worker=worker, checklist=STEPS)
    phone = phone_of(visit, worker, order)
    page = phone.page
    phone.page.context.set_offline(True)
    page.get_by_label("clean the grid", exact=True).check()
    page.get_by_label("Tube voltage", exact=False).first.fill("70,5")
    page.locator("[name=note-1]").fill("warm")
    page.locator("#photo-2").set_input_files(
        {"name": "label.png", "mimeType": "image/png", "buffer": picture()}
    )
    line(page).to_contain_text("kept in this browser, 3 answers wait")
    expect(page.locator("#order-away")).to_be_visible()
    expect(page.get_by_text("waits in this browser")).to_be_visible()
    page.get_by_label("Signature").fill("Ada L.")
    page.get_by_role("button", name="Sign: done").click()
    expect(page.locator("#messages")).to_contain_text("needs the network")
    order.refresh_from_db()
    assert (order.state, order.checklist[0]["done"]) == ("in_progress", False)
    # the page itself opens without network, and what was typed is there
    page.reload()
    expect(page.get_by_label("clean the grid", exact=True)).to_be_checked()
    expect(page.locator("[name=value-1]")).to_have_value("70,5")
    line(page).to_contain_text("kept in this browser, 3 answers wait")
    phone.page.context.set_offline(False)
    line(page).to_contain_text("sent")
    line(page).to_contain_text("3 of 3 answered")
    order.refresh_from_db()
    assert [item["done"] for item in order.checklist] == [True, True, True]
    assert (order.checklist[1]["value"], order.checklist[1]["note"]) == (70.5, "warm")
    assert OrderFile.objects.filter(order=order, step=2).count() == 1
    page.get_by_label("Signature").fill("Ada L.")
    page.get_by_role("button", name="Sign: done").click()
    expect(page.get_by_text("nobody checks the own work")).to_be_visible()
    order.refresh_from_db()
    assert (order.state, order.signature) == ("done", "Ada L.")
    assert OrderFile.objects.filter(order=order).count() == 1  # not once more with the signature


def test_answers_whose_reply_was_lost_are_kept_once(visit: Visit) -> None:
    worker = user()
    order = make_order("in_progress", worker=worker)
    phone = visit(worker, size=PHONE)
    sent: list[str] = []

    def lose_the_first(route: Route) -> None:
        sent.append(route.request.post_data or "")
        if len(sent) > 1:
            return route.continue_()
        route.fetch()  # it arrives
        return route.abort("connectionreset")

    phone.page.route("**/answers/", lose_the_first)
    phone.go(reverse("devices:order", args=[order.pk]))
    phone.page.get_by_label("clean the grid", exact=True).check()
    line(phone.page).to_contain_text("1 answer waits · no network")
    phone.page.evaluate("dispatchEvent(new Event('online'))")
    line(phone.page).to_contain_text("1 of 2 answered, not signed yet")
    assert sent[0] == sent[1]  # word for word, under the same key
    assert OrderAnswers.objects.filter(order=order).count() == 1


def test_two_people_on_one_order_see_both_sides_and_choose(visit: Visit) -> None:
    ada, bob = user(), user()
    order = make_order("in_progress", worker=ada, checklist=STEPS)
    away, desk = phone_of(visit, ada, order), phone_of(visit, bob, order)
    away.page.context.set_offline(True)
    away.page.locator("[name=value-1]").fill("70")
    away.page.get_by_label("clean the grid", exact=True).check()
    line(away.page).to_contain_text("2 answers wait")
    desk.page.locator("[name=value-1]").fill("71")
    desk.page.locator("[name=value-1]").blur()
    line(desk.page).to_contain_text("sent")
    away.page.context.set_offline(False)
    conflict = away.page.locator("#order-conflict")
    expect(conflict).to_be_visible()
    expect(conflict).to_contain_text("Somebody else answered the same steps")
    row = conflict.locator("tbody tr", has_text="Tube voltage")
    expect(row).to_contain_text("70")
    expect(row).to_contain_text("71")
    order.refresh_from_db()
    assert (order.checklist[1]["value"], order.checklist[0]["done"]) == (71.0, False)
    clean_of_refusals(away)
    row.get_by_label("mine").check()
    conflict.get_by_role("button", name="Go on with these").click()
    expect(conflict).to_be_hidden()
    away.settle()
    order.refresh_from_db()
    assert (order.checklist[1]["value"], order.checklist[0]["done"]) == (70.0, True)
    # the other one types into another field: both are kept, without a question
    desk.page.locator("[name=note-0]").fill("dusty")
    desk.page.locator("[name=note-0]").blur()
    line(desk.page).to_contain_text("sent")
    expect(desk.page.locator("[name=value-1]")).to_have_value("70")
    order.refresh_from_db()
    assert (order.checklist[1]["value"], order.checklist[0]["note"]) == (70.0, "dusty")


def clean_of_refusals(visitor: Visitor) -> None:
    assert visitor.refusals() == []


def test_completed_by_another_meanwhile_goes_on_the_time_line(visit: Visit) -> None:
    ada, bob = user(), user()
    order = make_order("in_progress", worker=ada)
    away = phone_of(visit, ada, order)
    away.page.context.set_offline(True)
    away.page.locator("[name=note-0]").fill("a screw is missing")
    line(away.page).to_contain_text("1 answer waits")
    orders.complete(order=order, actor=bob, signature="Bob", checklist=[True, True])
    away.page.context.set_offline(False)
    conflict = away.page.locator("#order-conflict")
    expect(conflict).to_contain_text(f"It is done by {bob}")
    conflict.get_by_label("put mine on the time line").check()
    conflict.get_by_role("button", name="Go on with these").click()
    expect(away.page.locator(".timeline").first).to_contain_text("a screw is missing")
    order.refresh_from_db()
    assert (order.state, order.checklist[0]["note"]) == ("done", "")


def test_put_on_hold_and_given_away_is_said_before_anything_is_sent(visit: Visit) -> None:
    ada, bob = user(), user()
    order = make_order("in_progress", worker=ada)
    away = phone_of(visit, ada, order)
    away.page.context.set_offline(True)
    away.page.get_by_label("clean the grid", exact=True).check()
    line(away.page).to_contain_text("1 answer waits")
    orders.hold(order=order, actor=bob, reason="no lamp")
    orders.assign(order=order, actor=bob, assignee=bob)
    away.page.context.set_offline(False)
    conflict = away.page.locator("#order-conflict")
    expect(conflict).to_contain_text("no lamp")
    expect(conflict).to_contain_text(f"given to {bob}")
    order.refresh_from_db()
    assert order.checklist[0]["done"] is False
    conflict.get_by_role("button", name="Go on with these").click()
    expect(away.page.get_by_text("On hold: no lamp").first).to_be_visible()
    order.refresh_from_db()
    assert order.checklist[0]["done"] is True


def test_the_session_ended_and_after_signing_in_it_is_all_there(visit: Visit) -> None:
    worker = user()
    worker.set_password(PASSWORD)
    worker.save()
    order = make_order("in_progress", worker=worker)
    phone = phone_of(visit, worker, order)
    page = phone.page
    Session.objects.all().delete()
    page.locator("[name=note-0]").fill("typed after the session ended")
    page.locator("[name=note-0]").blur()
    line(page).to_contain_text("you are signed out")
    page.locator("[data-signed-out] a").click()
    page.locator("[name=username]").fill(worker.username)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(f"**{reverse('devices:order', args=[order.pk])}")
    line(page).to_contain_text("sent")
    order.refresh_from_db()
    assert order.checklist[0]["note"] == "typed after the session ended"


def test_another_person_on_the_same_phone_sees_nothing_of_it(visit: Visit) -> None:
    ada, bob = user(), user()
    bob.set_password(PASSWORD)
    bob.save()
    order = make_order("in_progress", worker=ada)
    phone = phone_of(visit, ada, order)
    page, path = phone.page, reverse("devices:order", args=[order.pk])
    page.route("**/answers/", lambda route: route.abort("internetdisconnected"))
    page.locator("[name=note-0]").fill("of Ada alone")
    line(page).to_contain_text("1 answer waits")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login/**")
    page.wait_for_function(
        "async () => (await caches.keys()).every((k) => !k.startsWith('orders-'))"
    )
    page.locator("[name=username]").fill(bob.username)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/devices/**")
    phone.go(path)
    phone.settle()
    expect(page.locator("[name=note-0]")).to_have_value("")
    assert "of Ada alone" not in page.content()
    line(page).not_to_contain_text("wait")
    order.refresh_from_db()
    assert order.checklist[0]["note"] == ""


def test_the_plan_changed_its_steps_meanwhile(visit: Visit) -> None:
    ada = user()
    plan = make_plan()
    order = WorkOrder.objects.get(plan=plan)
    order = orders.start(order=order, actor=ada)
    away = phone_of(visit, ada, order)
    away.page.context.set_offline(True)
    away.page.locator("[name=note-1]").fill("crooked")
    line(away.page).to_contain_text("1 answer waits")
    plans.update(plan=plan, actor=admin(), checklist=["clean the grid", "another step"])
    order.refresh_from_db()
    assert order.checklist[1]["step"] != "another step"  # work that began keeps its steps
    away.page.context.set_offline(False)
    line(away.page).to_contain_text("sent")
    order.refresh_from_db()
    assert order.checklist[1]["note"] == "crooked"


def test_the_page_is_usable_and_asks_for_nothing_that_is_refused(visit: Visit) -> None:
    worker = user()
    order = make_order("in_progress", worker=worker, checklist=STEPS, due_on=today(3))
    phone = phone_of(visit, worker, order)
    clean(phone)
