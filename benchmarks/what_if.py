"""What-if of a large hospital: 300 machines, 90 days, 1,000 runs, and a suggestion for its orders.

    python -m benchmarks.what_if [--machines 300] [--runs 1000] [--orders 600] [--rounds 3]

The world is made up from a seed. The plain loop takes the same random numbers run by run, with
engineers who work hour by hour; it is run for a few runs and its time counted up.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from planning.proposal import Search, first_come
from planning.simulation.failures import draw, failures
from planning.simulation.inputs import WEEK, Assumed, Machines, Orders, Staff, World
from planning.simulation.outcome import NAMES, differences, figures, simulate

DAYS: Final = 90
ENGINEERS: Final = 6
SLOW_RUNS: Final = 5
GRACE: Final = 7


def world(machines: int, runs: int, orders: int) -> World:
    """A hospital with 40 groups, open from 7 to 18 on weekdays, two failures a machine and year."""
    chance = np.random.default_rng(3)
    load = np.zeros((machines, WEEK))
    for day in range(5):
        load[:, day * 24 + 7 : day * 24 + 18] = chance.uniform(1, 6, (machines, 11))
    day = chance.integers(0, DAYS, orders)
    return World(
        machines=Machines(
            ids=np.arange(machines) + 1,
            shape=np.full(machines, 2.0),
            years=np.full(machines, 1.0),
            age=chance.uniform(0, 180, machines),
            interval=np.full(machines, 180.0),
            group=np.arange(machines) % 40,
            room=np.arange(machines),
            cover=(load > 0).astype(float),
            exams=load,
            repairs=np.zeros(machines, dtype=np.int64),
            has_part=np.zeros(machines, dtype=bool),
            down_until=np.zeros(machines),
        ),
        orders=Orders(
            ids=np.arange(orders) + 1,
            machine=np.arange(orders) % machines,
            day=day,
            late_after=day + GRACE,
            hours=chance.uniform(1, 4, orders),
            counts=np.ones(orders, dtype=bool),
            restores=np.ones(orders, dtype=bool),
            dropped=np.zeros(orders, dtype=bool),
        ),
        staff=Staff(np.where(np.arange(DAYS) % 7 < 5, ENGINEERS, 0)),
        pools=(np.sort(chance.lognormal(1, 0.8, 200)),),
        weekday=0,
        days=DAYS,
        runs=runs,
        seed=1,
        assumed=Assumed(),
    )


def plain(here: World) -> float:  # noqa: C901, PLR0912 - one plain walk
    """Unplanned downtime by a loop over runs and hours, as one would write it first; its mean."""
    failed = failures(here, draw(here))
    staff = here.staff
    total = 0.0
    for run in range(here.runs):
        jobs = [
            [failed.at[k] + failed.wait[k], int(failed.work[k]), failed.at[k], failed.machine[k]]
            for k in np.flatnonzero(failed.run == run)
        ]
        jobs.sort(key=lambda job: job[0])
        spans: dict[int, list[tuple[float, float]]] = {}
        for job in jobs:
            job.append(float(here.hours))
        for day in range(here.days):
            people = int(staff.engineers[day])
            if not people:
                continue
            for step in range(staff.shift[1] + staff.overtime):
                hour = day * 24 + staff.shift[0] + step
                hands = people if step < staff.shift[1] else 1
                for job in jobs:
                    if job[0] > hour or not hands:
                        break
                    if job[1] > 0:
                        job[1] -= 1
                        hands -= 1
                        if not job[1]:
                            job[4] = hour + 1.0
        for _, _, at, machine, end in jobs:
            spans.setdefault(int(machine), []).append((float(at), min(end, float(here.hours))))
        for machine, listed in spans.items():
            reach = 0.0
            for start, end in sorted(listed):
                at = max(start, reach)
                while at < end:
                    hour = int(at)
                    until = min(end, hour + 1.0)
                    total += (until - at) * here.machines.cover[machine, hour % WEEK]
                    at = until
                reach = max(reach, end)
    return total / here.runs


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds by the clock, of the processor, and what came out."""
    begin, own = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - begin, time.process_time() - own, found


def scenario(here: World) -> Any:
    """Present and scenario (20 orders a week later), as the page runs them."""
    day = here.orders.day.copy()
    day[:20] = np.minimum(day[:20] + GRACE, DAYS - 1)
    drawn = draw(here)
    changed = replace(here, orders=replace(here.orders, day=day))
    before, after = simulate(here, drawn), simulate(changed, drawn)
    return figures(before), figures(after), differences(before, after)


def suggestion(here: World) -> dict[str, Any]:
    """Present, first come and search, each with its objective and simulated."""
    open_ = here.staff.engineers > 0
    can = np.zeros((len(here.orders.ids), DAYS), dtype=bool)
    for n, day in enumerate(here.orders.day):
        can[n, max(1, day - GRACE) : day + GRACE + 1] = True
    search = Search(here, can & open_)
    anywhere = np.tile(open_, (len(can), 1))
    days = {
        "present": here.orders.day,
        "first come": first_come(here, anywhere, search.hours),
        "suggestion": search.improve(seed=here.seed),
    }
    drawn = draw(here)
    found: dict[str, Any] = {}
    for name, each in days.items():
        told = figures(simulate(replace(here, orders=replace(here.orders, day=each)), drawn))
        found[name] = {"objective": round(search.terms(each).total, 1)} | {
            key: round(value.mean, 2) for key, value in told.items() if value is not None
        }
    for n in np.flatnonzero(days["suggestion"] != here.orders.day):
        search.of_one(int(n))  # what the explanations ask
    found["moves"] = int((days["suggestion"] != here.orders.day).sum())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("machines", 300), ("runs", 1_000), ("orders", 600), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    here = world(options.machines, options.runs, options.orders)
    one = [timed(lambda: simulate(here)) for _ in range(options.rounds)]
    both = [timed(lambda: scenario(here)) for _ in range(options.rounds)]
    few = replace(here, runs=SLOW_RUNS)
    slow, _, mean = timed(lambda: plain(few))
    same = float(simulate(few).unplanned.mean())
    proposal, proposal_own, told = timed(lambda: suggestion(here))
    result = {
        "machines": options.machines,
        "runs": options.runs,
        "orders": options.orders,
        "rounds": options.rounds,
        "simulate": [(round(clock, 2), round(own, 2)) for clock, own, _ in one],
        "scenario": [(round(clock, 2), round(own, 2)) for clock, own, _ in both],
        "plain_seconds_a_run": slow / SLOW_RUNS,
        "plain_same": bool(abs(mean - same) < 1e-6 * max(1.0, same)),
        "suggestion": (round(proposal, 2), round(proposal_own, 2)),
        "schedules": told,
        "figures": list(NAMES),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
