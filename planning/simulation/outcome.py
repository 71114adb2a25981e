"""One simulation from its inputs to its figures, and two of them compared run by run. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import exams
from .failures import Drawn, Failures, draw, failures
from .inputs import Floats, Ints, World
from .spans import Spans, merged, together, without
from .work import Planned, plan, rank, repair

LOW, HIGH = 0.05, 0.95  # of the runs lie between
_Z = 1.6448536  # two-sided 90 % of a normal distribution


@dataclass(frozen=True, slots=True)
class Outcome:
    """One number a run.

    Attributes:
        unplanned: covered hours of all machines down by failures.
        together: hours in which two rooms of a group or more were down at once, all groups.
        on_time: percent of the planned work whose last day lies within the horizon, done in time;
            `None` where there is no such work.
        displaced: exams that nobody could take over.
        overtime: hours beyond the shifts.
        failures: their number.
        waited: mean hours from a failure to its repair's end; 0 in a run without failures.
    """

    unplanned: Floats
    together: Floats
    on_time: Floats | None
    displaced: Floats
    overtime: Floats
    failures: Floats
    waited: Floats


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure over the runs.

    Attributes:
        mean: over the runs.
        low, high: between which nine of ten runs lie. Of a share of runs: the 90 % interval of the
            share itself.
        error: 90 % of simulations with other seeds would give a mean within so much of it.
    """

    mean: float
    low: float
    high: float
    error: float


NAMES = ("unplanned", "rooms_together", "together", "on_time", "displaced", "overtime")


