"""A scenario: the world changed, simulated beside the one that is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from . import guard
from .book import Book
from .changes import Change
from .simulation.failures import draw
from .simulation.inputs import NEVER, Machines, Orders, Staff, World
from .simulation.outcome import Figure, differences, figures, simulate


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a change: taken into the scenario, or refused, and why.

    `code` is empty where it was taken.
    """

    change: Change
    words: str
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Figures of the present, of the scenario, and of their difference run by run."""

    fates: list[Fate]
    base: dict[str, Figure | None]
    changed: dict[str, Figure | None]
    difference: dict[str, Figure | None]


class _Refused(Exception):  # noqa: N818 - a change's fate, no error of the program
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def run(book: Book, changes: Sequence[Change]) -> Result:
    """Both worlds with the same random numbers."""
    world, fates = changed(book, changes)
    drawn = draw(book.world)
    before = simulate(book.world, drawn)
    # where nothing is changed there is nothing to compute again
    after = before if world is book.world else simulate(world, drawn)
    return Result(fates, figures(before), figures(after), differences(before, after))


def changed(book: Book, changes: Sequence[Change]) -> tuple[World, list[Fate]]:
    """The world with the changes that are permitted, and what became of each."""
    world, fates = book.world, []
    for change in changes:
        words = described(book, change)
        try:
            world = _APPLY[change.kind](book, world, change)
        except _Refused as refused:
            fates.append(Fate(change, words, refused.code, str(refused)))
        else:
            fates.append(Fate(change, words))
    return world, fates


def described(book: Book, change: Change) -> str:
    """The change in words, with names in place of numbers."""
    place = book.place_of_order(change.order)
    at = book.place_of_machine(change.machine)
    machine = book.machines[at].name if at is not None else f"machine {change.machine}"
    if place is not None:
        row = book.orders[place]
        order = f"WO-{row.pk} {row.title}, {book.machines[row.machine].name}"
    else:
        order = f"WO-{change.order}"
    model = next(
        (each.model_name for each in book.machines if each.model == change.model),
        f"model {change.model}",
    )
    words = {
        "move": f"{order}: to {_said(change.day)}",
        "drop": f"{order}: left out",
        "add": f"{machine}: {change.hours or 0:g} h of maintenance on {_said(change.day)}",
        "engineer": f"an engineer more, {_said(change.day)} to {_said(change.until)}",
        "part": f"{machine}: its spare part lies ready",
        "part_model": f"{model}: spare parts lie ready",
        "loaner": f"{machine}: a loaner stands in, {_said(change.day)} to {_said(change.until)}",
    }
    return words[change.kind]


def _said(day: date | None) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}" if day else ""


def _order(book: Book, change: Change) -> int:
    place = book.place_of_order(change.order)
    if place is None:
        raise _Refused("order_not_found", "There is no such open order.")
    if not book.orders[place].movable:
        raise _Refused("order_not_movable", "Only planned and scheduled orders can be changed.")
    return place


def _machine(book: Book, change: Change) -> int:
    place = book.place_of_machine(change.machine)
    if place is None:
        raise _Refused("device_not_found", "There is no such machine in service.")
    return place


def _number(book: Book, day: date | None, *, within: bool = True) -> int:
    assert day is not None  # noqa: S101 - the change's kind has it
    number = (day - book.today).days
    if within and not 0 <= number < book.world.days:
        raise _Refused("outside_horizon", f"Choose a day within {book.world.days} days from today.")
    return number


def _move(book: Book, world: World, change: Change) -> World:
    place = _order(book, change)
    day = _number(book, change.day)
    row = book.orders[place]
    why = guard.refusal(row.limits, day=book.date(day), now=row.day)
    if why:
        raise _Refused(guard.CODE, why)
    days = world.orders.day.copy()
    days[place] = day
    return replace(world, orders=replace(world.orders, day=days))


def _drop(book: Book, world: World, change: Change) -> World:
    place = _order(book, change)
    row = book.orders[place]
    why = guard.refusal_to_drop(row.limits, next_due=row.next_due)
    if why:
        raise _Refused(guard.CODE, why)
    dropped = world.orders.dropped.copy()
    dropped[place] = True
    return replace(world, orders=replace(world.orders, dropped=dropped))


def _add(book: Book, world: World, change: Change) -> World:
    place, day = _machine(book, change), _number(book, change.day)
    added: dict[str, Any] = {
        "ids": int(world.orders.ids.min(initial=0)) - 1,
        "machine": place,
        "day": day,
        "late_after": NEVER,
        "hours": change.hours,
        "counts": False,
        "restores": True,
        "dropped": False,
    }
    orders = Orders(
        **{name: np.append(getattr(world.orders, name), value) for name, value in added.items()}
    )
    return replace(world, orders=orders)


def _engineer(book: Book, world: World, change: Change) -> World:
    low = max(0, _number(book, change.day, within=False))
    high = min(world.days, _number(book, change.until, within=False) + 1)
    if low >= high:
        raise _Refused("outside_horizon", f"Choose days within {world.days} days from today.")
    people = world.staff.engineers.copy()
    weekday = (np.arange(low, high) + world.weekday) % 7 < 5
    people[low:high] += weekday
    staff = Staff(people, world.staff.shift, world.staff.overtime)
    return replace(world, staff=staff)


def _part(book: Book, world: World, change: Change) -> World:
    return _with_parts(world, [_machine(book, change)])


def _part_model(book: Book, world: World, change: Change) -> World:
    places = [n for n, each in enumerate(book.machines) if each.model == change.model]
    if not places:
        raise _Refused("model_not_found", "No machine in service is of this model.")
    return _with_parts(world, places)


def _with_parts(world: World, places: list[int]) -> World:
    has = world.machines.has_part.copy()
    has[places] = True
    return _machines(world, has_part=has)


def _loaner(book: Book, world: World, change: Change) -> World:
    place = _machine(book, change)
    low = max(0, _number(book, change.day, within=False)) * 24.0
    high = min(world.days, _number(book, change.until, within=False) + 1) * 24.0
    if low >= high:
        raise _Refused("outside_horizon", f"Choose days within {world.days} days from today.")
    return _machines(world, loans=(*world.machines.loans, (place, low, high)))


def _machines(world: World, **values: Any) -> World:
    machines: Machines = replace(world.machines, **values)
    return replace(world, machines=machines)


_APPLY = {
    "move": _move,
    "drop": _drop,
    "add": _add,
    "engineer": _engineer,
    "part": _part,
    "part_model": _part_model,
    "loaner": _loaner,
}
