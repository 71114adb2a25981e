"""Machines' names where there is little room, and their values."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from devices.rules import number

register = template.Library()

register.filter("amount", number)

_TAIL = 4  # what tells `Thorax room 127` from `Thorax room 128` stands at its end


@register.filter
def tile_name(name: str) -> SafeString:
    """The name, shortened by the page in its middle and not at its end.

    Only plain text is parted: other scripts may be written from the right, or join their letters.
    """
    if len(name) <= 2 * _TAIL or not name.isascii():
        return format_html('<bdi class="tile-name">{}</bdi>', name)
    return format_html(
        '<bdi class="tile-name"><span>{}</span><b>{}</b></bdi>', name[:-_TAIL], name[-_TAIL:]
    )
