"""Sections and links that a room above adds to a page of a room below.

An order's page stands in `devices`, which must not know who keeps spare parts; the room that does
registers a section here, by the place's name, as with `badges`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

# request, what the page is about -> the template's context; None: nothing to show to this person
Facts = Callable[[HttpRequest, Any], dict[str, Any] | None]
# the person who looks; the hall knows no accounts, hence Any
MaySee = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Link:
    """A page of another room, named on this one."""

    label: str
    url_name: str
    icon: str
    may_see: MaySee

    @property
    def url(self) -> str:
        """Its address."""
        return reverse(self.url_name)


_panels: dict[str, dict[str, tuple[str, Facts]]] = {}
_links: dict[str, dict[str, Link]] = {}


def register(place: str, template: str, facts: Facts) -> None:
    """Have a section drawn at a place.

    Args:
        place: name of the page as `reverse` takes it (`devices:order`).
        template: the section's; it stands once per place, a second registration replaces it.
        facts: gives its context, with as few queries as it can.
    """
    _panels.setdefault(place, {})[template] = (template, facts)


def register_link(place: str, link: Link) -> None:
    """Have a link shown at a place; one per page linked to."""
    _links.setdefault(place, {})[link.url_name] = link


def drawn(place: str, request: HttpRequest, subject: object) -> list[SafeString]:
    """The sections of a place, in the order they were registered."""
    found = []
    for template, facts in _panels.get(place, {}).values():
        context = facts(request, subject)
        if context is not None:
            found.append(render_to_string(template, context, request=request))
    return found


def links(place: str, user: object) -> list[Link]:
    """The links that a person may follow."""
    return [link for link in _links.get(place, {}).values() if link.may_see(user)]
