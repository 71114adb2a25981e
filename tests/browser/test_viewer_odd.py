"""Films that a viewer stumbles over: each is shown, or says why it can't be and offers the original."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from imaging.decoding.process import Child
from imaging.models import Image
from tests.browser.conftest import Visitor
from tests.browser.films import stored_film

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.django_db(transaction=True)
RAMP = np.tile(np.arange(0, 4000, 10, dtype=np.uint16), (300, 1))


def shown(visit: Visit, reader: User, image: Image) -> Visitor:
    """A visitor who waited until the film was on the screen."""
    visitor = visit(reader)
    visitor.go(f"/films/{image.pk}/")
    expect(visitor.page.locator("#stage[data-state=shown]")).to_be_visible()
    visitor.page.wait_for_timeout(150)
    return visitor


def greys(page: Page) -> list[int]:
    """The canvas's middle row where the film lies."""
    found: list[int] = page.evaluate(
        """() => {
          const c = document.getElementById("film-canvas");
          const row = c.getContext("2d").getImageData(0, c.height / 2, c.width, 1).data;
          return [...row.filter((_, i) => i % 4 === 0)];
        }"""
    )
    return found


@pytest.mark.parametrize(
    ("fields", "rises"),
    [
        ({"WindowCenter": None, "WindowWidth": None}, True),
        ({"WindowCenter": 2000, "WindowWidth": 0}, True),
        ({"WindowCenter": "NaN", "WindowWidth": "NaN"}, True),
        (
            {
                "RescaleSlope": -1,
                "RescaleIntercept": 4000,
                "WindowCenter": 2000,
                "WindowWidth": 4000,
            },
            False,
        ),
    ],
    ids=["no-window", "width-0", "not-a-number", "negative-slope"],
)
def test_odd_windows_show_the_whole_range(
    visit: Visit, reader: User, fields: dict[str, Any], rises: bool
) -> None:
    visitor = shown(visit, reader, stored_film(pixels=RAMP, **fields))
    line = greys(visitor.page)
    film = line[len(line) // 4 : 3 * len(line) // 4]
    steps = np.diff(film)
    assert (steps >= 0).all() if rises else (steps <= 0).all()
    assert np.ptp(film) > 60
    assert visitor.complaints == []


@pytest.mark.parametrize("side", [1, 8192])
def test_the_smallest_and_the_largest_film(visit: Visit, reader: User, side: int) -> None:
    pixels = np.full((side, side), 4095, np.uint16)
    pixels[:, : side // 2] = 1000
    image = stored_film(pixels=pixels, bits=12, WindowCenter=2047, WindowWidth=4096)
    visitor = visit(reader)
    visitor.page.set_default_timeout(60_000)
    visitor.go(f"/films/{image.pk}/")
    expect(visitor.page.locator("#stage[data-state=shown]")).to_be_visible(timeout=60_000)
    visitor.page.keyboard.press("t")
    visitor.page.keyboard.press("+")
    visitor.page.wait_for_timeout(500)
    assert max(greys(visitor.page)) > 200
    assert visitor.complaints == []


def test_sixteen_frames_say_what_is_missing_and_offer_the_original(
    visit: Visit, reader: User
) -> None:
    frames = np.zeros((16, 64, 48), np.uint16)
    image = stored_film(pixels=frames.reshape(-1, 48), Rows=64, NumberOfFrames=16)
    visitor = visit(reader)
    visitor.go(f"/films/{image.pk}/")
    expect(visitor.page.locator(".film-refused")).to_contain_text("16 frames")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Original file").click()
    assert Path(download.value.path()).stat().st_size == image.size
    # it can be signed all the same
    expect(visitor.page.locator("#report [data-sign=sign]")).to_be_visible()
    assert visitor.complaints == []


def test_a_decoder_that_dies_leaves_a_sentence_and_the_original(
    visit: Visit, reader: User, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = stored_film(pixels=RAMP)
    for kept in (archive.parent / "cache").rglob("*"):
        if kept.is_file():
            kept.unlink()  # nothing is decoded yet
    real = Child.ask

    def killed(self: Child, request: dict[str, Any], **limits: Any) -> Any:
        os.kill(self.pid, signal.SIGKILL)
        return real(self, request, **limits)

    monkeypatch.setattr(Child, "ask", killed)
    visitor = visit(reader)
    visitor.go(f"/films/{image.pk}/")
    note = visitor.page.locator("#film-fallback")
    expect(note).to_contain_text("The decoder stopped on this file")
    expect(note.locator("a")).to_have_attribute("href", f"/api/v1/images/{image.pk}/original/")
    monkeypatch.undo()
    visitor.page.reload()  # the next try has a new child
    expect(visitor.page.locator("#stage[data-state=shown]")).to_be_visible()
