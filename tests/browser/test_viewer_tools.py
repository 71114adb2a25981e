"""Measuring, turning, the magnifier, the prior beside: on films whose numbers are known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from detection.models import DetectorVersion
from tests.browser.conftest import PHONE, Visitor, place
from tests.browser.films import COLUMNS, MARK, ROWS, marked_pixels, read_film
from tests.browser.test_viewer import bright, frame_of
from tests.imaging.factories import ACQUIRED_AT

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.django_db(transaction=True)

WINDOW = {"WindowCenter": 2000, "WindowWidth": 1000}
# a length in mm is only as good as its pixels: 0.2 mm a column, 0.4 mm a row
SIZED = {"PixelSpacing": [0.4, 0.2], "PixelSpacingCalibrationType": "GEOMETRY"}


def opened(visit: Visit, reader: User, version: DetectorVersion, **fields: Any) -> Visitor:
    """A visitor before the marked film."""
    image, _ = read_film(
        version, ("covid", 0.91, *MARK), pixels=marked_pixels(), **WINDOW, **fields
    )
    visitor = visit(reader)
    visitor.go(f"/films/{image.pk}/")
    expect(visitor.page.locator("#stage[data-state=shown]")).to_be_visible()
    return visitor


def on_stage(page: Page, x: float, y: float) -> tuple[float, float]:
    """A film pixel's corner on the page, for an upright film that fits its stage."""
    stage = place(page.locator("#stage"))
    scale = min(stage["width"] / COLUMNS, stage["height"] / ROWS)
    left = stage["x"] + (stage["width"] - COLUMNS * scale) / 2
    top = stage["y"] + (stage["height"] - ROWS * scale) / 2
    return left + x * scale, top + y * scale


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
    page.mouse.move(*end, steps=3)
    page.mouse.up()


def measured(page: Page, key: str) -> Page:
    page.keyboard.press(key)
    expect(page.locator("#film-measures.is-active")).to_have_count(1)
    return page


def texts(page: Page) -> str:
    return " ".join(page.locator("#film-measures svg text").all_text_contents())


@pytest.mark.parametrize(
    ("fields", "said", "kind"),
    [
        (SIZED, "20.0 mm", "calibrated (geometry)"),
        ({"ImagerPixelSpacing": [0.1, 0.1]}, "10.0 mm", "at the detector"),
        ({}, "100 px", "no pixel size known"),
    ],
    ids=["calibrated", "detector", "none"],
)
def test_a_length_says_its_unit_and_its_plane(
    visit: Visit,
    reader: User,
    version: DetectorVersion,
    fields: dict[str, Any],
    said: str,
    kind: str,
) -> None:
    visitor = opened(visit, reader, version, **fields)
    page = measured(visitor.page, "l")
    drag(page, on_stage(page, 50, 250), on_stage(page, 150, 250))
    expect(page.locator("#film-measures svg text")).to_contain_text([kind])
    value = float(texts(page).split()[0])
    assert value == pytest.approx(float(said.split(maxsplit=1)[0]), rel=0.02)
    assert said.split()[1] in texts(page)
    assert visitor.refusals() == []
    assert visitor.complaints == []


