"""When machines fail and what their repair takes, from streams of their own. Pure.

Common random numbers: each machine draws from a counter-based stream named by the seed and its own
number (Philox; Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011), for each
purpose another one. What is changed for one machine leaves every other machine's failures as they
were, and the k-th failure of a machine keeps its repair when it moves in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .inputs import YEAR, Flags, Floats, Ints, World

_RATE, _TIMES, _REPAIRS = range(3)  # streams
LONGEST_WEAR = 2.0  # intervals; a machine never maintained again doesn't wear without end


@dataclass(frozen=True, slots=True)
class Drawn:
    """The random numbers of a world, whatever is changed in it.

    Attributes:
        rates: failures a day, M x runs.
        arrivals: per machine with a rate, times of a Poisson process of rate 1, K x runs.
        repairs: per machine, three uniform numbers for each of those, K x 3 x runs: for its work,
            whether it waits for a part, and how long.
    """

    rates: Floats
    arrivals: tuple[Floats, ...]
    repairs: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class Failures:
    """All failures of all runs, flat.

    Attributes:
        machine, run: which.
        at: hour.
        work: whole hours of an engineer, at least one.
        wait: hours until the part is there.
    """

    machine: Ints
    run: Ints
    at: Floats
    work: Ints
    wait: Floats


def _stream(seed: int, machine: int, purpose: int) -> np.random.Generator:
    key = np.array([seed & (2**64 - 1), machine], dtype=np.uint64)
    counter = np.array([0, 0, 0, purpose], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def draw(world: World) -> Drawn:
    """The numbers; the same for every change of orders, staff, parts and loans."""
    machines, runs = world.machines, world.runs
    most = 1 + world.assumed.wear * (LONGEST_WEAR - 0.5)
    rates = np.zeros((len(machines.ids), runs))
    arrivals: list[Floats] = []
    repairs: list[Floats] = []
    for place, number in enumerate(machines.ids.tolist()):
        if not machines.shape[place]:
            arrivals.append(np.empty((0, runs)))
            repairs.append(np.empty((0, 3, runs)))
            continue
        drawn = _stream(world.seed, number, _RATE).standard_gamma(machines.shape[place], runs)
        rates[place] = drawn / machines.years[place] / YEAR
        times = _arrivals(_stream(world.seed, number, _TIMES), rates[place] * world.days * most)
        arrivals.append(times)
        repairs.append(_stream(world.seed, number, _REPAIRS).random((len(times), 3, runs)))
    return Drawn(rates, tuple(arrivals), tuple(repairs))


def _arrivals(stream: np.random.Generator, until: Floats) -> Floats:
    """Times of a process of rate 1, in each run to beyond what it may need."""
    mean = float(until.max())
    times = np.empty((0, len(until)))
    last = np.zeros(len(until))
    while not len(times) or (last < until).any():
        # rows come one after the other: more of them change none of those before
        rows = max(2, int(mean + 2 * mean**0.5)) if not len(times) else max(1, len(times) // 4)
        more = last + stream.standard_exponential((rows, len(until))).cumsum(axis=0)
        times = np.concatenate([times, more])
        last = times[-1]
    return times


def wear(world: World) -> Floats:
    """Rate of each machine on each day as share of its mean, M x days.

    It grows evenly with the time since the last maintenance, from `1 - wear/2` right after to
    `1 + wear/2` when the interval is over, and on to `1 + 1.5 wear` at two intervals. An order
    restores from the day after on; whether a busy house does it some days late isn't followed.
    """
    machines, orders = world.machines, world.orders
    done: Flags = np.zeros((len(machines.ids), world.days), dtype=bool)
    real = orders.restores & ~orders.dropped & (orders.day >= 0) & (orders.day < world.days)
    done[orders.machine[real], orders.day[real]] = True
    age = machines.age.astype(float)
    share = np.empty((len(machines.ids), world.days))
    for day in range(world.days):
        share[:, day] = np.minimum(age / machines.interval, LONGEST_WEAR)
        age = np.where(done[:, day], 0.0, age) + 1
    return 1 + world.assumed.wear * (share - 0.5)


def failures(world: World, drawn: Drawn) -> Failures:
    """Failures within the horizon.

    Of each machine a Poisson process whose rate is drawn once a run and follows its wear. A machine
    that is down can fail again: at a few failures a year that is rare, and not followed.
    """
    hazard = wear(world).cumsum(axis=1)
    days = np.arange(world.days + 1, dtype=float)
    machines: list[Ints] = []
    runs: list[Ints] = []
    ats: list[Floats] = []
    works: list[Ints] = []
    waits: list[Floats] = []
    for place, times in enumerate(drawn.arrivals):
        if not len(times):
            continue
        # operational time: the k-th arrival falls when the rate's integral reaches it
        with np.errstate(divide="ignore", invalid="ignore"):
            reached = times / drawn.rates[place]
        row, run = np.divmod(np.flatnonzero(reached < hazard[place, -1]), world.runs)
        if not len(row):
            continue
        up_to = np.concatenate([[0.0], hazard[place]])
        ats.append(np.interp(reached[row, run], up_to, days) * 24)
        pool = world.pools[world.machines.repairs[place]]
        work, part, delay = (drawn.repairs[place][row, n, run] for n in range(3))
        chosen = (work * len(pool)).astype(np.int64)
        works.append(np.maximum(1, np.rint(pool[chosen])).astype(np.int64))
        waiting = part < world.assumed.part_share
        wait = np.where(waiting, -np.log1p(-delay) * world.assumed.part_hours, 0.0)
        waits.append(np.zeros(len(row)) if world.machines.has_part[place] else wait)
        machines.append(np.full(len(row), place))
        runs.append(run)
    if not ats:
        none: Ints = np.empty(0, dtype=np.int64)
        return Failures(none, none, np.empty(0), none, np.empty(0))
    return Failures(
        np.concatenate(machines),
        np.concatenate(runs),
        np.concatenate(ats),
        np.concatenate(works),
        np.concatenate(waits),
    )
