"""A machine is lost: who takes its exams over, hour by hour. Pure.

What a machine has free in an hour is its own busiest usual hour less its usual load of that hour.
Machines named as its spares are asked first, then those of its group with most free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .simulation.exams import free
from .simulation.inputs import WEEK, Floats

_LEAST = 1e-9  # exams; less is rounding


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour: expected exams of the lost machine, how many of them who takes, what is left."""

    number: int  # hours from the first one
    wanted: float
    taken: list[tuple[int, float]] = field(default_factory=list)  # (place of the machine, exams)

    @property
    def absorbed(self) -> float:
        """By all together."""
        return sum(count for _, count in self.taken)

    @property
    def left(self) -> float:
        """Displaced."""
        return max(0.0, self.wanted - self.absorbed)


def hours(
    exams: Floats,
    lost: int,
    others: Sequence[int],
    spares: Sequence[int],
    *,
    first: int,
    count: int,
) -> list[Hour]:
    """The hours in which the lost machine would have worked.

    Args:
        exams: expected in each hour of the week, machines x 168.
        lost: the machine's place.
        others: places of those of its group that are up.
        spares: those among them that are named as its spares.
        first: hour of the week of the first hour.
        count: of hours.
    """
    spare = free(exams)
    found = []
    for number in range(count):
        hour = (first + number) % WEEK
        wanted = float(exams[lost, hour])
        if wanted <= 0:
            continue
        rest, taken = wanted, []
        for place in sorted(others, key=lambda n: (n not in spares, -spare[n, hour], n)):
            can = min(rest, float(spare[place, hour]))
            if can > _LEAST:
                taken.append((place, can))
                rest -= can
        found.append(Hour(number, wanted, taken))
    return found


def total(found: Sequence[Hour], place: int) -> float:
    """What one machine takes over in all."""
    return float(np.sum([count for hour in found for at, count in hour.taken if at == place]))
