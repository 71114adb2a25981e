"""A reader's day: from sign-in over worklist and film to rows in the database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from accounts.models import User
from detection.models import Claim, DetectorVersion, Review, Signature
from detection.services import claims, sign
from tests.browser.conftest import PASSWORD, Visitor, place
from tests.browser.films import MARK, read_film, stored_film
from tests.detection.factories import make_user

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.django_db(transaction=True)


def test_sign_in_accept_sign_and_next_ends_in_rows(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    first, run = read_film(version, ("covid", 0.91, *MARK), ("normal", 0.6, 250, 60, 80, 90))
    second, _ = read_film(version, ("pneumonia", 0.6, 20, 20, 60, 60), patient_id="P2")
    visitor = visit(None)
    page = visitor.page
    assert visitor.go("/worklist/") == 200
    page.get_by_label("Name").or_(page.locator("[name=username]")).first.fill("reader")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/worklist/")
    page.get_by_role("link", name="covid 0.91").click()
    page.wait_for_url(f"**/films/{first.pk}/")
    assert Claim.objects.get(image=first).by == reader
    page.get_by_role("button", name="Accept finding 1").click()
    expect(page.locator("#findings")).to_contain_text("accepted")
    page.get_by_label("abnormal", exact=True).check()
    page.get_by_label("Text").fill("Opacity on the left of the picture.")
    page.get_by_role("button", name="Sign and next").click()
    page.wait_for_url(f"**/films/{second.pk}/")
    review = Review.objects.get()
    assert (review.verdict, review.finding, review.by) == (
        "accept",
        run.findings.get(label="covid"),
        reader,
    )
    signature = Signature.objects.get()
    assert (signature.image, signature.conclusion, signature.by) == (first, "abnormal", reader)
    assert signature.text == "Opacity on the left of the picture."
    assert visitor.complaints == []


def test_the_keyboard_alone_is_enough(visit: Visit, reader: User, version: DetectorVersion) -> None:
    first, _ = read_film(version, ("covid", 0.91, *MARK), ("pneumonia", 0.7, 250, 60, 80, 90))
    second, _ = read_film(version, ("pneumonia", 0.6, 20, 20, 60, 60), patient_id="P2")
    visitor = visit(reader)
    page = visitor.page
    visitor.go("/worklist/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/films/{first.pk}/")
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("[data-number='1']")).to_have_attribute("data-verdict", "accept")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[data-number='2']")).to_have_attribute("data-verdict", "reject")
    page.keyboard.press("u")
    expect(page.locator("[data-number='2']")).to_have_attribute("data-verdict", "")
    page.keyboard.press("d")
    page.keyboard.press("Enter")  # a box in the middle
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")  # keeps it
    expect(page.locator("[data-number='+1']")).to_be_visible()
    page.keyboard.press("n")  # no conclusion yet: asks for one
    expect(page.locator("#messages")).to_contain_text("Choose a conclusion first")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("n")
    page.wait_for_url(f"**/films/{second.pk}/")
    verdicts = [(r.verdict, r.withdrawn_at is None) for r in Review.objects.order_by("pk")]
    assert verdicts == [("accept", True), ("reject", False), ("add", True)]
    assert Review.objects.get(verdict="reject").reason_code == "wrong_class"
    assert Signature.objects.get().image == first
    assert visitor.complaints == []


def test_a_reject_is_x_and_a_digit(visit: Visit, reader: User, version: DetectorVersion) -> None:
    image, _ = read_film(version, ("covid", 0.91, *MARK), ("pneumonia", 0.7, 250, 60, 80, 90))
    visitor = visit(reader)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("4")
    expect(page.locator("[data-number='1']")).to_contain_text("artefact, device or line")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("6")  # asks for words
    page.keyboard.type("4 ribs cross")  # a digit in words is a digit
    page.keyboard.press("Enter")
    expect(page.locator("[data-number='2']")).to_contain_text("4 ribs cross")
    rows = Review.objects.order_by("pk").values_list("verdict", "reason_code", "reason")
    assert list(rows) == [("reject", "artefact", ""), ("reject", "other", "4 ribs cross")]
    assert visitor.complaints == []


def test_single_keys_do_nothing_while_typing(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    image, _ = read_film(version, ("covid", 0.91, *MARK))
    visitor = visit(reader)
    visitor.go(f"/films/{image.pk}/")
    page = visitor.page
    page.get_by_label("Text").press_sequentially("saunx")
    visitor.settle()
    assert page.get_by_label("Text").input_value() == "saunx"
    assert not Review.objects.exists()
    assert not Signature.objects.exists()


def test_a_box_is_edited_with_the_mouse(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    image, run = read_film(version, ("covid", 0.91, *MARK))
    visitor = visit(reader)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()
    page.locator(".finding").first.click()
    page.keyboard.press("e")
    page.get_by_label("Label").select_option("pneumonia")
    box = place(page.locator(".is-draft .box-line"))
    page.mouse.move(box["x"] + box["width"], box["y"] + box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 30, box["y"] + box["height"] + 20, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-number='1']")).to_have_attribute("data-verdict", "edit")
    review = Review.objects.get()
    assert review.label == "pneumonia"
    assert (review.x, review.y) == (MARK[0], MARK[1])
    assert (review.w or 0) > MARK[2]
    assert (review.h or 0) > MARK[3]
    finding = run.findings.get()
    assert (finding.label, finding.w) == ("covid", MARK[2])  # the model's own stays


def test_anothers_signature_is_shown_instead_of_lost_work(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    image, _ = read_film(version, ("covid", 0.91, *MARK))
    visitor = visit(reader)
    page = visitor.page
    visitor.go(f"/films/{image.pk}/")
    page.get_by_label("Text").fill("my unsent text")
    other = make_user(username="other", display_name="Dr Other")
    claims.release(image_id=image.pk, user=reader)
    sign.sign(image_id=image.pk, user=other, conclusion="normal")
    page.get_by_role("button", name="Accept finding 1").click()
    expect(page.locator("#findings")).to_contain_text("Signed by Dr Other")
    expect(page.locator("#report")).to_contain_text("normal")
    expect(page.get_by_role("button", name="Accept finding 1")).to_have_count(0)
    assert not Review.objects.exists()


def test_a_film_without_readable_pixels_falls_back_and_says_so(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    image, _ = read_film(version, ("covid", 0.91, *MARK))
    visitor = visit(reader)
    page = visitor.page
    page.route(
        "**/pixels/",
        lambda route: route.fulfill(
            status=503, json={"code": "x", "message": "The archive is away."}
        ),
    )
    visitor.go(f"/films/{image.pk}/")
    expect(page.locator("#film-fallback")).to_contain_text("The archive is away.")
    expect(page.locator("#film-fallback a")).to_have_attribute(
        "href", f"/api/v1/images/{image.pk}/original/"
    )
    # not by wait_for_function: it evaluates text, which the page's policy refuses
    expect(page.locator("#film-picture")).not_to_have_js_property("naturalWidth", 0)
    picture = place(page.locator("#film-picture"))
    line = place(page.locator(".box-line").first)
    scale = picture["width"] / 400
    assert abs(line["x"] - (picture["x"] + MARK[0] * scale)) < 2.5
    assert abs(line["y"] - (picture["y"] + MARK[1] * scale)) < 2.5


def test_the_list_waits_while_a_row_is_in_use(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    read_film(version, ("covid", 0.91, *MARK))
    visitor = visit(reader)
    page = visitor.page
    visitor.go("/worklist/")
    expect(page.locator("#worklist tbody tr")).to_have_count(1)
    read_film(version, ("covid", 0.99, *MARK), patient_id="P2")
    page.locator("#worklist tbody tr").first.hover()
    page.evaluate(
        "window.htmx.trigger('#worklist', 'htmx:poll'); window.htmx.ajax('GET', document.getElementById('worklist').getAttribute('hx-get'), {source: '#worklist', target: '#worklist', swap: 'outerHTML'})"
    )
    expect(page.locator("#worklist-new")).to_have_text("1 new film: show")
    assert page.locator("#worklist tbody tr").count() == 1
    page.locator("#worklist-new").click()
    expect(page.locator("#worklist tbody tr")).to_have_count(2)
    expect(page.locator("#worklist-new")).to_be_hidden()


def test_a_film_in_the_line_changes_its_badge_by_itself(
    visit: Visit, reader: User, version: DetectorVersion
) -> None:
    from django.utils import timezone

    from tests.detection.factories import make_run

    image = stored_film()
    run = make_run(image, version, "queued")
    visitor = visit(reader)
    visitor.go(f"/films/{image.pk}/")
    badge = visitor.page.locator(".film-state")
    expect(badge).to_contain_text("queued, place 1")
    run.state, run.finished_at, run.reason = "refused", timezone.now(), "Not an X-ray."
    run.save()
    expect(badge).to_contain_text("Not an X-ray.")
    expect(badge).not_to_have_attribute("hx-trigger", "every 2s")
