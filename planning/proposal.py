"""Proposing a day for each order: first come first served, and a local search. Pure.

The search starts from the present schedule and moves one order at a time to the day that lowers the
objective most, over and over, until nothing gains; so it never ends worse than it began. It is
plain arithmetic on expected values; what comes out is then measured by the simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .simulation import exams
from .simulation.failures import LONGEST_WEAR
from .simulation.inputs import WEEK, YEAR, Flags, Floats, Ints, World

# what each is worth in hours of unplanned downtime
OVER = 2.0  # an hour of planned work beyond the day's hours
LATE = 24.0  # an order done after its last day in time, and each further week
NEAR = 1.0  # each day nearer than three to the last one: a repair may push it over
EXAM = 0.25  # an exam displaced
CLASH = 4.0  # another room of the group maintained on the same day
GAIN = 0.25  # what a move must gain at least
PASSES = 8
WEIGHTS = {
    "an hour of planned work beyond the day's hours": OVER,
    "an order after its last day in time, and each further week": LATE,
    "each day nearer than three to the last one in time": NEAR,
    "an exam displaced": EXAM,
    "another room of the group maintained on the same day": CLASH,
    "what a move must gain at least": GAIN,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """The objective's parts, each in hours of unplanned downtime."""

    risk: float
    over: float
    late: float
    exams: float
    clash: float

    @property
    def total(self) -> float:
        """What is to be small."""
        return self.risk + self.over + self.late + self.exams + self.clash


class Search:
    """The objective of schedules of one world, and the search in it.

    Args:
        world: its orders' days are the present schedule.
        allowed: days on which each order may lie, N x days; where it stands it may stay.
    """

    def __init__(self, world: World, allowed: Flags) -> None:
        self.world = world
        self._allowed = allowed
        self._days = np.arange(world.days)
        machines, orders = world.machines, world.orders
        # a failure's hours down: its work within shifts of 8 of 24 hours, and the wait for a part
        work = np.array([pool.mean() for pool in world.pools])[machines.repairs] * 3
        wait = world.assumed.part_share * world.assumed.part_hours
        needed = machines.cover.mean(axis=1)
        rate = machines.shape / machines.years / YEAR
        self._cost = rate * (work + np.where(machines.has_part, 0.0, wait)) * needed
        repairs = float((rate * work / 3).sum())
        hours = world.staff.engineers * float(world.staff.shift[1])
        self._hours = np.maximum(0.0, hours - repairs)
        self._late = self._late_cost()
        self._exams = self._exam_cost()
        self._of: dict[int, Ints] = {
            int(m): np.flatnonzero((orders.machine == m) & orders.restores)
            for m in np.unique(orders.machine)
        }
        self._room = machines.room[orders.machine]
        self._group = machines.group[orders.machine]

    @property
    def hours(self) -> Floats:
        """Hours for planned work on each day: the shifts less the expected repairs."""
        return self._hours

    def _late_cost(self) -> Floats:
        beyond = self._days[None, :] - self.world.orders.late_after[:, None]
        near = NEAR * np.maximum(0, 3 + beyond)
        return np.where(beyond > 0, LATE * (1 + beyond / 7), near)

    def _exam_cost(self) -> Floats:
        """Exams displaced while each order's work goes on, on each day."""
        world, machines = self.world, self.world.machines
        spare = exams.free(machines.exams)
        total = np.zeros((int(machines.group.max(initial=0)) + 1, WEEK))
        np.add.at(total, machines.group, spare)
        lost = np.maximum(0.0, machines.exams - (total[machines.group] - spare))
        begin = world.staff.shift[0]
        by_weekday = np.zeros((len(world.orders.ids), 7))
        for weekday in range(7):
            for step in range(24 - begin):
                part = np.clip(world.orders.hours - step, 0.0, 1.0)
                by_weekday[:, weekday] += (
                    lost[world.orders.machine, weekday * 24 + begin + step] * part
                )
        return EXAM * by_weekday[:, (self._days + world.weekday) % 7]

    def _risk(self, machine: int, days: Ints) -> float:
        """Expected hours down of a machine maintained on these days."""
        return float(self._risk_by_day(machine, days, None))

    def _risk_by_day(self, machine: int, others: Ints, each: Ints | None) -> Floats:
        """The same, with one maintenance more on each of the days given."""
        world, days = self.world, self._days
        age = world.machines.age[machine] + days
        for day in np.sort(others):
            if 0 <= day < world.days:
                age = np.where(days > day, np.minimum(age, days - day), age)
        if each is not None:
            since = days[None, :] - each[:, None]
            age = np.where(since > 0, np.minimum(age[None, :], since), age[None, :])
        share = np.minimum(age / world.machines.interval[machine], LONGEST_WEAR)
        growth = 1 + world.assumed.wear * (share - 0.5)
        return np.asarray(self._cost[machine] * growth.sum(axis=-1))

    def terms(self, days: Ints) -> Terms:
        """The objective of a schedule.

        Args:
            days: of each order, as `Orders.day`.
        """
        orders = self.world.orders
        live = np.flatnonzero(~orders.dropped & (days >= 0) & (days < self.world.days))
        loads = np.bincount(days[live], weights=orders.hours[live], minlength=self.world.days)
        risk = sum(
            self._risk(machine, days[np.intersect1d(of, live)]) for machine, of in self._of.items()
        )
        # pairs of rooms of a group on one day
        keys = {(int(self._group[n]), int(days[n]), int(self._room[n])) for n in live}
        rooms: dict[tuple[int, int], int] = {}
        for group, day, _ in keys:
            rooms[group, day] = rooms.get((group, day), 0) + 1
        return Terms(
            risk=float(risk),
            over=OVER * float(np.maximum(0.0, loads - self._hours).sum()),
            late=float(self._late[live, days[live]].sum()),
            exams=float(self._exams[live, days[live]].sum()),
            clash=CLASH * sum(n * (n - 1) / 2 for n in rooms.values()),
        )

    def improve(self, *, seed: int) -> Ints:
        """The days that the search ends with; where it began it stays if nothing gains.

        Args:
            seed: of the order in which orders are looked at.
        """
        state = State(self.world, self._group, self._room)
        chance = np.random.default_rng(seed)
        mine = np.flatnonzero(state.live & self._allowed.any(axis=1))
        for _ in range(PASSES):
            moved = False
            for n in chance.permutation(mine):
                now = int(state.days[n])
                state.take(n)
                cost = self._parts(int(n), state).sum(axis=0)
                stays = cost[now]
                cost = np.where(self._allowed[n], cost, np.inf)
                best = int(cost.argmin())
                if cost[best] < stays - GAIN:
                    now, moved = best, True
                state.put(n, now)
            if not moved:
                break
        return state.days

    def of_one(self, n: int) -> list[Terms]:
        """The part of one order in the objective on each day, the others as they stand now."""
        state = State(self.world, self._group, self._room)
        state.take(n)
        return [Terms(*map(float, each)) for each in self._parts(n, state).T]

    def _parts(self, n: int, state: State) -> Floats:
        """What an order that was taken out costs on each day: the five terms x days."""
        orders, loads = self.world.orders, state.loads
        over = np.maximum(0.0, loads + orders.hours[n] - self._hours)
        over -= np.maximum(0.0, loads - self._hours)
        busy = state.there[self._group[n]] > 0
        # a room that is maintained on the day anyhow adds no clash
        mine = busy[self._room[n]]
        clash = np.where(mine, 0, busy.sum(axis=0) - mine)
        found = np.zeros((5, self.world.days))
        if orders.restores[n]:
            machine = int(orders.machine[n])
            of = self._of[machine]
            same = of[(of != n) & state.live[of]]
            found[0] = self._risk_by_day(machine, state.days[same], self._days)
        found[1:] = OVER * over, self._late[n], self._exams[n], CLASH * clash
        return found


