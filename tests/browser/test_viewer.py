"""The viewer shows exactly what the server's grey-scale chain shows, and boxes where they are."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Picture
from playwright.sync_api import Page, expect

from accounts.models import User
from detection.models import DetectorVersion
from imaging import pixels as stored
from imaging.grayscale import render8
from tests.browser.conftest import PHONE, Visitor, place
from tests.browser.films import COLUMNS, MARK, ROWS, marked_pixels, read_film, stored_film
from tests.imaging.factories import make_pixels
from tests.imaging.test_grayscale_chain import bend, lut_item

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.django_db(transaction=True)

_PAINT = """
async ([url, invert]) => {
  const m = await import("/static/js/film-pixels.js");
  const film = await m.loadFilm(url);
  const table = m.greyTable(film, film.windows[0], invert);
  const image = new ImageData(film.columns, film.rows);
  m.paint(image, m.level(film, 0), table, 0, 0);
  return [...image.data.filter((_, i) => i % 4 === 0)];
}
"""


@pytest.mark.parametrize(
    "fields",
    [
        {"bits": 12, "WindowCenter": 2000, "WindowWidth": 1500},
        {"bits": 12},
        {"bits": 8, "photometric": "MONOCHROME1", "WindowCenter": 100, "WindowWidth": 1},
        {
            "bits": 16,
            "photometric": "MONOCHROME1",
            "WindowCenter": 30000,
            "WindowWidth": 50000,
            "VOILUTFunction": "SIGMOID",
        },
        {"bits": 10, "WindowCenter": 500, "WindowWidth": 401.5, "VOILUTFunction": "LINEAR_EXACT"},
        {
            "bits": 12,
            "RescaleSlope": 0.5,
            "RescaleIntercept": -100,
            "WindowCenter": 700,
            "WindowWidth": 900,
        },
        {
            "bits": 12,
            "pixels": make_pixels(rows=61, columns=47, bits=12, signed=True),
            "WindowCenter": 10,
            "WindowWidth": 2000,
        },
        {"bits": 12, "VOILUTSequence": [lut_item(bend(4096, 65535))]},
        {
            "bits": 12,
            "photometric": "MONOCHROME1",
            "VOILUTSequence": [lut_item(bend(1000, 4095), first=1500, bits=12)],
        },
        {
            "bits": 12,
            "ModalityLUTSequence": [lut_item(bend(4096, 4095)[::-1], bits=12, kind="US")],
            "WindowCenter": 2000,
            "WindowWidth": 3000,
        },
        {"bits": 12, "PresentationLUTShape": "INVERSE", "PixelPaddingValue": 0},
    ],
    ids=[
        "window",
        "no-window",
        "threshold",
        "sigmoid",
        "linear-exact",
        "rescale",
        "signed",
        "voi-table",
        "voi-table-monochrome1",
        "modality-table",
        "inverse-shape",
    ],
)
def test_the_same_grey_as_the_server(visit: Visit, reader: User, fields: dict[str, Any]) -> None:
    image = stored_film(rows=61, columns=47, **fields)
    frame = stored.load(image)
    visitor = visit(reader)
    visitor.go("/account/")
    page = visitor.page
    for invert in (False, True):
        got = page.evaluate(_PAINT, [f"/api/v1/images/{image.pk}/pixels/", invert])
        expected = render8(frame, invert=invert)
        assert np.array_equal(np.array(got, np.uint8).reshape(expected.shape), expected)


def run_around(line: npt.NDArray[np.bool_], at: int) -> npt.NDArray[np.intp]:
    """Indices of the unbroken run of True that holds `at`."""
    dark = np.flatnonzero(~line)
    first = dark[dark < at].max(initial=-1) + 1
    last = dark[dark > at].min(initial=line.size)
    return np.arange(first, last)


def bright(page: Page) -> tuple[float, float, float, float]:
    """Where the stage shows the white mark, in CSS pixels of the page."""
    ratio = page.evaluate("devicePixelRatio")
    stage = page.locator("#stage")
    # only the film: words in its corners are bright as well, and a phone's rail lies over its end
    page.evaluate(
        "document.querySelectorAll('.film-corner, .rail').forEach((e) => { e.style.visibility = 'hidden'; })"
    )
    box = place(stage)
    shot = Picture.open(io.BytesIO(stage.screenshot())).convert("L")
    grey = np.asarray(shot) > 128
    row = int(grey.sum(axis=1).argmax())
    columns = run_around(grey[row], int(np.median(np.flatnonzero(grey[row]))))
    rows = run_around(grey[:, (columns[0] + columns[-1]) // 2], row)
    return (
        box["x"] + columns[0] / ratio,
        box["y"] + rows[0] / ratio,
        (columns[-1] + 1 - columns[0]) / ratio,
        (rows[-1] + 1 - rows[0]) / ratio,
    )


def frame_of(page: Page) -> tuple[float, float, float, float]:
    """Where the box's line is drawn, by its attributes."""
    found: list[float] = page.evaluate(
        """() => {
          const line = document.querySelector(".box-line");
          const stage = document.getElementById("stage").getBoundingClientRect();
          const v = (name) => Number(line.getAttribute(name));
          return [stage.x + v("x"), stage.y + v("y"), v("width"), v("height")];
        }"""
    )
    return tuple(found)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("size", "dpr"), [(None, 1), (None, 2), (PHONE, 3)], ids=["desk", "retina", "phone"]
)
def test_a_box_lies_on_its_pixels_at_every_zoom(
    visit: Visit, reader: User, version: DetectorVersion, size: Any, dpr: float
) -> None:
    image, _ = read_film(
        version, ("covid", 0.91, *MARK), pixels=marked_pixels(), WindowCenter=2000, WindowWidth=1000
    )
    visitor = visit(reader, size=size, dpr=dpr)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()
    page.locator("#stage").scroll_into_view_if_needed()
    stage = place(page.locator("#stage"))
    over = (stage["x"] + stage["width"] * 0.45, stage["y"] + stage["height"] * 0.4)
    for step in ("fit", "in", "in", "drag", "out"):
        if step in {"in", "out"}:
            page.mouse.move(*over)
            page.mouse.wheel(0, -150 if step == "in" else 300)
        elif step == "drag":
            page.mouse.move(*over)
            page.mouse.down()
            page.mouse.move(over[0] + 17, over[1] + 11, steps=3)
            page.mouse.up()
        page.wait_for_timeout(250)
        drawn = frame_of(page)
        page.keyboard.press("Shift+A")  # boxes off: only the film is to be seen
        page.wait_for_timeout(50)
        shown = bright(page)
        page.keyboard.press("Shift+A")
        for a, b in zip(drawn, shown, strict=True):
            assert abs(a - b) <= 1.5, (step, drawn, shown)


