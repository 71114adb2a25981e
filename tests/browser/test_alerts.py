"""The list of alerts by key, incidents that open, and the pages about them on two screens."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from devices.models import Alert, Device, Notification
from devices.services import alerts, outbox
from tests.browser.conftest import PHONE, Visitor
from tests.browser.test_every_page import look, unusable
from tests.devices import factories as f
from tests.devices.alert_bench import Ward, subscribe, webhook
from tests.devices.maintenance_rows import make_order

Visit = Callable[..., Visitor]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def admin(transactional_db: None) -> User:
    return f.user("admin")


@pytest.fixture
def ward(admin: User) -> Ward:
    subscribe(admin)
    made = Ward(6)
    made.now = timezone.now() - timedelta(minutes=30)
    return made


def test_the_list_by_key(visit: Visit, ward: Ward, admin: User) -> None:
    ward.supply(*ward.machines[:3])
    rows = [ward.feed(machine, 11) for machine in ward.machines[:4]]
    visitor = visit(admin)
    visitor.go("/alerts/")
    page = visitor.page
    member = page.locator(f"#alert-{rows[1].pk}")
    expect(member).to_be_hidden()
    page.keyboard.press("j")  # the newest of equals comes first: the one that stands alone
    expect(page.locator(f"#alert-{rows[3].pk}")).to_have_class("is-current")
    page.keyboard.press("a")
    expect(page.locator(f"#alert-{rows[3].pk}")).to_contain_text("acknowledged")
    expect(page.locator(f"#alert-{rows[3].pk}")).to_be_focused()
    assert Alert.objects.get(pk=rows[3].pk).acknowledged_by == admin
    page.keyboard.press("j")
    expect(page.locator(f"#alert-{rows[0].pk}")).to_have_class("is-current")
    page.keyboard.press("o")
    expect(member).to_be_visible()
    button = page.get_by_role("button", name="Panel 1: 2 more on 3 machines")
    expect(button).to_have_attribute("aria-expanded", "true")
    bulk = page.get_by_role("button", name="Acknowledge 2 alerts")
    expect(bulk).to_be_hidden()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    bulk.click()
    expect(page.locator("#messages")).to_contain_text("Acknowledged: 2.")
    assert Alert.objects.filter(state="acknowledged").count() == 3
    assert visitor.complaints == []
    assert visitor.refusals() == []


def test_pages_with_much_on_them(visit: Visit, ward: Ward, admin: User) -> None:
    Device.objects.filter(pk=ward.machines[0].pk).update(
        name="A very long name of a machine <b>in</b> the emergency department, room 2",
        is_synthetic=True,
    )
    ward.machines = list(Device.objects.order_by("pk"))
    supply = ward.supply(*ward.machines[:4])
    make_order("in_progress", device=ward.machines[5], worker=ward.person)
    hook, _ = webhook("https://nowhere.invalid/hook", name="helpdesk")
    rows = [ward.feed(machine, 11) for machine in ward.machines]
    ward.feed(ward.machines[0], 12, "heat")
    alerts.acknowledge(alert=rows[1], actor=ward.person)
    for reason, row in zip(("repaired", "false_alarm"), rows[2:4], strict=True):
        alerts.resolve(alert=row, actor=ward.person, reason=reason)
    for row in Notification.objects.filter(channel="webhook"):
        outbox.deliver(notification_id=row.pk, now=timezone.now())
    Notification.objects.filter(channel="webhook").update(state="dead", due_at=None)
    sent = Notification.objects.filter(channel="webhook").latest("pk")
    addresses = [
        "/alerts/", f"/alerts/{rows[0].pk}/", f"/alerts/{rows[5].pk}/", "/alerts/figures/",
        "/alerts/deliveries/", f"/alerts/deliveries/{sent.pk}/", "/notifications/",
        "/notifications/settings/", "/supplies/", f"/supplies/{supply.pk}/", "/webhooks/",
        f"/webhooks/{hook.pk}/", f"/devices/{ward.machines[0].pk}/relations/",
        f"/devices/{ward.machines[0].pk}/",
    ]  # fmt: skip
    desk, phone = visit(admin), visit(admin, size=PHONE, has_touch=True)
    problems: list[str] = []
    for address in addresses:
        for name, visitor in (("desk", desk), ("phone", phone)):
            problems += [f"{address} {name}: {text}" for text in look(visitor, address)]
            _keep(visitor, name, address)
        problems += [f"{address}: {text}" for text in unusable(desk)]
        wide = phone.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        problems += [f"{address}: {wide} px too wide for a phone"] if wide > 0 else []
    assert problems == []


def _keep(visitor: Any, name: str, address: str) -> None:
    """A picture for people, where a folder is named."""
    if folder := os.environ.get("SCREENSHOTS"):
        file = Path(folder) / f"{name}{address.replace('/', '_')}.png"
        visitor.page.screenshot(path=file, full_page=True)
