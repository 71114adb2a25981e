"""A hospital as a simulation knows it, with the names that belong to the arrays. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from .guard import Limits
from .simulation.inputs import Flags, World

KNOWN, ESTIMATED, ASSUMED, MISSING = "known", "estimated", "assumed", "not enough data"


@dataclass(frozen=True, slots=True)
class MachineRow:
    """One entry of `Machines`; `risk` says its chance of failure in words, with its rung."""

    pk: int
    name: str
    model: int
    model_name: str
    risk: str


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One entry of `Orders`.

    Attributes:
        pk: the order's number; `None` for a due date that has no order yet.
        title, machine: its own, and its machine's place.
        day: on which it stands now.
        limits: between which days it may lie.
        next_due: the plan's next due date.
        movable: whether it is planned or scheduled.
        seen: its state, time and person, so that a change meanwhile is noticed.
        hours_known: whether its length was measured.
        made_on: of a due date without an order: when that is made.
    """

    pk: int | None
    title: str
    machine: int
    day: date
    limits: Limits
    next_due: date | None
    movable: bool
    seen: tuple[str, str | None, int | None]
    hours_known: bool
    made_on: date | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where an input comes from: `kind` is one of the four words above."""

    label: str
    value: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Book:
    """The world and what its places mean.

    Attributes:
        today: the first day.
        blocked: days on which each order can't be planned (blackouts), N x days.
        sources: every input with where it comes from.
    """

    today: date
    world: World
    machines: list[MachineRow]
    orders: list[OrderRow]
    blocked: Flags
    sources: list[Source]

    def date(self, day: int) -> date:
        """The day of a number."""
        return self.today + timedelta(days=int(day))

    def place_of_machine(self, pk: int | None) -> int | None:
        """Where a machine stands in the arrays."""
        return next((n for n, each in enumerate(self.machines) if each.pk == pk), None)

    def place_of_order(self, pk: int | None) -> int | None:
        """Where an order stands in the arrays."""
        if pk is None:
            return None
        return next((n for n, each in enumerate(self.orders) if each.pk == pk), None)
