"""Keys and focus on the film page: nothing that is swapped or opened takes them from the reader."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from detection.models import DetectorVersion, Signature
from tests.browser.conftest import Visitor, place
from tests.browser.films import MARK, read_film
from tests.detection.factories import make_user, make_version
from tests.reading.twice import first, read_twice, second

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(visit: Visit, reader: User) -> Page:
    """Before a film with two findings."""
    version: DetectorVersion = make_version("candidate")
    image, _ = read_film(version, ("covid", 0.91, *MARK), ("pneumonia", 0.7, 250, 60, 80, 90))
    visitor = visit(reader)
    visitor.go(f"/films/{image.pk}/")
    expect(visitor.page.locator("#stage[data-state=shown]")).to_be_visible()
    expect(visitor.page.locator("#line details").first).to_be_visible()
    return visitor.page


def test_a_judged_finding_keeps_the_focus_on_its_button(page: Page) -> None:
    button = page.get_by_role("button", name="Accept finding 2")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-number='2']")).to_have_attribute("data-verdict", "accept")
    expect(button).to_be_focused()


def test_after_signing_the_report_has_the_focus_and_the_line_is_new(page: Page) -> None:
    expect(page.locator("#line")).to_contain_text("Skip")
    page.get_by_label("abnormal", exact=True).check()
    button = page.get_by_role("button", name="Sign S")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#report")).to_contain_text("Signature")
    expect(page.locator("#report-title")).to_be_focused()
    expect(page.locator("#line")).not_to_contain_text("Skip")
    assert Signature.objects.count() == 1


def test_escape_leaves_a_text_for_the_film_and_ends_what_is_on(page: Page) -> None:
    page.get_by_label("Findings").last.focus()
    page.keyboard.type("a")
    page.keyboard.press("Escape")
    expect(page.locator("#stage")).to_be_focused()
    page.keyboard.press("2")
    expect(page.locator("[data-number='2']")).to_have_class("finding is-current")
    page.keyboard.press("h")
    expect(page.locator("#help-reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#help-reason")).to_be_hidden()
    page.keyboard.press("l")
    expect(page.locator("#film-measures.is-active")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#film-measures.is-active")).to_have_count(0)
    page.keyboard.press("q")
    page.keyboard.press("Escape")
    expect(page.locator("[data-tool=magnify]")).to_have_attribute("aria-pressed", "false")


def test_a_preset_chosen_with_the_mouse_gives_the_keys_back(page: Page) -> None:
    page.locator("#preset").focus()
    page.locator("#preset").select_option(index=0)
    page.locator("#preset").dispatch_event("change")
    page.keyboard.press("j")
    expect(page.locator("[data-number='1']")).to_have_class("finding is-current")


def test_full_screen_is_left_for_what_stands_beside_the_film(page: Page) -> None:
    page.keyboard.press("F")
    expect(page.locator(".film-side")).to_be_hidden()
    page.keyboard.press("1")
    page.keyboard.press("a")  # the verdict is seen on the film itself
    expect(page.locator("[data-number='1']")).to_have_attribute("data-verdict", "accept")
    expect(page.locator(".film-side")).to_be_hidden()
    page.keyboard.press("d")
    expect(page.locator("#box-form")).to_be_visible()


def test_signing_is_in_sight_while_the_report_is_long(page: Page) -> None:
    height = page.viewport_size["height"] if page.viewport_size else 0
    button = place(page.get_by_role("button", name="Sign and next"))
    assert button["y"] + button["height"] <= height
    page.get_by_label("Findings").last.fill("a line\n" * 40)
    button = place(page.get_by_role("button", name="Sign and next"))
    assert button["y"] + button["height"] <= height


def test_labels_of_boxes_on_each_other_can_all_be_read(visit: Visit, reader: User) -> None:
    boxes = [("covid", 0.9 - i / 10, 1, 1, 397, 297) for i in range(4)]
    image, _ = read_film(make_version("candidate"), *boxes)
    visitor = visit(reader, size={"width": 720, "height": 450})
    visitor.go(f"/films/{image.pk}/")
    page = visitor.page
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()
    expect(page.locator(".box-back")).to_have_count(4)
    # in one look, until the stage has its size: labels are drawn anew with each change of it
    for _ in range(20):
        taken = page.evaluate(
            "() => [...document.querySelectorAll('.box-back, .film-corner.tl')]"
            ".map((e) => e.getBoundingClientRect().toJSON())"
        )
        if not on_each_other(taken):
            break
        page.wait_for_timeout(250)
    assert len(taken) == 5
    assert on_each_other(taken) == []
    # and no box's line is painted over an earlier box's words
    assert page.locator(".box-caption ~ .box").count() == 0
    assert page.locator(".box ~ .box-caption").count() == 4


def on_each_other(taken: list[dict[str, float]]) -> list[tuple[Any, Any]]:
    """The pairs of rectangles that share a place."""
    return [
        (a, b)
        for a, b in combinations(taken, 2)
        if a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    ]


def test_a_reading_lead_decides_by_keyboard(visit: Visit, reader: User) -> None:
    image, _ = read_film(make_version("candidate"), ("covid", 0.91, *MARK))
    read_twice("all")
    first(image, reader, "abnormal")
    second(image, make_user(username="second"), "normal")
    visitor = visit(make_user(username="lead", is_reading_lead=True))
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator("#messages")).to_contain_text("Choose first whose reading is signed")
    assert not Signature.objects.exists()
    page.keyboard.press("ArrowDown")  # as second
    page.keyboard.press("s")
    expect(page.locator("#report")).to_contain_text("The two readings differed")
    expect(page.locator("#report-title")).to_be_focused()
    assert Signature.objects.get().conclusion == "normal"
    assert visitor.complaints == []


def test_a_film_without_findings_says_so_to_the_judging_keys(visit: Visit, reader: User) -> None:
    image, _ = read_film(make_version("candidate"))
    visitor = visit(reader)
    visitor.go(f"/films/{image.pk}/")
    expect(visitor.page.locator("#stage[data-state=shown]")).to_be_visible()
    visitor.page.keyboard.press("a")
    expect(visitor.page.locator("#messages")).to_contain_text("no finding of the model to judge")
