"""Whether a person is able to do what an order asks for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

# a person's skills by name as `key` writes it -> the last day; none: it doesn't end
Held = Mapping[str, date | None]


def key(name: str) -> str:
    """A skill's name where two are compared: capitals don't count."""
    return name.strip().casefold()


def missing(asked: Iterable[str], held: Held, day: date, waived: Iterable[str] = ()) -> list[str]:
    """The skills that somebody lacks on a day, as the order names them.

    Args:
        asked: the order's.
        held: the person's.
        day: in the hospital's zone; a skill counts on its last day.
        waived: those of which an admin said that it goes without.
    """
    without = {key(name) for name in waived}
    return [name for name in asked if key(name) not in without and not _holds(held, key(name), day)]


def _holds(held: Held, name: str, day: date) -> bool:
    until = held.get(name, date.min)
    return until is None or until >= day
