"""The fleet before people: 300 machines on one screen, keys, a server that goes away, the wall."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from devices.models import Alert, Device
from devices.services.evaluation import evaluate_rules
from tests.browser.conftest import PHONE, Visitor
from tests.detection.factories import make_user
from tests.devices import fleet_rows

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.django_db(transaction=True)
RENEW = "document.querySelector('[data-refresh]').dispatchEvent(new CustomEvent('refresh'))"
# of each tile: its lower edge, the height of its letters, and whether its name shows at all
TILES = """[...document.querySelectorAll('.tile')].map((tile) => {
  const name = tile.querySelector('.tile-name');
  return [tile.getBoundingClientRect().bottom, parseFloat(getComputedStyle(tile).fontSize),
    name.getBoundingClientRect().width];
})"""


@pytest.fixture
def engineer() -> User:
    return make_user(role="engineer", username="engineer")


def usable(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] != "minor"]


@pytest.mark.parametrize(
    "counts",
    [{"act": 9, "watch": 18, "unknown": 9, "ok": 264}, {"act": 150, "watch": 150}],
    ids=["a usual day", "a bad one"],
)
def test_three_hundred_machines_on_one_screen(
    visit: Visit, engineer: User, counts: dict[str, int]
) -> None:
    fleet_rows.many(timezone.now(), **counts)
    visitor = visit(engineer)
    visitor.page.set_default_timeout(90_000)  # a loaded machine may take its time for 300
    visitor.go("/devices/")
    tiles = visitor.page.evaluate(TILES)
    assert len(tiles) == 300
    assert max(bottom for bottom, _, _ in tiles) <= 900
    assert min(size for _, size, _ in tiles) >= 12
    assert min(width for _, _, width in tiles) >= 20
    assert usable(visitor.page) == []
    phone = visit(engineer, size=PHONE, has_touch=True)
    phone.page.set_default_timeout(90_000)
    phone.go("/devices/")
    assert phone.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert len(phone.page.evaluate(TILES)) == 300


def test_tiles_by_key(visit: Visit, engineer: User) -> None:
    names = {"act": ["XR-1"], "ok": [f"XR-{n}" for n in range(2, 40)]}
    fleet_rows.machines(timezone.now(), names=names)
    visitor = visit(engineer)
    page = visitor.page
    visitor.go("/devices/?view=tiles")
    page.keyboard.press("j")
    first = page.locator(".tile").first
    expect(first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".tile-ok:focus")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    page.keyboard.press("ArrowUp")
    expect(first).to_be_focused()
    # what is renewed under the keys leaves them where they were
    page.evaluate("document.activeElement.dataset.old = 'yes'")
    Device.objects.filter(name="XR-9").update(name="XR-new")
    page.evaluate(RENEW)
    expect(page.locator("#fleet")).to_contain_text("XR-new")
    expect(page.locator("[data-old]")).to_have_count(0)
    expect(page.locator(".tile").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/devices/{Device.objects.get(name='XR-1').pk}/")


def test_the_mark_says_when_the_server_is_away_and_when_it_is_back(
    visit: Visit, engineer: User
) -> None:
    fleet_rows.machines(timezone.now(), names={"ok": ["XR-1"]})
    visitor = visit(engineer)
    page = visitor.page
    visitor.go("/devices/")
    mark = page.locator("[data-live=fleet]")
    expect(mark).to_contain_text("live ")
    page.route("**/devices/", lambda route: route.abort("connectionrefused"))
    page.evaluate(RENEW)
    expect(mark).to_contain_text("not live since ")
    expect(mark).to_contain_text("trying again")
    expect(page.locator("#messages [data-toast]")).to_have_count(0)  # no pile of messages
    expect(page.locator("#fleet")).to_contain_text("XR-1")
    page.unroute("**/devices/")
    Device.objects.update(name="XR-2")
    # by itself, and soon
    expect(page.locator("#fleet")).to_contain_text("XR-2", timeout=20_000)
    expect(mark).to_have_attribute("data-state", "live")


def test_nothing_new_is_answered_with_304_and_leaves_the_page(visit: Visit, engineer: User) -> None:
    fleet_rows.machines(timezone.now(), names={"ok": ["XR-1"]})
    visitor = visit(engineer)
    page = visitor.page
    visitor.go("/devices/")
    statuses: list[int] = []
    page.on(
        "response",
        lambda answer: statuses.append(answer.status) if answer.url.endswith("/devices/") else None,
    )
    for _ in range(2):
        with page.expect_response("**/devices/"):
            page.evaluate(RENEW)
    assert statuses[:2] == [200, 304]
    expect(page.locator("#fleet")).to_contain_text("XR-1")
    assert visitor.complaints == []


def test_the_wall_turns_no_page_unless_told(visit: Visit, engineer: User) -> None:
    fleet_rows.many(timezone.now(), act=9)
    visitor = visit(engineer, size={"width": 1920, "height": 1080})
    page = visitor.page
    visitor.go("/devices/wall/")
    rows = page.locator(".wall-row:visible")
    expect(rows).to_have_count(7)
    expect(page.locator("[data-more]")).to_have_text("and 2 more, 2 of them need action")
    # 4 m: letters of a name of 1/300 of that, on a screen 1.21 m wide
    size = page.evaluate(
        "parseFloat(getComputedStyle(document.querySelector('.wall-name')).fontSize)"
    )
    assert 0.7 * size * 1.21 / 1920 >= 4 / 300
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert usable(page) == []
    visitor.go("/devices/wall/?rows=5&rotate=5")
    expect(page.locator("[data-more]")).to_have_text("page 1 of 2")
    expect(page.locator("[data-more]")).to_have_text("page 2 of 2", timeout=20_000)
    expect(rows).to_have_count(4)


def test_the_wall_marks_a_new_alert(visit: Visit, engineer: User) -> None:
    now = timezone.now()
    (device,) = fleet_rows.machines(now, names={"act": ["XR-1"]})
    evaluate_rules(device=device, now=now)
    Alert.objects.update(opened_at=now - timedelta(hours=1))
    visitor = visit(engineer)
    page = visitor.page
    visitor.go("/devices/wall/")
    expect(page.locator(".wall-row")).to_have_count(1)
    expect(page.locator(".wall-row.is-new")).to_have_count(0)
    Alert.objects.filter(severity="act").update(opened_at=timezone.now() + timedelta(seconds=30))
    page.evaluate(RENEW)
    expect(page.locator(".wall-row.is-new .wall-new")).to_have_text("new")


def test_the_wall_outlives_the_session_and_the_server(visit: Visit, engineer: User) -> None:
    fleet_rows.machines(timezone.now(), names={"act": ["XR-1"]})
    visitor = visit(engineer)
    page = visitor.page
    visitor.go("/devices/wall/")
    mark = page.locator("[data-live=wall]")
    Session.objects.all().delete()
    page.evaluate(RENEW)
    expect(mark).to_contain_text("signed out: this is how it was at")
    expect(mark.get_by_role("link", name="Sign in")).to_have_attribute(
        "href", "/login/?next=/devices/wall/"
    )
    expect(page.locator("#wall")).to_contain_text("XR-1")

    def restarting(route: Route) -> None:
        route.fulfill(status=502, body="Bad gateway")

    page.route("**/devices/wall/", restarting)
    page.evaluate(RENEW)
    expect(mark).to_contain_text("not live since")
    expect(page.locator("#wall")).to_contain_text("XR-1")
