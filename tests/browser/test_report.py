"""Writing a report in a real browser: kept while one types, in two tabs, without a network."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from accounts.models import User
from detection.models import DetectorVersion, Signature
from reading.models import Report, ReportDraft, TextBlock
from tests.browser.conftest import PASSWORD, PHONE, Visitor
from tests.browser.films import MARK, read_film

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def address(version: DetectorVersion) -> str:
    image, _ = read_film(version, ("covid", 0.91, *MARK), ("pneumonia", 0.7, 250, 60, 80, 90))
    return f"/films/{image.pk}/"


def test_a_verdict_rewrites_what_the_reader_left_alone(
    visit: Visit, reader: User, address: str
) -> None:
    visitor = visit(reader)
    page = visitor.page
    visitor.go(address)
    findings, impression = page.locator("#report-findings"), page.locator("#report-text")
    expect(findings).to_have_value(
        "No finding is marked.\nNot judged by the reader: 2 boxes of the model."
    )
    page.get_by_label("abnormal", exact=True).check()
    expect(impression).to_have_value("Abnormal film.")
    page.get_by_role("button", name="Accept finding 1").click()
    expect(impression).to_have_value("Abnormal: COVID-19.")
    findings.fill("My own words.")
    section = page.locator("[data-section=findings]")
    expect(section.locator("[data-edited]")).to_be_visible()
    page.get_by_role("button", name="Accept finding 2").click()
    expect(impression).to_have_value("Abnormal: COVID-19, pneumonia.")
    expect(findings).to_have_value("My own words.")
    section.locator("[data-redraft]").click()
    expect(findings).to_have_value(
        "1. COVID-19, left of the picture, model's score 0.91, accepted by the reader.\n"
        "2. pneumonia, right of the picture, model's score 0.70, accepted by the reader."
    )
    expect(section.locator("[data-edited]")).to_be_hidden()
    assert visitor.complaints == []
    assert visitor.refusals() == []


def test_what_is_typed_is_there_after_a_new_sign_in(
    visit: Visit, reader: User, address: str
) -> None:
    visitor = visit(reader)
    page = visitor.page
    visitor.go(address)
    page.locator("#report-findings").fill("half a thought")
    expect(page.locator("#report-kept")).to_have_text("Draft kept.")
    assert ReportDraft.objects.get().sections == {"findings": "half a thought"}
    page.locator("#report-findings").fill("half a thought, and more")
    page.goto(visitor.base + "/worklist/")  # before the second is over
    visitor.settle()
    page.context.clear_cookies()
    visitor.go(address)
    page.locator("#id_username").fill("reader")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(f"**{address}")
    expect(page.locator("#report-findings")).to_have_value("half a thought, and more")


def test_a_lost_network_and_a_lost_session_lose_no_word(
    visit: Visit, reader: User, address: str
) -> None:
    visitor = visit(reader)
    page = visitor.page
    visitor.go(address)
    visitor.settle()
    kept = page.locator("#report-kept")
    page.context.set_offline(True)
    page.locator("#report-findings").fill("typed in a lift")
    expect(kept).to_contain_text("Not saved yet, trying again")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "lift" not in stored
    page.context.set_offline(False)
    expect(kept).to_have_text("Draft kept.")
    assert ReportDraft.objects.get().sections == {"findings": "typed in a lift"}
    page.context.clear_cookies()
    page.locator("#report-findings").fill("typed while signed out")
    expect(kept).to_contain_text("you are signed out")
    with page.context.expect_page() as opened:
        kept.get_by_role("link", name="Sign in").click()
    other = opened.value
    other.locator("#id_username").fill("reader")
    other.locator("#id_password").fill(PASSWORD)
    other.locator("main button[type=submit]").first.click()
    other.wait_for_url(f"**{address}")
    other.close()
    expect(kept).to_have_text("Draft kept.")
    assert ReportDraft.objects.get().sections == {"findings": "typed while signed out"}
    page.get_by_label("normal", exact=True).check()
    page.get_by_role("button", name="Sign S").click()  # the page's own token is an old one
    expect(page.locator("#report")).to_contain_text("signed")
    assert "typed while signed out" in Report.objects.get().text


@pytest.mark.parametrize(("choice", "stays"), [("mine", "second tab"), ("other", "first tab")])
def test_two_tabs_are_both_shown_and_one_is_chosen(
    visit: Visit, reader: User, address: str, choice: str, stays: str
) -> None:
    first, second = visit(reader), visit(reader)
    first.go(address)
    second.go(address)
    first.page.locator("#report-findings").fill("first tab")
    expect(first.page.locator("#report-kept")).to_have_text("Draft kept.")
    second.page.locator("#report-findings").fill("second tab")
    conflict = second.page.locator("#report-conflict")
    expect(conflict).to_be_visible()
    expect(conflict).to_contain_text("first tab")
    expect(second.page.locator("#report-findings")).to_have_value("second tab")
    assert ReportDraft.objects.get().sections == {"findings": "first tab"}
    conflict.locator(f"[data-choose={choice}]").click()
    expect(conflict).to_be_hidden()
    expect(second.page.locator("#report-findings")).to_have_value(stays)
    second.settle()
    expect(second.page.locator("#report-kept")).not_to_contain_text("Not saved")
    assert ReportDraft.objects.get().sections == {"findings": stays}


def test_blocks_by_code_and_by_list_without_a_mouse(
    visit: Visit, reader: User, address: str
) -> None:
    blocks = (
        ("op", "Opacity", "{class} on the {side} of the picture"),
        ("clear", "Clear", "Both lungs are clear."),
        ("old", "Old", "Compared with {date}: {view}."),
    )
    for code, title, text in blocks:
        TextBlock.objects.create(section="findings", code=code, title=title, text=text)
    visitor = visit(reader)
    page = visitor.page
    visitor.go(address)
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("[data-number='1']")).to_have_attribute("data-verdict", "accept")
    area = page.locator("#report-text")
    with page.expect_response("**/text-blocks/"):
        area.focus()
    page.keyboard.type("See: /op and /nothing here")
    expect(area).to_have_value("See: COVID-19 on the left of the picture and /nothing here")
    page.keyboard.press("Control+/")
    dialog = page.locator("#blocks-dialog")
    expect(dialog).to_be_visible()
    page.keyboard.type("clear")
    expect(dialog.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(area).to_have_value(
        "See: COVID-19 on the left of the picture and /nothing hereBoth lungs are clear."
    )
    page.keyboard.press("Control+/")
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(area).to_be_focused()
    expect(page.locator("#report-kept")).to_have_text("Draft kept.")
    assert visitor.complaints == []
    assert visitor.refusals() == []


def test_from_the_draft_to_the_document_on_a_phone(
    visit: Visit, reader: User, address: str
) -> None:
    visitor = visit(reader, size=PHONE, has_touch=True)
    page = visitor.page
    visitor.go(address)
    page.get_by_label("normal", exact=True).check()
    page.locator("#report-findings").fill("Clear lungs.")
    page.get_by_role("button", name="Sign S").click()
    expect(page.locator("#report")).to_contain_text("Clear lungs.")
    page.get_by_role("link", name="whole report").click()
    page.wait_for_url("**/report/")
    page.get_by_label("What differs from version").select_option("0")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".difference ins")).to_contain_text(["new", "normal", "Clear lungs."])
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert Signature.objects.count() == Report.objects.count() == 1
    assert visitor.complaints == []


def test_a_code_typed_before_the_blocks_are_there_is_replaced_late(
    visit: Visit, reader: User, address: str
) -> None:
    TextBlock.objects.create(section="findings", code="clear", title="Clear", text="Lungs clear.")
    visitor = visit(reader)
    page = visitor.page
    visitor.go(address)
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/text-blocks/", hold)
    area = page.locator("#report-text")
    area.focus()
    page.keyboard.type("/clear ")
    page.keyboard.type("More.")
    expect(area).to_have_value("/clear More.")
    for route in waiting:
        route.continue_()
    expect(area).to_have_value("Lungs clear. More.")
    page.keyboard.type(" End.")
    expect(area).to_have_value("Lungs clear. More. End.")