class State:
    """A schedule with each day's load and each room's work, kept up as orders move."""

    def __init__(self, world: World, group: Ints, room: Ints) -> None:
        self._world, self._group, self._room = world, group, room
        orders = world.orders
        self.days = orders.day.copy()
        self.live: Flags = ~orders.dropped & (self.days >= 0) & (self.days < world.days)
        live = self.live
        self.loads: Floats = np.bincount(
            self.days[live], weights=orders.hours[live], minlength=world.days
        ).astype(float)
        groups = int(world.machines.group.max(initial=0)) + 1
        rooms = int(world.machines.room.max(initial=0)) + 1
        self.there = np.zeros((groups, rooms, world.days), dtype=np.int32)
        np.add.at(self.there, (group[live], room[live], self.days[live]), 1)

    def take(self, n: int) -> None:
        """Out of its day."""
        day = self.days[n]
        self.loads[day] -= self._world.orders.hours[n]
        self.there[self._group[n], self._room[n], day] -= 1

    def put(self, n: int, day: int) -> None:
        """Onto a day."""
        self.days[n] = day
        self.loads[day] += self._world.orders.hours[n]
        self.there[self._group[n], self._room[n], day] += 1


def first_come(world: World, allowed: Flags, hours: Floats) -> Ints:
    """Each order, by its due date, on the first day from then on that has the hours left.

    Args:
        world: the orders; `late_after` tells their sequence, `day` where those stand that can't be
            moved, and from when on the others are taken.
        allowed: days on which there is work and no blackout; the last permitted day is not asked.
        hours: for planned work on each day.
    """
    orders = world.orders
    days = orders.day.copy()
    left = hours.copy()
    fixed: Flags = np.logical_not(allowed.any(axis=1))
    for n in np.flatnonzero(fixed & ~orders.dropped & (days < world.days)):
        left[days[n]] -= orders.hours[n]
    for n in np.lexsort((orders.ids, orders.late_after, orders.day)):
        if fixed[n] or orders.dropped[n] or days[n] >= world.days:
            continue
        later = np.flatnonzero(allowed[n] & (left >= orders.hours[n]))
        later = later[later >= days[n]]
        if len(later):
            days[n] = later[0]
        left[days[n]] -= orders.hours[n]
    return days