def simulate(world: World, drawn: Drawn | None = None) -> Outcome:
    """All runs at once.

    Args:
        world: the inputs.
        drawn: its random numbers, to compare with another world of the same machines.
    """
    failed = failures(world, draw(world) if drawn is None else drawn)
    repaired = repair(world, failed)
    planned = plan(world, repaired)
    runs, horizon = world.runs, float(world.hours)
    broken = merged(_broken(world, failed, repaired.end), horizon)
    place, run = np.divmod(broken.row, runs)
    needed = _covered(world, place, broken)
    down = merged(broken.and_(_maintained(world, planned)), horizon)
    lent = down
    if world.machines.loans:
        lent = merged(without(down, down.row // runs, world.machines.loans), horizon)
    number = np.bincount(failed.run, minlength=runs).astype(float)
    spent = np.bincount(failed.run, weights=repaired.end - failed.at, minlength=runs)
    return Outcome(
        unplanned=np.bincount(run, weights=needed, minlength=runs).astype(float),
        together=_together(world, lent),
        on_time=_on_time(world, planned),
        displaced=exams.displaced(world, lent),
        overtime=repaired.overtime + planned.overtime,
        failures=number,
        waited=spent / np.maximum(number, 1),
    )


def _broken(world: World, failed: Failures, end: Floats) -> Spans:
    """Down by failures, those that are down at the start included, in every run alike."""
    runs = world.runs
    already = np.flatnonzero(world.machines.down_until > 0)
    until: Floats = np.minimum(world.machines.down_until[already], float(world.hours))
    rows = (already[:, None] * runs + np.arange(runs)).ravel()
    now = Spans(rows, np.zeros(len(rows)), np.repeat(until, runs).astype(float))
    return Spans(failed.machine * runs + failed.run, failed.at, end).and_(now)


def _covered(world: World, place: Ints, spans: Spans) -> Floats:
    """Covered hours of spans of machines."""
    usual = world.of_week(np.arange(world.hours))
    up_to = np.zeros((len(world.machines.ids), world.hours + 1))
    up_to[:, 1:] = world.machines.cover[:, usual].cumsum(axis=1)

    def until(at: Floats) -> Floats:
        whole = np.minimum(at.astype(np.int64), world.hours - 1)
        return up_to[place, whole] + (at - whole) * world.machines.cover[place, usual[whole]]

    return until(spans.end) - until(spans.start)


def _maintained(world: World, planned: Planned) -> Spans:
    """Down for planned work, on the day on which it is finished.

    Each engineer takes one order after the other from the shift's begin on, in the queue's order.
    """
    order, run = np.divmod(np.flatnonzero(planned.day < world.days), world.runs)
    day = planned.day[order, run]
    # by run and day; within them the queue's order stays
    key = np.argsort(run * world.days + day, kind="stable")
    order, run, day = order[key], run[key], day[key]
    source = planned.sequence[order]
    hours = world.orders.hours[source]
    people = np.maximum(1, world.staff.engineers[day])
    nth = rank(run * world.days + day)
    after = np.zeros(len(order))
    for turn in range(1, int((nth // people).max(initial=0)) + 1):
        mine = np.flatnonzero(nth // people == turn)
        before = mine - people[mine]  # what the same engineer did before it
        after[mine] = after[before] + hours[before]
    begin = np.minimum(day * 24.0 + world.staff.shift[0] + after, float(world.hours))
    end = np.minimum(begin + hours, float(world.hours))
    row = world.orders.machine[source] * world.runs + run
    return Spans(row, begin.astype(np.float64), end.astype(np.float64))


def _together(world: World, down: Spans) -> Floats:
    """Hours with two rooms down in a group, per run."""
    runs = world.runs
    place, run = np.divmod(down.row, runs)
    rooms = int(world.machines.room.max(initial=0)) + 1
    group = world.machines.group[place]
    key = (group * rooms + world.machines.room[place]) * runs + run
    by_room = Spans(key, down.start, down.end)
    if np.bincount(world.machines.room, minlength=rooms).max(initial=0) > 1:
        by_room = merged(by_room, float(world.hours))
    group, run = by_room.row // (rooms * runs), by_room.row % runs
    groups = int(world.machines.group.max(initial=0)) + 1
    found = together(
        Spans(group * runs + run, by_room.start, by_room.end), groups * runs, float(world.hours)
    )
    return found.reshape(groups, runs).sum(axis=0)


def _on_time(world: World, planned: Planned) -> Floats | None:
    orders = world.orders
    asked = orders.counts & (orders.late_after < world.days)
    if not asked.any():
        return None
    chosen = asked[planned.sequence]
    last = orders.late_after[planned.sequence][chosen]
    in_time = (planned.day[chosen] <= last[:, None]).sum(axis=0)
    return 100.0 * in_time / int(asked.sum())


def figure(values: Floats) -> Figure:
    """Of one number a run."""
    low, high = np.quantile(values, [LOW, HIGH])
    return Figure(float(values.mean()), float(low), float(high), _error(values))


def share(happened: Floats) -> Figure:
    """Of a yes or no a run, or of the difference of two, in percent."""
    mean, error = 100 * float(happened.mean()), 100 * _error(happened)
    return Figure(mean, max(-100.0, mean - error), min(100.0, mean + error), error)


def _error(values: Floats) -> float:
    if len(values) < 2:
        return 0.0
    return float(_Z * values.std(ddof=1) / len(values) ** 0.5)


def _values(found: Outcome, name: str) -> Floats | None:
    if name == "rooms_together":
        return (found.together > 0).astype(float)
    values: Floats | None = getattr(found, name)
    return values


def figures(found: Outcome) -> dict[str, Figure | None]:
    """All figures of a simulation, by name; `None`: nothing to tell it from."""
    return {name: _figure(name, _values(found, name)) for name in NAMES}


def differences(base: Outcome, changed: Outcome) -> dict[str, Figure | None]:
    """What the change does, from the difference in each run."""
    result: dict[str, Figure | None] = {}
    for name in NAMES:
        before, after = _values(base, name), _values(changed, name)
        paired = None if before is None or after is None else after - before
        result[name] = _figure(name, paired)
    return result


def _figure(name: str, values: Floats | None) -> Figure | None:
    if values is None:
        return None
    return share(values) if name == "rooms_together" else figure(values)
