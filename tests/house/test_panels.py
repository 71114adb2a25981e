"""A room above adds a section or a link to a page of a room below, for those who may see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.template import Context, Template
from django.test import RequestFactory

from accounts.models import User
from twinhealth.web import panels


@pytest.fixture
def place() -> Iterator[str]:
    yield "somewhere:page"
    panels._panels.pop("somewhere:page", None)
    panels._links.pop("somewhere:page", None)


def draw(source: str, user: User) -> str:
    request = RequestFactory().get("/")
    request.user = user
    head = "{% load house %}"
    return Template(head + source).render(Context({"request": request, "thing": "<WO-7>"}))


def test_a_section_is_drawn_with_its_own_facts(place: str) -> None:
    panels.register(
        place, "partials/notice_of_test.html", lambda _, thing: None if thing else {"thing": thing}
    )
    source = f'{{% panels "{place}" thing %}}'
    assert draw(source, User(username="a")) == ""  # nothing to show: the template isn't asked for
    panels.register(place, "devices/order_synthetic.html", lambda _, thing: {"synthetic": thing})
    assert "synthetic" in draw(source, User(username="a"))


def test_links_go_to_those_who_may_follow_them(place: str) -> None:
    link = panels.Link("Stock", "devices:fleet", "box", lambda user: user.username == "a")
    panels.register_link(place, link)
    panels.register_link(place, link)  # once more changes nothing
    source = (
        f'{{% room_links "{place}" as found %}}'
        "{% for link in found %}{{ link.url }} {{ link.label }}{% endfor %}"
    )
    assert draw(source, User(username="a")) == "/devices/ Stock"
    assert draw(source, User(username="b")) == ""
