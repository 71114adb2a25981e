"""Counts on the entries of the left rail: what waits for somebody. Rooms register them here.

The rail stands in the lowest room and knows the others' pages by name only, so a room says by name
what is to be counted. A count is asked for when a page draws the entry, and by nobody else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Model, QuerySet, Value

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
_waiting: dict[str, dict[str, tuple[Waiting, str, str]]] = {}


def register(name: str, waiting: Waiting, *, one: str, many: str, part: str = "") -> None:
    """Have a count on an entry of the rail.

    Args:
        name: of the page, as `reverse` takes it.
        waiting: takes the signed-in person and gives the rows that wait, by an index; what waits
            for everybody alike ignores who asks.
        one: what one of them is (`file in quarantine`).
        many: what several are.
        part: of an entry on which several rooms count; a second registration of a part replaces
            the first.
    """
    _waiting.setdefault(name, {})[part] = (waiting, one, many)


def badge(name: str, user: object) -> Badge | None:
    """What the entry of this page shows to a person, in one query.

    `None` where nothing waits or nobody counts.
    """
    parts = list(_waiting.get(name, {}).values())
    if not parts:
        return None
    numbers = _count([waiting(user) for waiting, _, _ in parts])
    words = [
        f"{Badge(number, '').text} {one if number == 1 else many}"
        for number, (_, one, many) in zip(numbers, parts, strict=True)
        if number
    ]
    return Badge(sum(numbers), ", ".join(words)) if words else None


def _count(rows: list[QuerySet[Model]]) -> list[int]:
    """How many each has, up to one above the cap."""
    if len(rows) == 1:
        return [rows[0].order_by()[: CAP + 1].count()]
    # capped inside, as SQLite caps no part of a union
    capped = [
        QuerySet(each.model)
        .order_by()
        .filter(pk__in=each.order_by().values("pk")[: CAP + 1])
        .annotate(part=Value(str(number), output_field=CharField()))
        .values_list("part", flat=True)
        for number, each in enumerate(rows)
    ]
    found = list(capped[0].union(*capped[1:], all=True))
    return [found.count(str(number)) for number in range(len(rows))]