def test_an_angle_is_the_patients_not_the_pixels(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    # square on the screen, but a row is twice as far as a column: 45 degrees become 63.4
    visitor = opened(visit, reader, version, **SIZED)
    page = measured(visitor.page, "g")
    drag(page, on_stage(page, 200, 250), on_stage(page, 100, 250))
    page.mouse.click(*on_stage(page, 160, 190))
    expect(page.locator("#film-measures svg text")).to_contain_text(["°"])
    assert float(texts(page).rstrip("°")) == pytest.approx(63.4, abs=2)


def test_a_region_tells_the_values_under_it(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    visitor = opened(visit, reader, version, RescaleSlope=2, RescaleIntercept=-10, **SIZED)
    page = measured(visitor.page, "o")
    x, y, w, h = MARK
    drag(page, on_stage(page, x + 4, y + 4), on_stage(page, x + w - 4, y + h - 4))
    expect(page.locator("#film-measures svg text")).to_contain_text(["mean 7990"])
    assert "SD 0.00" in texts(page)
    assert "mm²" in texts(page)
    assert visitor.complaints == []


_STATISTICS = """
async ([values, width, height, box, ellipse, padding]) => {
  const { statistics } = await import("/static/js/film-calibration.js");
  const film = { levels: [{ values: Int16Array.from(values), width, height }], spacing: { row: 0.5, column: 0.25 },
    slope: 1.5, intercept: 3, padding, modality: null };
  return statistics(film, box, { ellipse });
}
"""


@pytest.mark.parametrize("ellipse", [False, True])
def test_statistics_equal_numpy(visit: Visit, reader: User, ellipse: bool) -> None:
    random = np.random.default_rng(4)
    values = random.integers(-3000, 3000, (40, 50))
    visitor = visit(reader)
    visitor.go("/account/")
    for box in ([3.2, 4.7, 20, 11], [-5, -5, 30, 30], [44.6, 36, 30, 30], [7, 7, 1, 1]):
        x, y, w, h = box
        rows, columns = np.mgrid[0:40, 0:50] + 0.5
        inside = (columns >= x) & (columns < x + w) & (rows >= y) & (rows < y + h)
        if ellipse:
            inside &= ((columns - x - w / 2) / (w / 2)) ** 2 + (
                (rows - y - h / 2) / (h / 2)
            ) ** 2 <= 1
        inside &= ~((values >= 10) & (values <= 400))
        expected = values[inside] * 1.5 + 3
        arguments = [values.ravel().tolist(), 50, 40, box, ellipse, [10, 400]]
        got = visitor.page.evaluate(_STATISTICS, arguments)
        assert got["n"] == expected.size
        if not expected.size:
            continue
        assert got["mean"] == pytest.approx(expected.mean())
        assert got["sd"] == pytest.approx(expected.std(), abs=1e-9)
        assert (got["min"], got["max"]) == (expected.min(), expected.max())
        area = w * h * 0.125 * (np.pi / 4 if ellipse else 1)
        assert got["area"] == pytest.approx(area)
        assert got["unit"] == "mm²"


def test_measurements_follow_the_film_and_can_be_taken_away(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    visitor = opened(visit, reader, version, **SIZED)
    page = measured(visitor.page, "l")
    drag(page, on_stage(page, 50, 250), on_stage(page, 150, 250))
    line = page.locator("#film-measures svg line").first
    before = place(line)
    page.keyboard.press("+")
    page.wait_for_timeout(150)
    after = place(line)
    assert after["width"] == pytest.approx(before["width"] * 1.25, rel=0.05)
    page.keyboard.press("t")
    page.wait_for_timeout(100)
    assert place(line)["height"] == pytest.approx(after["width"], rel=0.05)
    assert "20.0 mm" in texts(page) or "19.9 mm" in texts(page) or "20.1 mm" in texts(page)
    page.keyboard.press("Delete")
    expect(page.locator("#film-measures svg line")).to_have_count(0)
    page.keyboard.press("l")  # again: drags move the film once more
    expect(page.locator("#film-measures.is-active")).to_have_count(0)
    zoom = page.locator("#readout-zoom").text_content()
    drag(page, on_stage(page, 50, 250), on_stage(page, 150, 250))
    expect(page.locator("#film-measures svg line")).to_have_count(0)
    assert page.locator("#readout-zoom").text_content() == zoom


@pytest.mark.parametrize("keys", ["t", "tt", "T", "y", "Y", "ty", "tY", "yT"])
def test_a_turned_or_mirrored_film_keeps_box_and_pixels_together(
    visit: Visit, reader: User, version: DetectorVersion, keys: str
) -> None:
    visitor = opened(visit, reader, version)
    page = visitor.page
    for key in keys:
        page.keyboard.press(key if key.islower() else f"Shift+{key}")
    page.wait_for_timeout(150)
    drawn = frame_of(page)
    page.keyboard.press("Shift+A")
    page.wait_for_timeout(50)
    shown = bright(page)
    page.keyboard.press("Shift+A")
    for a, b in zip(drawn, shown, strict=True):
        assert abs(a - b) <= 1.5, (keys, drawn, shown)
    expect(page.locator("#readout-lies")).to_have_class("is-changed")
    # a box that is drawn now lies where the eye put it: back upright it covers the same pixels
    page.keyboard.press("d")
    x, y, w, h = drawn
    drag(page, (x, y), (x + w, y + h))
    numbers = [float(v) for v in (page.locator("#box-numbers").text_content() or "").split()]
    assert numbers == pytest.approx(MARK, abs=2)
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.locator("#readout-lies")).to_contain_text("as stored")


def test_the_magnifier_enlarges_what_is_under_the_pointer(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    visitor = opened(visit, reader, version)
    page = visitor.page
    page.keyboard.press("q")
    x, y, w, h = MARK
    page.mouse.move(*on_stage(page, x + w / 2, y + h / 2), steps=2)
    glass = page.locator(".film-glass")
    expect(glass).to_be_visible()

    def middle() -> list[int]:
        found: list[int] = glass.evaluate(
            "c => [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data].slice(0, 3)"
        )
        return found

    assert middle() == [255, 255, 255]
    page.mouse.move(*on_stage(page, 380, 280), steps=2)
    assert middle() == [0, 0, 0]
    page.keyboard.press("q")
    expect(glass).to_be_hidden()


def share_of_one(page: Page) -> float:
    """Width of the film's first box on the screen."""
    page.wait_for_timeout(150)
    return float(page.locator("#film-boxes .box-line").first.get_attribute("width") or 0)


def two_films(version: DetectorVersion) -> tuple[Any, Any]:
    """A prior with pneumonia on the left, and the film after it with covid on both sides."""
    earlier = ACQUIRED_AT - timedelta(days=30)
    prior, _ = read_film(
        version,
        ("pneumonia", 0.8, 20, 40, 100, 200),
        pixels=marked_pixels()[:, ::-1].copy(),
        acquired_at=earlier,
        **WINDOW,
    )
    now, _ = read_film(
        version,
        ("covid", 0.91, *MARK),
        ("covid", 0.7, 260, 60, 90, 180),
        pixels=marked_pixels(),
        **WINDOW,
    )
    return prior, now


def test_a_prior_beside_is_linked_and_says_what_changed(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    prior, now = two_films(version)
    visitor = visit(reader)
    page = visitor.page
    visitor.go(f"/films/{now.pk}/")
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()
    page.keyboard.press("v")
    expect(page.locator("#beside-stage")).to_be_visible()
    expect(page.locator("#beside-wait")).to_be_hidden()
    expect(page.locator("#beside-changes")).to_contain_text("left: covid instead of pneumonia")
    expect(page.locator("#beside-changes")).to_contain_text("right: covid: new")
    expect(page.locator("#beside-boxes .box")).to_have_count(1)

    def share() -> list[float]:
        """Width of each film's first box as a share of its film."""
        page.wait_for_timeout(250)
        return [
            float(page.locator(f"{where} .box-line").first.get_attribute("width") or 0)
            for where in ("#film-boxes", "#beside-boxes")
        ]

    first = share()
    page.keyboard.press("+")
    second = share()
    assert second[0] == pytest.approx(first[0] * 1.25, rel=0.01)
    assert second[1] == pytest.approx(first[1] * 1.25, rel=0.01)
    page.locator("#beside-linked").uncheck()
    page.keyboard.press("+")
    third = share()
    assert third[0] > second[0]
    assert third[1] == pytest.approx(second[1])
    page.keyboard.press("v")
    expect(page.locator("#beside")).to_be_hidden()
    # alone again, and fitted once more after a reset beside the other
    page.keyboard.press("r")
    page.keyboard.press("v")
    expect(page.locator("#beside-stage")).to_be_visible()
    expect(page.locator("#beside-wait")).to_be_hidden()
    narrow = share()[0]
    page.keyboard.press("v")
    assert share_of_one(page) > narrow * 1.2
    assert visitor.refusals() == []
    assert visitor.complaints == []
    assert prior.pk != now.pk


def test_no_label_covers_the_side_marker(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    pixels = np.full((ROWS, COLUMNS), 900, np.uint16)
    pixels[44:56, 100:112] = 4000  # a lead letter just above the box, where the label would stand
    image, _ = read_film(
        version,
        ("covid", 0.91, 96, 62, 80, 90),
        pixels=pixels,
        WindowCenter=2000,
        WindowWidth=3000,
    )
    visitor = visit(reader, size=PHONE)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()
    page.wait_for_timeout(150)
    stage, label = place(page.locator("#stage")), place(page.locator(".box-back"))
    line = place(page.locator(".box-line"))
    scale = line["width"] / 80
    left, top = line["x"] - 96 * scale, line["y"] - 62 * scale
    marker = (left + 100 * scale, top + 44 * scale, 12 * scale, 12 * scale)
    apart = (
        label["x"] + label["width"] <= marker[0]
        or label["x"] >= marker[0] + marker[2]
        or label["y"] + label["height"] <= marker[1]
        or label["y"] >= marker[1] + marker[3]
    )
    assert apart, (label, marker, stage)


def test_the_next_film_is_fetched_while_this_one_is_read(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    following, _ = read_film(version, ("covid", 0.6, *MARK), pixels=marked_pixels(), **WINDOW)
    image, _ = read_film(
        version, ("covid", 0.91, *MARK), pixels=marked_pixels() + 1, patient_id="P2", **WINDOW
    )
    visitor = visit(reader)
    address = f"/api/v1/images/{following.pk}/pixels/"
    with visitor.page.expect_response(lambda answer: address in answer.url) as fetched:
        visitor.go(f"/films/{image.pk}/")
    assert fetched.value.status == 200
    visitor.settle()
    with visitor.page.expect_response(lambda answer: address in answer.url) as again:
        visitor.go(f"/films/{following.pk}/")
    assert again.value.from_service_worker is False
    expect(visitor.page.locator("#stage[data-state=shown]")).to_be_visible()
    sent = visitor.page.evaluate(
        "address => performance.getEntriesByType('resource')"
        ".find((entry) => entry.name.includes(address)).transferSize",
        address,
    )
    assert sent < 1000, "asked about again, not sent again"
