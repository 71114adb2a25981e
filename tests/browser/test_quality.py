"""A session in a real browser: on the phone at the machine, by the keys on the desk, its trend."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from devices.models import Alert
from quality.models import Protocol, QASession
from quality.services import protocols
from tests.browser.conftest import PHONE, Visitor, clean, place
from tests.devices.factories import user
from tests.devices.maintenance_rows import make_plan
from tests.quality import rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Visitor]


def test_a_session_is_done_on_the_phone(visit: Visit) -> None:
    device = rows.machine()
    protocol = rows.protocol(device)
    plan = make_plan(device, checklist=())
    protocols.tie(protocol=protocol, actor=rows.admin(), plan=plan)
    order = plan.orders.get()
    phone = visit(user(), size=PHONE, has_touch=True, is_mobile=True)
    page = phone.page
    phone.go(reverse("devices:order", args=[order.pk]))
    page.get_by_role("button", name="Do the test").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Monthly constancy")
    voltage = page.get_by_label("Tube voltage", exact=True)
    assert place(voltage)["height"] >= 44
    assert place(page.locator(".qa-choice").first)["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.settle()
    clean(phone)

    voltage.fill("76")
    first = page.locator(".qa-test").first
    expect(first.locator(".qa-verdict")).to_contain_text("failed")  # beside it, while it is typed
    first.get_by_role("button", name="value").click()
    page.get_by_label("Tube voltage", exact=True).nth(1).fill("66")
    expect(first.locator(".qa-verdict")).to_contain_text("passed")
    expect(first.locator(".qa-verdict")).to_contain_text("mean 71")
    page.get_by_text("passes", exact=True).click()
    page.get_by_text("faint", exact=True).click()
    expect(page.locator("#kept")).to_contain_text("3 of 3 answered")
    session = QASession.objects.get()
    assert session.state == "draft"  # kept before it is signed
    phone.go(reverse("quality:session", args=[session.pk]))  # as after a lost connection
    expect(page.get_by_label("Tube voltage", exact=True).nth(1)).to_have_value("66")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("signature")
    phone.complaints.clear()  # the browser says that it was refused
    page.get_by_label("Your name, as a signature").fill("Ada L.")
    page.get_by_label("Complete the order with it").check()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("link", name="Certificate")).to_be_visible()
    session.refresh_from_db()
    order.refresh_from_db()
    assert (session.verdict, order.state, order.signature) == ("tolerance", "done", "Ada L.")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    clean(phone)


def test_the_keys_lead_through_a_session_on_the_desk(visit: Visit) -> None:
    device = rows.machine()
    protocol = rows.protocol(device)
    who = user()
    session = rows.draft(protocol, device, actor=who, answers={})
    desk = visit(who)
    desk.go(reverse("quality:session", args=[session.pk]))
    page = desk.page
    page.get_by_label("Tube voltage", exact=True).focus()
    page.keyboard.type("90")
    page.keyboard.press("Enter")  # to the next test, not away
    page.keyboard.press("Space")
    expect(page.get_by_label("passes", exact=True)).to_be_checked()
    page.get_by_label("none", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    page.keyboard.type("Ada L.")
    expect(page.locator("#kept")).to_contain_text("3 of 3 answered")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("link", name="Make an order from it")).to_be_visible()
    assert Alert.objects.get().state == "open"
    desk.settle()
    clean(desk)


def test_trend_and_editor(visit: Visit) -> None:
    device = rows.machine()
    protocol = rows.protocol(device)
    for days, kv in ((90, 70), (60, 73), (30, 69)):
        rows.signed(protocol, device, days, kv=kv)
    desk = visit(rows.admin())
    desk.go(reverse("quality:trend", args=[device.pk, protocol.pk]))
    page = desk.page
    expect(page.locator("[data-trend] canvas")).to_have_count(1)
    expect(page.locator("[data-readout]")).to_have_text(re.compile(r"69 kV · .* · QA-\d+"))
    clean(desk)
    desk.go(reverse("quality:protocol-edit", args=[protocol.pk]))
    before = page.locator("[data-row]").count()
    page.get_by_role("button", name="Another test").click()
    expect(page.locator("[data-row]")).to_have_count(before + 1)
    last = page.locator("[data-row]").last
    expect(last.get_by_label("Unit (UCUM)")).to_be_visible()
    last.get_by_label("Kind").select_option("pass_fail")
    expect(last.get_by_label("Unit (UCUM)")).to_be_hidden()
    last.get_by_label("Name").fill("Brakes")
    page.get_by_label("Why", exact=True).fill("brakes too")
    clean(desk)
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("row", name="Brakes")).to_be_visible()
    current = Protocol.objects.get().current
    assert current is not None
    assert [row["name"] for row in current.tests][-1] == "Brakes"
    desk.settle()
    clean(desk)