def test_tools_change_the_picture_and_reset_brings_it_back(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    image, _ = read_film(
        version,
        ("covid", 0.91, *MARK),
        pixels=marked_pixels(),
        WindowCenter=[2000, 300],
        WindowWidth=[1000, 400],
    )
    visitor = visit(reader)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()

    def grey() -> int:
        page.wait_for_timeout(250)
        found: int = page.evaluate(
            "() => { const c = document.getElementById('film-canvas');"
            " return c.getContext('2d').getImageData(c.width / 2, c.height * 0.9, 1, 1).data[0]; }"
        )
        return found

    assert grey() == 0
    page.keyboard.press("i")
    assert grey() == 255
    expect(page.locator("[data-tool=invert]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("r")
    assert grey() == 0
    page.keyboard.press("p")
    assert 0 < grey() < 255
    expect(page.locator("#readout-window")).to_contain_text("C 300")
    page.keyboard.press("r")
    expect(page.locator("#readout-window")).to_contain_text("C 2000")
    page.keyboard.press("w")
    stage = place(page.locator("#stage"))
    page.mouse.move(stage["x"] + 200, stage["y"] + 200)
    page.mouse.down()
    page.mouse.move(stage["x"] + 260, stage["y"] + 150, steps=4)
    page.mouse.up()
    expect(page.locator("#readout-window")).not_to_contain_text("C 2000")
    page.keyboard.press("z")
    expect(page.locator("#readout-zoom")).not_to_be_empty()


def test_slider_hides_below_the_score_and_never_a_drawn_box(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    image, _ = read_film(
        version,
        ("covid", 0.91, *MARK),
        ("pneumonia", 0.55, 250, 60, 80, 90),
        ("normal", 0.31, 20, 100, 80, 90),
    )
    visitor = visit(reader)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    expect(page.locator(".box")).to_have_count(3)
    page.locator("#score-slider").fill("0.6")
    expect(page.locator(".box")).to_have_count(1)
    expect(page.locator(".box-text")).to_contain_text(["1 covid 0.91"])
    assert page.locator(".finding.is-below").count() == 2
    page.keyboard.press("Shift+A")
    expect(page.locator(".box")).to_have_count(0)


def test_labels_stay_on_the_stage_and_outside_their_box(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    image, _ = read_film(
        version,
        ("covid", 0.91, 0, 0, 60, 60),
        ("pneumonia", 0.8, COLUMNS - 50, ROWS - 60, 50, 60),
        ("normal", 0.7, 150, 100, 90, 90),
    )
    visitor = visit(reader)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    expect(page.locator("#stage[data-state=shown]")).to_have_count(1)
    expect(page.locator(".box")).to_have_count(3)
    stage = place(page.locator("#stage"))
    for group in page.locator(".box").all():
        # both in one look: the film may be fitted anew between two
        back, line = group.evaluate(
            "g => [document.querySelector(`.box-caption[data-key='${g.dataset.key}'] .box-back`),"
            "      g.querySelector('.box-line')].map(e => e.getBoundingClientRect().toJSON())"
        )
        assert back["x"] >= stage["x"]
        assert back["x"] + back["width"] <= stage["x"] + stage["width"]
        assert back["y"] >= stage["y"]
        assert back["y"] + back["height"] <= stage["y"] + stage["height"]
        above = back["y"] + back["height"] <= line["y"] + 1
        below = back["y"] >= line["y"] + line["height"] - 1
        assert above or below, (back, line, stage)
