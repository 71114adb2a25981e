"""Who repairs and maintains when: repairs first, oldest first; then planned work. Pure.

Each engineer works whole hours; in each hour the oldest repairs, as many as there are engineers, go
on by one hour each. So an engineer more never makes any repair later, in any run, and never adds
overtime; the same holds for planned work, which shares what the repairs of the day leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .failures import Failures
from .inputs import Floats, Ints, World

_DONE = 1e-6  # hours; less is rounding


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of the failures.

    Attributes:
        end: hour at which each was mended; the horizon where it wasn't.
        left: hours of the shift that repairs leave, days x runs.
        left_over: hours of overtime that they leave, days x runs.
        overtime: hours beyond the shift, per run.
    """

    end: Floats
    left: Floats
    left_over: Floats
    overtime: Floats


def repair(world: World, failed: Failures) -> Repaired:
    """Every failure's end, hour by hour."""
    staff, runs = world.staff, world.runs
    ready = failed.at + failed.wait
    # sorted by run, then first come first served: places in it are the queue's order
    sequence = np.lexsort((ready, failed.run))
    run, ready, rest = failed.run[sequence], ready[sequence], failed.work[sequence].copy()
    end = np.full(len(run), float(world.hours))
    by_time = np.argsort(ready, kind="stable")
    come = ready[by_time]
    waiting: Ints = np.empty(0, dtype=np.int64)
    left = np.zeros((world.days, runs))
    left_over = np.zeros((world.days, runs))
    overtime = np.zeros(runs)
    seen = 0
    start, length = staff.shift
    for day in range(world.days):
        people = int(staff.engineers[day])
        if not people:
            continue
        left[day] = people * length
        left_over[day] = staff.overtime
        for step in range(length + staff.overtime):
            hour = day * 24 + start + step
            hands = people if step < length else 1
            until = int(np.searchsorted(come, hour, side="right"))
            if until > seen:
                waiting = np.sort(np.concatenate([waiting, by_time[seen:until]]))
                seen = until
            if not len(waiting):
                continue
            served = waiting[rank(run[waiting]) < hands]
            rest[served] -= 1
            worked = np.bincount(run[served], minlength=runs)
            if step < length:
                left[day] -= worked
            else:
                left_over[day] -= worked
                overtime += worked
            mended = served[rest[served] == 0]
            end[mended] = hour + 1
            waiting = waiting[rest[waiting] > 0]
    ends = np.empty(len(run))
    ends[sequence] = np.minimum(end, world.hours)
    return Repaired(ends, left, left_over, overtime)


def rank(runs: Ints) -> Ints:
    """Place of each within its run; runs ascend."""
    places = np.arange(len(runs))
    first = np.concatenate([[True], runs[1:] != runs[:-1]])
    return places - np.maximum.accumulate(np.where(first, places, 0))


@dataclass(frozen=True, slots=True)
class Planned:
    """What became of planned work.

    Attributes:
        sequence: places in `Orders` of those that are done at all, in the queue's order.
        day: on which each of them was finished, N x runs; the horizon where it wasn't.
        overtime: hours beyond the shift, per run.
    """

    sequence: Ints
    day: Ints
    overtime: Floats


def plan(world: World, repaired: Repaired) -> Planned:
    """Planned work in what repairs leave of each day.

    First by its day, then by the last day on which it is in time. What a day can't hold goes on the
    next; on its last day, and after it, an order may take overtime.
    """
    orders = world.orders
    real = np.flatnonzero(~orders.dropped & (orders.day < world.days))
    key = np.lexsort((orders.ids[real], orders.late_after[real], orders.day[real]))
    sequence = real[key]
    begin, last = np.maximum(orders.day[sequence], 0), orders.late_after[sequence]
    rest = np.repeat(orders.hours[sequence][:, None], world.runs, axis=1)
    done = np.full(rest.shape, world.days, dtype=np.int64)
    overtime = np.zeros(world.runs)
    live: Ints = np.empty(0, dtype=np.int64)
    for day in range(world.days):
        live = np.concatenate([live, np.flatnonzero(begin == day)])
        if not len(live) or not world.staff.engineers[day]:
            continue
        before = rest[live]
        after = _serve(before, repaired.left[day])
        pressed = last[live] <= day
        if pressed.any() and world.staff.overtime:
            late = _serve(after[pressed], repaired.left_over[day])
            overtime += (after[pressed] - late).sum(axis=0)
            after[pressed] = late
        rest[live] = after
        done[live] = np.where((before > _DONE) & (after <= _DONE), day, done[live])
        live = live[(after > _DONE).any(axis=1)]
    return Planned(sequence, done, overtime)


def _serve(rest: Floats, hours: Floats) -> Floats:
    """What remains of each after the first ones took the hours."""
    return np.clip(rest.cumsum(axis=0) - hours, 0.0, rest)
