"""The fleet as tiles: which stand together, and which have room for their reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from devices.health import ORDER

from .fleet import STATES, FleetRow

GROUPINGS = ("state", "room")
NO_ROOM = "no room"
# so many tiles with a reason leave room for 270 without one on 1440 by 900 pixels
ROOMY = 30
_TELLS = {"act", "watch"}


@dataclass(frozen=True, slots=True)
class Section:
    """Tiles under one heading.

    Attributes:
        title: a state or a room.
        state: the worst state in it.
        rows: in the fleet's order.
        roomy: its tiles say why; others say it on hover.
    """

    title: str
    state: str
    rows: list[FleetRow]
    roomy: bool


def sections(rows: Sequence[FleetRow], grouping: str) -> list[Section]:
    """Tiles by state, or by room with the rooms that need somebody first.

    Args:
        rows: the fleet's rows in the order in which they are to be looked at.
        grouping: one of `GROUPINGS`; by state unless known.
    """
    by_room = grouping == "room"
    found: dict[str, list[FleetRow]] = defaultdict(list)
    for row in rows:
        found[(row.device.location or NO_ROOM) if by_room else str(row.health.state)].append(row)
    telling = sum(row.health.state in _TELLS for row in rows)
    made = []
    for title, group in found.items():
        worst = min((str(row.health.state) for row in group), key=ORDER.__getitem__)
        roomy = not by_room and title in _TELLS and telling <= ROOMY
        made.append(Section(title, worst, group, roomy))
    if by_room:
        made.sort(key=lambda s: (ORDER[s.state], s.title.casefold()))
    else:
        made.sort(key=lambda s: STATES.index(s.title))
    return made
