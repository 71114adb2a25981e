"""Machines' names where there is little room, and their values."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from devices.models.device import Lifecycle
from devices.rules import number
from devices.selectors.fleet import FleetRow

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


class Tile(NamedTuple):
    """What a tile says; two that say the same look the same."""

    pk: int
    name: str
    location: str
    state: str
    lifecycle: str  # in words; empty in service
    because: str
    alerts: int
    worded: bool  # its state in words, not for screen readers alone


@register.simple_tag
def tile(row: FleetRow, *, roomy: bool, worded: bool, reduced: bool) -> SafeString:
    """A machine's tile.

    Args:
        row: the machine.
        roomy: there is room for the reason and since when.
        worded: the state stands on the tile where it isn't a good one.
        reduced: for people who see no alerts.
    """
    device, because, state = row.device, row.because, str(row.health.state)
    said = Tile(
        device.pk,
        device.name,
        device.location,
        state,
        "" if device.lifecycle == Lifecycle.IN_SERVICE else str(device.get_lifecycle_display()),
        because.text if because else "",
        0 if reduced else row.open_alerts,
        worded and state != "ok",
    )
    return _drawn(said, because.since if because else None) if roomy else _small(said)


@lru_cache(maxsize=4096)
def _small(said: Tile) -> SafeString:
    """A board is drawn every few seconds, and most of its tiles say what they said before."""
    return _drawn(said, None, roomy=False)


def _drawn(said: Tile, since: datetime | None, *, roomy: bool = True) -> SafeString:
    context = {"tile": said, "roomy": roomy, "since": since}
    return render_to_string("devices/parts/tile.html", context)
