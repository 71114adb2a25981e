"""Exams that a machine's downtime displaces, after others of its group did what they can. Pure.

In each hour the machines of a group that are up can do, together, what each has free: its own
busiest usual hour less its usual load of that hour. What the machines that are down would have done
and the others can't is displaced.
"""

from __future__ import annotations

import numpy as np

from .inputs import WEEK, Floats, Ints, World
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
    groups = int(machines.group.max()) + 1
    loaded = np.zeros((groups, WEEK), dtype=bool)
    np.logical_or.at(loaded, machines.group, machines.exams > 0)
    usual = world.of_week(np.arange(world.hours))
    # hours in which the group works, numbered; `before` says how many come before an hour
    before = np.zeros((groups, world.hours + 1), dtype=np.int64)
    before[:, 1:] = loaded[:, usual].cumsum(axis=1)
    hours_of = [np.flatnonzero(loaded[each][usual]) for each in range(groups)]
    offset = np.concatenate([[0], np.cumsum([len(each) for each in hours_of])])
    every_hour = np.concatenate(hours_of)
    total = np.zeros((groups, WEEK))
    np.add.at(total, machines.group, spare)

    place, run = np.divmod(down.row, runs)
    group = machines.group[place]
    low = before[group, down.start.astype(np.int64)]
    high = before[group, np.minimum(np.ceil(down.end), world.hours).astype(np.int64)]
    span, nth = _spread(high - low)
    number = low[span] + nth + offset[group[span]]
    hour = every_hour[number]
    part = np.minimum(down.end[span], hour + 1) - np.maximum(down.start[span], hour)
    of_week = usual[hour]
    wanted = machines.exams[place[span], of_week] * part
    gone = spare[place[span], of_week] * part
    # one entry per run, group and hour
    key = run[span] * int(offset[-1]) + number
    order = np.argsort(key, kind="stable")
    key = key[order]
    if not len(key):
        return lost
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    wanted_sum = np.add.reduceat(wanted[order], first)
    gone_sum = np.add.reduceat(gone[order], first)
    cell = order[first]
    can = total[group[span][cell], of_week[cell]] - gone_sum
    left = np.maximum(0.0, wanted_sum - np.maximum(0.0, can))
    return np.bincount(run[span][cell], weights=left, minlength=runs).astype(float)


def _spread(counts: Ints) -> tuple[Ints, Ints]:
    """For counts (2, 0, 3): whose each entry is (0 0 2 2 2) and which of its own (0 1 0 1 2)."""
    owner = np.repeat(np.arange(len(counts)), counts)
    begin = counts.cumsum() - counts
    return owner, np.arange(len(owner)) - begin[owner]
