"""A blinded reader's film by keys alone, from the draw to both words under the signature."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from detection.models import Review, Signature
from reading.models import FirstImpression, ReadingGroup, ReadingGroupMember
from tests.browser.conftest import Visitor
from tests.browser.films import MARK, read_film
from tests.detection.factories import make_user, make_version

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.django_db(transaction=True)


def test_draw_commit_see_the_model_sign(visit: Visit) -> None:
    reader = make_user(username="reader", display_name="Dr Reader")
    group = ReadingGroup.objects.create(name="blind readers", blinded=True)
    ReadingGroupMember.objects.create(group=group, user=reader)
    image, _ = read_film(make_version("candidate"), ("covid", 0.91, *MARK))
    visitor = visit(reader)
    page = visitor.page
    visitor.go("/worklist/")
    expect(page.locator("#worklist tbody tr")).to_contain_text("hidden until your first read")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/films/{image.pk}/")
    expect(page.locator("#stage[data-state=shown]")).to_be_visible()
    expect(page.locator(".film-state")).to_contain_text("AI hidden until your first read")
    expect(page.locator("#score-slider")).to_be_hidden()
    expect(page.locator("#film-boxes .box-line")).to_have_count(0)
    page.keyboard.press("s")
    expect(page.locator("#messages")).to_contain_text("Commit your first impression first")
    page.keyboard.press("d")
    page.keyboard.press("Enter")  # a box in the middle
    page.keyboard.press("Enter")  # keeps it
    expect(page.locator("[data-number='+1']")).to_be_visible()
    assert not Signature.objects.exists()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_contain_text("commit your first impression")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("[data-number='1']")).to_contain_text("covid")
    expect(page.locator("[data-number='+1']")).to_contain_text("drawn blind")
    expect(page.locator(".film-state")).to_contain_text("1 finding")
    first = FirstImpression.objects.get()
    assert (first.conclusion, first.reader, first.seen_before) == ("normal", reader, False)
    assert [box["review"] for box in first.boxes] == [Review.objects.get().pk]
    expect(page.get_by_label("normal", exact=True)).to_be_checked()  # starts with the first word
    page.keyboard.press("c")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("s")
    expect(page.locator("#report")).to_contain_text("First impression before the model was shown")
    expect(page.locator("#report")).to_contain_text("changed to abnormal")
    assert Signature.objects.get().conclusion == "abnormal"
    assert visitor.complaints == []
