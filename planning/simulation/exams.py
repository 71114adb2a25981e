"""Exams that a machine's downtime displaces, after others of its group did what they can. Pure.

In each hour the machines of a group that are up can do, together, what each has free: its own
busiest usual hour less its usual load of that hour. What the machines that are down would have done
and the others can't is displaced.
"""

from __future__ import annotations

import numpy as np

from .inputs import Floats, Ints, World
from .spans import Spans


def free(exams: Floats) -> Floats:
    """What each machine can do more in each hour of the week, M x 168: up to its busiest hour.

    It is free only in hours in which it works at all.
    """
    top = exams.max(axis=1, keepdims=True)
    return np.where(exams > 0, top - exams, 0.0)


def displaced(world: World, down: Spans) -> Floats:
    """Expected exams displaced, per run.

    Args:
        world: groups and exams.
        down: spans of each machine merged; `row` is its place times the number of runs plus the
            run's.
    """
    runs, machines = world.runs, world.machines
    lost = np.zeros(runs)
    if not len(down.row) or not machines.exams.any():
        return lost
    spare = free(machines.exams)
    place, run = np.divmod(down.row, runs)
    group = machines.group[place]
    usual = world.of_week(np.arange(world.hours))
    for number in np.unique(group).tolist():
        mine = group == number
        members = machines.group == number
        # only hours in which the group works at all
        hours = np.flatnonzero((machines.exams[members] > 0).any(axis=0)[usual])
        if not len(hours):
            continue
        lost += _of_group(
            world,
            down.where(mine),
            (place[mine], run[mine]),
            hours=hours,
            spare=spare,
            total=spare[members].sum(axis=0)[usual[hours]],
        )
    return lost


def _of_group(
    world: World,
    down: Spans,
    whose: tuple[Ints, Ints],
    *,
    hours: Ints,
    spare: Floats,
    total: Floats,
) -> Floats:
    """Displaced per run: of each hour, what is wanted less what those that are up can do."""
    (place, run), runs, horizon = whose, world.runs, world.hours
    of_week = world.of_week(hours)
    before = np.zeros(horizon + 1, dtype=np.int64)
    before[hours + 1] = 1
    before = before.cumsum()
    low, high = (before[each.astype(np.int64)] for each in (down.start, np.ceil(down.end)))
    span, nth = _spread(high - low)
    if not len(span):
        return np.zeros(runs)
    column = low[span] + nth
    hour = hours[column]
    part = np.minimum(down.end[span], hour + 1) - np.maximum(down.start[span], hour)
    cell = run[span] * len(hours) + column
    at = place[span], of_week[column]
    size = runs * len(hours)
    wanted = np.bincount(cell, weights=world.machines.exams[at] * part, minlength=size)
    gone = np.bincount(cell, weights=spare[at] * part, minlength=size)
    hit = np.flatnonzero(wanted)
    can = np.maximum(0.0, total[hit % len(hours)] - gone[hit])
    left = np.maximum(0.0, wanted[hit] - can)
    return np.bincount(hit // len(hours), weights=left, minlength=runs).astype(float)


def _spread(counts: Ints) -> tuple[Ints, Ints]:
    """For counts (2, 0, 3): whose each entry is (0 0 2 2 2) and which of its own (0 1 0 1 2)."""
    owner = np.repeat(np.arange(len(counts)), counts)
    begin = counts.cumsum() - counts
    return owner, np.arange(len(owner)) - begin[owner]
