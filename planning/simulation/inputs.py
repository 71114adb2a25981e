"""What a simulation is given: arrays of machines, orders and staff. Pure.

Time is in hours of the hospital's clock from midnight of the first day on; a day has 24 hours (the
two days on which the clock changes are taken as others). A year has 365.25 days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

WEEK = 168  # hours
YEAR = 365.25  # days
NEVER = 1_000_000  # a day beyond every horizon


@dataclass(frozen=True, slots=True)
class Machines:
    """One entry a machine.

    Attributes:
        ids: each machine's own number; names its stream of random numbers.
        shape: of the gamma distribution of its failures a year; 0: no rate is known, and none of
            its failures is simulated.
        years: the distribution's rate parameter (years).
        age: days since its last maintenance at the start.
        interval: days from one maintenance to the next.
        group: machines that can do each other's work have the same number.
        room: machines in one room have the same number.
        cover: share of each hour of the week in which it is needed, Monday 0 h first, M x 168.
        exams: expected in each hour of the week, M x 168; 0 where not known.
        repairs: which of the pools its repairs are drawn from.
        has_part: whether the part it needs lies ready, so that no repair waits for one.
        down_until: hour until which it is down at the start; 0: it is up.
        loans: (machine's place, first hour, last hour) in which another does its work.
    """

    ids: Ints
    shape: Floats
    years: Floats
    age: Floats
    interval: Floats
    group: Ints
    room: Ints
    cover: Floats
    exams: Floats
    repairs: Ints
    has_part: Flags
    down_until: Floats
    loans: tuple[tuple[int, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Orders:
    """Planned work, one entry an order, in any order.

    Attributes:
        ids: the order's number; what has none yet has one below 0. Breaks ties of a day.
        machine: place in `Machines`.
        day: on which it is to be done; 0 is the first day.
        late_after: last day on which it is in time; `NEVER` where it has none.
        hours: of work of one engineer, in which the machine is down.
        counts: whether it counts for work in time.
        restores: whether the machine is maintained by it (wear begins anew).
        dropped: not done at all; in time it is counted as missed.
    """

    ids: Ints
    machine: Ints
    day: Ints
    late_after: Ints
    hours: Floats
    counts: Flags
    restores: Flags
    dropped: Flags


@dataclass(frozen=True, slots=True)
class Staff:
    """Who works when.

    Attributes:
        engineers: at work on each day.
        shift: first hour of the day's work, and its hours.
        overtime: hours after the shift in which one engineer of the house may go on.
    """

    engineers: Ints
    shift: tuple[int, int] = (8, 8)
    overtime: int = 2


@dataclass(frozen=True, slots=True)
class Assumed:
    """What nobody measured; each stands on the page with its value.

    Attributes:
        wear: how much the rate of failures grows from one maintenance to the next, as share of its
            mean: half of it less right after, half more when the interval is over.
        part_share: of repairs that wait for a part.
        part_hours: mean time that they wait (exponential).
    """

    wear: float = 0.5
    part_share: float = 0.3
    part_hours: float = 48.0


@dataclass(frozen=True, slots=True)
class World:
    """All that one simulation needs.

    Attributes:
        pools: past repairs, hours of work each, ascending; `Machines.repairs` chooses one.
        weekday: of the first day, Monday 0.
        days: how far ahead.
        runs: how often.
        seed: the same seed gives the same numbers.
    """

    machines: Machines
    orders: Orders
    staff: Staff
    pools: tuple[Floats, ...]
    weekday: int
    days: int = 90
    runs: int = 1_000
    seed: int = 1
    assumed: Assumed = Assumed()

    @property
    def hours(self) -> int:
        """The horizon."""
        return self.days * 24

    def of_week(self, hours: Ints) -> Ints:
        """Hours of the week of hours of the horizon."""
        return (hours + self.weekday * 24) % WEEK
