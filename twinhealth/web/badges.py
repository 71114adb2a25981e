"""Counts on the entries of the left rail: what waits for somebody. Rooms register them here.

The rail stands in the lowest room and knows the others' pages by name only, so a room says by name
what is to be counted. A count is asked for when a page draws the entry, and by nobody else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

# beyond this, the number helps nobody and counting costs
CAP = 99


@dataclass(frozen=True, slots=True)
class Badge:
    """What an entry says: `12`, or `99+`; `words` is for ears and the tooltip."""

    number: int
    words: str

    @property
    def text(self) -> str:
        """The number as it is shown."""
        return f"{CAP}+" if self.number > CAP else str(self.number)


# the person who looks -> the rows that wait; the hall knows no accounts, hence Any
Waiting = Callable[[Any], QuerySet[Model]]
_waiting: dict[str, tuple[Waiting, str, str]] = {}


def register(name: str, waiting: Waiting, *, one: str, many: str) -> None:
    """Have a count on an entry of the rail.

    Args:
        name: of the page, as `reverse` takes it; a second registration replaces the first.
        waiting: takes the signed-in person and gives the rows that wait, by an index; what waits
            for everybody alike ignores who asks.
        one: what one of them is (`file in quarantine`).
        many: what several are.
    """
    _waiting[name] = (waiting, one, many)


def badge(name: str, user: object) -> Badge | None:
    """What the entry of this page shows to a person, in one query.

    `None` where nothing waits or nobody counts.
    """
    if name not in _waiting:
        return None
    waiting, one, many = _waiting[name]
    number = waiting(user).order_by()[: CAP + 1].count()
    if not number:
        return None
    found = Badge(number, "")
    return Badge(number, f"{found.text} {one if number == 1 else many}")
