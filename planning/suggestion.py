"""The next 90 days proposed, each move explained, and measured by the simulation. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from . import guard
from .book import Book
from .proposal import Search, Terms, first_come
from .simulation.failures import draw
from .simulation.inputs import Flags, Floats, Ints
from .simulation.outcome import Figure, Outcome, differences, figures, simulate


@dataclass(frozen=True, slots=True)
class Move:
    """One order to another day, and why; `order` is `None` for a due date without an order."""

    order: int | None
    title: str
    machine: str
    machine_pk: int
    day: date  # now
    to: date
    why: str
    seen: tuple[str, str | None, int | None]
    made_on: date | None


@dataclass(frozen=True, slots=True)
class Suggested:
    """The moves, the objective of each schedule, and what the simulation says of them."""

    moves: list[Move]
    terms: dict[str, Terms]
    figures: dict[str, dict[str, Figure | None]]
    differences: dict[str, dict[str, Figure | None]]  # from the present schedule
    unplaced: list[str]  # orders for which no permitted day was found and that stand on none


def allowed(book: Book) -> tuple[Flags, Flags]:
    """Days on which each order may be proposed, and those on which there is work at all.

    Never beyond the manufacturer's interval and grace, nor beyond the order's own grace; never in a
    blackout, never on a day without staff. What is already late may come earlier only.
    """
    world = book.world
    open_days = (world.staff.engineers > 0)[None, :] & ~book.blocked
    can = open_days.copy()
    can[:, 0] = False  # today's work is given out already
    working = open_days.copy()
    for n, row in enumerate(book.orders):
        if not row.movable or world.orders.dropped[n]:
            can[n] = working[n] = False
            continue
        late = int(world.orders.late_after[n])
        for day in np.flatnonzero(can[n]):
            at = book.date(int(day))
            beyond = late < world.days and day > max(late, int(world.orders.day[n]))
            too_early = row.limits.earliest is not None and at < row.limits.earliest
            can[n, day] = not (
                beyond or too_early or guard.refusal(row.limits, day=at, now=row.day)
            )
    return can, working


def suggest(book: Book) -> Suggested:
    """The proposal beside the present schedule and first come, first served."""
    world = book.world
    can, working = allowed(book)
    search = Search(world, can)
    days = {
        "present": world.orders.day,
        "first_come": first_come(world, working, search.hours),
        "suggestion": search.improve(seed=world.seed),
    }
    drawn = draw(world)
    found: dict[str, Outcome] = {}
    for name, each in days.items():
        found[name] = simulate(replace(world, orders=replace(world.orders, day=each)), drawn)
    return Suggested(
        moves=_moves(book, search, days["suggestion"]),
        terms={name: search.terms(each) for name, each in days.items()},
        figures={name: figures(each) for name, each in found.items()},
        differences={
            name: differences(found["present"], each)
            for name, each in found.items()
            if name != "present"
        },
        unplaced=[
            _named(book, n)
            for n in range(len(book.orders))
            if not can[n].any() and book.orders[n].movable and _late(book, n)
        ],
    )


def _late(book: Book, n: int) -> bool:
    return bool(book.world.orders.day[n] > book.world.orders.late_after[n])


def _named(book: Book, n: int) -> str:
    row = book.orders[n]
    name = f"WO-{row.pk}" if row.pk else "due date"
    return f"{name} {row.title}, {book.machines[row.machine].name}"


def _moves(book: Book, search: Search, days: Ints) -> list[Move]:
    orders = book.world.orders
    before = np.bincount(
        orders.day[orders.day < book.world.days],
        weights=orders.hours[orders.day < book.world.days],
        minlength=book.world.days,
    ).astype(float)
    found = []
    for n in np.flatnonzero(days != orders.day):
        parts = search.of_one(int(n))
        row = book.orders[n]
        machine = book.machines[row.machine]
        found.append(
            Move(
                order=row.pk,
                title=row.title,
                machine=machine.name,
                machine_pk=machine.pk,
                day=row.day,
                to=book.date(days[n]),
                why=_why(book, int(n), int(days[n]), before=before, search=search, parts=parts),
                seen=row.seen,
                made_on=row.made_on,
            )
        )
    return sorted(found, key=lambda each: (each.to, each.machine, each.title))


def _why(book: Book, n: int, to: int, *, before: Floats, search: Search, parts: list[Terms]) -> str:
    """One sentence with the numbers that made the move."""
    row, orders = book.orders[n], book.world.orders
    machine = book.machines[row.machine]
    now = int(orders.day[n])
    base, alone = parts[now], parts[to]
    reasons = []
    if before[now] > search.hours[now]:
        reasons.append(
            f"{_day(row.day)} has {before[now]:.1f} h planned of {search.hours[now]:.1f} h"
        )
    if alone.late < base.late:
        reasons.append(_sooner(book.date(int(orders.late_after[n])), row.day, book.date(to)))
    if alone.risk < base.risk - 0.05:
        risk = machine.risk
        said = f"risk {risk} in 30 days, " if risk != "not enough data" else ""
        reasons.append(
            f"{machine.name}: {said}{base.risk - alone.risk:.1f} h less downtime expected"
        )
    if alone.clash < base.clash:
        reasons.append("fewer rooms of its group are away on one day")
    if alone.exams < base.exams - 0.05:
        reasons.append("fewer exams are displaced")
    if not reasons:
        reasons.append("it makes room for another move")
    text = "; ".join(reasons)
    return f"Moved from {_day(row.day)} to {_day(book.date(to))}: {text}."


def _sooner(last: date, now: date, to: date) -> str:
    """What is gained against the last day in time."""
    if now <= last:
        return f"{(last - to).days} d instead of {(last - now).days} d are left to its last day"
    if to <= last:
        return f"in time by {_day(last)} instead of {(now - last).days} d late"
    return f"{(now - to).days} d less late"


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def to_json(move: Move) -> dict[str, Any]:
    """For a stored row."""
    return {
        "order": move.order,
        "title": move.title,
        "machine": move.machine,
        "machine_pk": move.machine_pk,
        "day": move.day.isoformat(),
        "to": move.to.isoformat(),
        "why": move.why,
        "seen": list(move.seen),
        "made_on": move.made_on.isoformat() if move.made_on else None,
    }
