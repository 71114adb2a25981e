"""The network goes, the session ends, another tab was faster: nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Route, expect

from accounts.models import User
from detection.models import DetectorVersion, Signature
from reading.models import Addendum, OnCallList
from tests.browser.conftest import PASSWORD, Visitor
from tests.browser.films import MARK, read_film
from tests.detection.factories import make_user

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("button", ["Sign and next", "Sign S"])
def test_a_signature_whose_answer_was_lost_is_made_once(
    visit: Visit, reader: User, version: DetectorVersion, button: str
) -> None:
    first, _ = read_film(version, ("covid", 0.91, *MARK))
    second, _ = read_film(version, ("pneumonia", 0.6, 20, 20, 60, 60), patient_id="P2")
    visitor = visit(reader)
    page = visitor.page
    asked: list[str] = []

    def lose_the_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            return route.continue_()
        route.fetch(max_redirects=0)  # it arrives and is answered
        return route.abort("connectionreset")

    page.route("**/sign/", lose_the_first)
    visitor.go(f"/films/{first.pk}/")
    page.get_by_label("abnormal", exact=True).check()
    page.get_by_label("Text").fill("Opacity.")
    page.get_by_role("button", name=button).click()
    expect(page.locator("#messages")).to_contain_text("may or may not have been saved")
    expect(page.locator("#messages")).to_contain_text("one signature is made")
    assert Signature.objects.count() == 1
    expect(page.get_by_label("Text")).to_have_value("Opacity.")
    page.get_by_role("button", name=button).click()
    if button == "Sign and next":
        page.wait_for_url(f"**/films/{second.pk}/")
    else:
        expect(page.locator("#report")).to_contain_text("Signature")
    assert len(asked) == 2
    assert [(s.image, s.text) for s in Signature.objects.all()] == [(first, "Opacity.")]


def test_signed_out_with_a_report_typed_goes_on_after_a_sign_in_elsewhere(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    image, _ = read_film(version, ("covid", 0.91, *MARK))
    visitor = visit(reader)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    page.get_by_label("abnormal", exact=True).check()
    page.get_by_label("Text").fill("Half a report")
    Session.objects.all().delete()
    page.get_by_role("button", name="Sign S").click()
    notice = page.locator("[data-signed-out]")
    expect(notice).to_contain_text("Signed out: sign in again, nothing is lost")
    page.get_by_role("button", name="Sign S").click()
    expect(notice).to_have_count(1)
    expect(page.get_by_label("Text")).to_have_value("Half a report")
    assert not Signature.objects.exists()
    with page.context.expect_page() as opened:
        notice.get_by_role("link").click()
    tab = opened.value
    tab.locator("[name=username]").fill("reader")
    tab.locator("[name=password]").fill(PASSWORD)
    tab.locator("main button[type=submit]").first.click()
    tab.wait_for_url(f"**/films/{image.pk}/")
    page.get_by_role("button", name="Sign S").click()
    expect(page.locator("#report")).to_contain_text("Half a report")
    expect(notice).to_have_count(0)
    assert Signature.objects.get().text == "Half a report"


def test_signed_out_with_nothing_typed_goes_to_the_sign_in_page(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    image, _ = read_film(version, ("covid", 0.91, *MARK))
    visitor = visit(reader)
    visitor.go(f"/films/{image.pk}/")
    visitor.settle()
    Session.objects.all().delete()
    visitor.page.get_by_role("button", name="Accept finding 1").click()
    visitor.page.wait_for_url(f"**/login/?next=/films/{image.pk}/")


def test_a_plain_form_of_before_a_new_sign_in_is_sent_with_the_new_token(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    image, _ = read_film(version, ("covid", 0.91, *MARK))
    on_call = OnCallList.objects.create(name="Thorax")
    on_call.steps.create(position=1, user=make_user(), minutes=5)
    visitor = visit(reader)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    page.keyboard.press("!")
    field = page.get_by_label("What must be known now")
    expect(field).to_be_focused()
    page.keyboard.type("free air!")
    tab = page.context.new_page()
    tab.goto(f"{visitor.base}/films/{image.pk}/")
    tab.get_by_role("button", name="Sign out").click()
    tab.locator("[name=username]").fill("reader")
    tab.locator("[name=password]").fill(PASSWORD)
    tab.locator("main button[type=submit]").first.click()
    tab.wait_for_load_state()
    page.get_by_role("button", name="Report as critical").click()
    page.wait_for_url("**/critical/")
    expect(page.locator("main")).to_contain_text("free air!")
    assert visitor.complaints == []


def test_two_tabs_of_one_reader(visit: Visit, reader: User, version: DetectorVersion) -> None:
    image, _ = read_film(version, ("covid", 0.91, *MARK))
    visitor = visit(reader)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    tab = page.context.new_page()
    tab.goto(f"{visitor.base}/films/{image.pk}/")
    tab.get_by_label("normal", exact=True).check()
    tab.get_by_role("button", name="Sign S").click()
    expect(tab.locator("#report")).to_contain_text("Signature")
    page.get_by_role("button", name="Accept finding 1").click()
    expect(page.locator("#findings")).to_contain_text("it can't be changed any more")
    expect(page.locator("#report")).to_contain_text("Signature")
    page.get_by_label("Addendum", exact=True).fill("one more word")
    page.get_by_role("button", name="add to the signed report").click()
    expect(page.locator("#report")).to_contain_text("Addendum: reader")
    assert Addendum.objects.count() == 1
