"""The twin's one time axis and the comparison before people: lanes, zoom, past moments, PNG, print."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from devices.models import Alert, Device
from devices.services.evaluation import evaluate_rules
from devices.services.events import append
from tests.browser.conftest import PHONE, Visitor, place
from tests.detection.factories import make_user
from tests.devices import factories as f
from tests.devices.fleet_rows import HOSTILE

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def engineer() -> User:
    return make_user(role="engineer", username="engineer")


@pytest.fixture
def device(db: None) -> Device:
    """Five days of readings, the last above its limit; a hostile name; one change of version."""
    now = timezone.now()
    model = f.model()
    noise = f.metric(model, unit="kV", label="Noise")
    f.rule(noise)
    made = f.device(model, name=HOSTILE)
    for hours in range(1, 120, 2):
        f.reading(made, noise, 20 if hours < 20 else 5 + hours % 3, now - timedelta(hours=hours))
    evaluate_rules(device=made, now=now)
    config = {"config": {"software_versions": "2"}}
    append(device=made, kind="config_reported", payload=config, at=now - timedelta(days=2))
    return made


def unhurried(visitor: Visitor) -> Visitor:
    """A loaded machine may take its time."""
    visitor.page.set_default_timeout(60_000)
    return visitor


def drawn(page: Page) -> None:
    expect(page.locator(".lanes canvas")).to_have_count(1)
    expect(page.locator("[data-chart] canvas")).to_have_count(1)


def shown(page: Page) -> tuple[float, float]:
    """From and to of the address, as one number of seconds each."""
    found: list[float] = page.evaluate(
        """['from', 'to'].map((name) => Date.parse(new URL(location).searchParams.get(name)) / 1000)"""
    )
    return found[0], found[1]


def test_lanes_can_be_read_and_followed_by_key(
    visit: Visit, engineer: User, device: Device
) -> None:
    visitor = unhurried(visit(engineer))
    page = visitor.page
    visitor.go(f"/devices/{device.pk}/")
    drawn(page)
    alert = page.locator(".lane-item[aria-label^='alerts: act']")
    alert.focus()
    expect(page.locator(".lanes [data-readout]")).to_contain_text("noise act: 20 kV")
    change = page.locator(".lane-item[aria-label^='configuration:']")
    expect(change).to_have_attribute("title", re.compile("software_versions 2"))
    page.get_by_text("What happened, as a table").click()
    expect(page.locator(".axis-table")).to_contain_text("software_versions 2")
    assert Axe().run(page, context="#axis").response["violations"] == []
    alert.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/alerts/{Alert.objects.get().pk}/")
    assert visitor.complaints == []
    assert visitor.refusals() == []


def test_a_brush_zooms_all_and_the_address_keeps_it(
    visit: Visit, engineer: User, device: Device
) -> None:
    visitor = unhurried(visit(engineer))
    page = visitor.page
    visitor.go(f"/devices/{device.pk}/?range=7d")
    drawn(page)
    over = place(page.locator("[data-chart] .u-over"))
    page.mouse.move(over["x"] + over["width"] * 0.5, over["y"] + 20)
    page.mouse.down()
    page.mouse.move(over["x"] + over["width"] * 0.75, over["y"] + 25, steps=4)
    page.mouse.up()
    bar = page.locator("[data-zoom]")
    expect(bar).to_be_visible()
    start, end = shown(page)
    assert (end - start) / 86_400 == pytest.approx(7 / 4, rel=0.05)
    expect(page.locator("[data-span-link]")).to_have_attribute("href", re.compile("from=20"))
    # the lanes went with it: what lies before has no link to stumble over
    scale = page.evaluate(
        "[...document.querySelectorAll('.lane-item')].filter((each) => !each.hidden).length"
    )
    page.reload()
    drawn(page)
    again = page.evaluate("JSON.parse(document.getElementById('twin-data').textContent)")
    assert (again["start"], again["end"]) == pytest.approx((start, end), abs=1)
    assert page.locator(".lane-item").count() >= scale
    visitor.go(f"/devices/{device.pk}/?range=7d")
    drawn(page)
    page.locator(".lanes").focus()
    page.keyboard.press("+")
    expect(bar).to_be_visible()
    narrow = shown(page)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "(before) => Date.parse(new URL(location).searchParams.get('from')) / 1000 < before - 3600",
        arg=narrow[0],
    )
    page.keyboard.press("0")
    expect(bar).to_be_hidden()
    assert page.url.endswith("?range=7d")


def test_the_slider_opens_the_past(visit: Visit, engineer: User, device: Device) -> None:
    visitor = unhurried(visit(engineer))
    page = visitor.page
    visitor.go(f"/devices/{device.pk}/?range=7d")
    slider = page.locator("[data-slider]")
    slider.focus()
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    page.wait_for_url("**at=**")
    expect(page.locator("main")).to_contain_text("You see this machine as of")
    expect(page.locator(".badge-ok").first).to_be_visible()
    expect(page.locator(".lane-item[aria-label^='alerts: act']")).to_have_count(0)
    expect(slider).to_be_focused()  # so that the keys can go on
    assert "range=7d" in page.url


def test_what_was_usual_is_drawn_after(visit: Visit, engineer: User, device: Device) -> None:
    metric = device.model.metrics.get()
    for day in range(5, 33):
        f.reading(device, metric, 6, timezone.now() - timedelta(days=day, hours=1, minutes=7))
    visitor = unhurried(visit(engineer))
    visitor.go(f"/devices/{device.pk}/?range=24h")
    expect(visitor.page.locator("[data-chart] [data-usual]")).to_be_visible()


def size_of_png(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_png_and_csv(visit: Visit, engineer: User, device: Device, tmp_path: Path) -> None:
    visitor = unhurried(visit(engineer))
    page = visitor.page
    visitor.go(f"/devices/{device.pk}/?range=7d")
    drawn(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    saved = tmp_path / "chart.png"
    download.value.save_as(saved)
    assert re.fullmatch(r"S\d+-\d{4}-\d\d-\d\d\.png", download.value.suggested_filename)
    width, height = size_of_png(saved)
    canvases = page.evaluate("[...document.querySelectorAll('#axis canvas')].map((c) => c.height)")
    assert width >= page.evaluate("document.querySelector('#axis canvas').width")
    assert height > sum(canvases) + 60  # title, zone, legend, and a line for each
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    table = tmp_path / "chart.csv"
    download.value.save_as(table)
    text = table.read_text(encoding="utf-8-sig")
    assert text.startswith("measured_at,noise mean [kV]")
    assert len(text.splitlines()) == 61
    assert visitor.complaints == []


def test_on_a_phone_and_on_paper(visit: Visit, engineer: User, device: Device) -> None:
    visitor = visit(engineer, size=PHONE, has_touch=True)
    page = visitor.page
    visitor.go(f"/devices/{device.pk}/")
    drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    desk = visit(engineer)
    desk.go(f"/devices/{device.pk}/")
    drawn(desk.page)
    desk.page.emulate_media(media="print")
    desk.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    desk.page.wait_for_function("() => document.querySelector('#axis .uplot').clientWidth <= 660")
    for hidden in (".topbar", ".axis-bar", "#as-of", "[data-png]"):
        expect(desk.page.locator(hidden).first).to_be_hidden()
    desk.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    desk.page.emulate_media(media="screen")
    desk.page.wait_for_function("() => document.querySelector('#axis .uplot').clientWidth > 660")


def test_comparing(visit: Visit, engineer: User, device: Device) -> None:
    other = f.device(device.model, name="XR-other")
    metric = device.model.metrics.get()
    for hours in range(1, 100, 2):
        f.reading(other, metric, 7, timezone.now() - timedelta(hours=hours))
    visitor = unhurried(visit(engineer))
    page = visitor.page
    visitor.go(f"/devices/{device.pk}/")
    page.get_by_role("link", name="Compare").click()
    page.get_by_label("Machine B").fill("XR-oth")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("[data-chart] canvas")).to_have_count(1)
    expect(page.locator("[data-compare]")).to_be_visible()
    assert usable(page) == []
    page.get_by_label("machine A against its own time before").check()
    expect(page.get_by_label("Machine B")).to_be_disabled()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**against=earlier**")
    expect(page.locator("[data-chart] canvas")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    assert download.value.suggested_filename.endswith(".png")
    assert visitor.complaints == []
    assert visitor.refusals() == []


def usable(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] != "minor"]
