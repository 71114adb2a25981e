"""The simulation against cases with a known answer, a plain loop, and what must always hold."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.simulation import exams
from planning.simulation.failures import draw, failures, wear
from planning.simulation.inputs import NEVER, WEEK, Assumed, Staff, World
from planning.simulation.outcome import differences, figure, figures, share, simulate
from planning.simulation.spans import Spans, merged, together, without
from planning.simulation.work import plan, repair
from tests.planning.worlds import machines, orders, world


def test_one_machine_is_a_poisson_process() -> None:
    here = world(runs=4000)
    found = failures(here, draw(here))
    counts = np.bincount(found.run, minlength=here.runs)
    mean = 2 * 90 / 365.25
    # five standard errors of a mean and of a Poisson variance
    assert counts.mean() == pytest.approx(mean, abs=5 * math.sqrt(mean / here.runs))
    assert counts.var() == pytest.approx(mean, rel=0.15)
    assert (counts == 0).mean() == pytest.approx(math.exp(-mean), abs=0.04)
    # evenly over the horizon
    assert found.at.mean() == pytest.approx(here.hours / 2, rel=0.05)
    # every hour is covered and worked: each failure is down for its four hours of whole ones
    out = simulate(here)
    assert out.unplanned.mean() == pytest.approx(mean * 4.5, rel=0.1)


def test_an_uncertain_rate_spreads_the_counts() -> None:
    """Gamma-Poisson: the variance is the mean plus the rate's own."""
    here = world(machines=machines(shape=np.array([2.0]), years=np.array([0.5])), runs=6000)
    counts = np.bincount(failures(here, draw(here)).run, minlength=here.runs)
    years = 90 / 365.25
    assert counts.mean() == pytest.approx(4 * years, rel=0.06)
    assert counts.var() == pytest.approx(4 * years + 2 / 0.25 * years**2, rel=0.12)


def test_without_a_rate_nothing_fails() -> None:
    here = world(machines=machines(3, shape=np.zeros(3)))
    out = simulate(here)
    assert out.failures.sum() == out.unplanned.sum() == out.together.sum() == 0
    assert figures(out)["on_time"] is None


def test_with_endless_staff_nobody_waits_and_with_none_nothing_is_mended() -> None:
    here = world(machines=machines(30), staff=Staff(np.full(90, 10_000), (0, 24), 0))
    failed = failures(here, draw(here))
    ended = repair(here, failed).end
    full = np.ceil(failed.at) + failed.work
    assert np.array_equal(ended, np.minimum(full, here.hours))
    nobody = replace(here, staff=Staff(np.zeros(90, dtype=int), (8, 8), 2))
    mended = repair(nobody, failed)
    assert (mended.end == here.hours).all()
    assert mended.overtime.sum() == 0


def test_wear_is_a_straight_line_and_begins_anew() -> None:
    here = world(
        assumed=Assumed(wear=0.4, part_share=0, part_hours=0),
        machines=machines(age=np.array([0.0])),
        orders=orders(machine=[0], day=[9], late_after=[20], hours=[1]),
    )
    rate = wear(here)[0]
    assert rate[0] == pytest.approx(0.8)
    assert rate[9] == pytest.approx(0.8 + 0.4 * 9 / 180)
    assert rate[10] == pytest.approx(0.8 + 0.4 * 1 / 180)
    old = wear(replace(here, machines=machines(age=np.array([5000.0]))))[0]
    assert old[0] == pytest.approx(1 + 0.4 * 1.5)  # it ends at two intervals


def test_a_scenario_without_a_change_differs_by_nothing() -> None:
    here = world(
        machines=machines(12), orders=orders(machine=[0], day=[3], late_after=[9], hours=[2])
    )
    drawn = draw(here)
    same = differences(simulate(here, drawn), simulate(replace(here), drawn))
    for found in same.values():
        assert found is not None
        assert (found.mean, found.low, found.high, found.error) == (0, 0, 0, 0)
    assert simulate(here).unplanned.tolist() == simulate(here).unplanned.tolist()
    assert simulate(replace(here, seed=8)).unplanned.tolist() != simulate(here).unplanned.tolist()


def test_moving_one_machines_order_leaves_the_others_failures() -> None:
    few = {"machine": [0, 1], "late_after": [80, 80], "hours": [2, 2]}
    here = world(
        machines=machines(5),
        assumed=Assumed(wear=1.0, part_share=0.5, part_hours=20),
        orders=orders(day=[5, 6], **few),
    )
    moved = replace(here, orders=orders(day=[70, 6], **few))
    before, after = (failures(each, draw(each)) for each in (here, moved))
    for machine in range(1, 5):
        one, other = before.machine == machine, after.machine == machine
        assert np.array_equal(before.at[one], after.at[other])
        assert np.array_equal(before.wait[one], after.wait[other])
    assert not np.array_equal(before.at[before.machine == 0], after.at[after.machine == 0])
    # another machine in the house changes nobody's numbers either
    grown = failures(more := replace(here, machines=machines(6)), draw(more))
    for machine in range(5):
        assert np.array_equal(
            grown.at[grown.machine == machine], before.at[before.machine == machine]
        )


def slow(here: World) -> dict[str, list[float]]:  # noqa: PLR0912 - one plain walk
    """The same in plain loops, hour by hour, run by run."""
    failed = failures(here, draw(here))
    runs: dict[str, list[float]] = {
        name: [] for name in ("unplanned", "together", "on_time", "displaced", "overtime")
    }
    spare = exams.free(here.machines.exams)
    for run in range(here.runs):
        jobs = [
            {"at": failed.at[k], "ready": failed.at[k] + failed.wait[k], "rest": int(failed.work[k]),
             "machine": int(failed.machine[k]), "end": float(here.hours)}
            for k in np.flatnonzero(failed.run == run)
        ]  # fmt: skip
        jobs.sort(key=lambda job: job["ready"])
        work = sorted(
            (
                {"day": int(max(0, here.orders.day[k])), "late": int(here.orders.late_after[k]), "id": int(here.orders.ids[k]),
                 "rest": float(here.orders.hours[k]), "k": int(k), "done": here.days, "own": int(here.orders.day[k])}
                for k in range(len(here.orders.ids)) if not here.orders.dropped[k]
            ),
            key=lambda w: (w["own"], w["late"], w["id"]),
        )  # fmt: skip
        overtime = 0.0
        for day in range(here.days):
            people = int(here.staff.engineers[day])
            if not people:
                continue
            left, over = people * here.staff.shift[1], float(here.staff.overtime)
            for step in range(here.staff.shift[1] + here.staff.overtime):
                hour = day * 24 + here.staff.shift[0] + step
                regular = step < here.staff.shift[1]
                hands = people if regular else 1
                for job in [j for j in jobs if j["ready"] <= hour and j["rest"] > 0][:hands]:
                    job["rest"] -= 1
                    if regular:
                        left -= 1
                    else:
                        over -= 1
                        overtime += 1
                    if not job["rest"]:
                        job["end"] = min(float(hour + 1), float(here.hours))
            for pressed in (False, True):
                for w in work:
                    if w["day"] > day or w["rest"] <= 1e-6 or (pressed and w["late"] > day):
                        continue
                    took = min(w["rest"], over if pressed else left)
                    w["rest"] -= took
                    if pressed:
                        over -= took
                        overtime += took
                    else:
                        left -= took
                    if w["rest"] <= 1e-6:
                        w["done"] = day
        fine = 60  # steps an hour
        count = len(here.machines.ids)
        broken = np.zeros((count, here.hours * fine), dtype=bool)
        for job in jobs:
            broken[job["machine"], round(job["at"] * fine) : round(job["end"] * fine)] = True
        down = broken.copy()
        free_at: dict[int, list[float]] = {}
        for w in work:
            if w["done"] < here.days:
                lanes = free_at.setdefault(w["done"], [0.0] * int(here.staff.engineers[w["done"]]))
                # the next engineer in turn, who begins with the next one after this
                turn = sum(1 for v in work[: work.index(w)] if v["done"] == w["done"]) % len(lanes)
                begin = w["done"] * 24 + here.staff.shift[0] + lanes[turn]
                lanes[turn] += float(here.orders.hours[w["k"]])
                machine = int(here.orders.machine[w["k"]])
                down[
                    machine, round(begin * fine) : round((begin + here.orders.hours[w["k"]]) * fine)
                ] = True
        usual = np.repeat(here.of_week(np.arange(here.hours)), fine)
        runs["unplanned"].append(float((broken * here.machines.cover[:, usual]).sum()) / fine)
        rooms = {
            (int(g), int(r)): down[(here.machines.group == g) & (here.machines.room == r)].any(
                axis=0
            )
            for g, r in zip(here.machines.group, here.machines.room, strict=True)
        }
        both = sum(
            (sum(each.astype(int) for (group, _), each in rooms.items() if group == g) >= 2).sum()
            for g in set(here.machines.group.tolist())
        )
        runs["together"].append(float(both) / fine)
        lost = 0.0
        for hour in range(here.hours):
            part = down[:, hour * fine : (hour + 1) * fine].mean(axis=1)
            at = here.of_week(np.array([hour]))[0]
            for g in set(here.machines.group.tolist()):
                mine = here.machines.group == g
                wanted = (part * here.machines.exams[:, at])[mine].sum()
                can = ((1 - part) * spare[:, at])[mine].sum()
                lost += max(0.0, wanted - can)
        runs["displaced"].append(lost)
        asked = [w for w in work if here.orders.counts[w["k"]] and w["late"] < here.days]
        runs["on_time"].append(
            100 * sum(w["done"] <= w["late"] for w in asked) / int((here.orders.counts & (here.orders.late_after < here.days)).sum())
        )  # fmt: skip
        runs["overtime"].append(overtime)
    return runs


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_is_what_plain_loops_come_to(seed: int) -> None:
    chance = np.random.default_rng(seed)
    count = 6
    load = np.zeros((count, WEEK))
    for day in range(5):
        load[:, day * 24 + 7 : day * 24 + 18] = chance.uniform(0, 5, (count, 11))
    here = world(
        days=21,
        runs=6,
        seed=seed,
        weekday=3,
        machines=machines(
            count,
            shape=np.full(count, 3.0),
            years=np.full(count, 3.0 / 25),
            group=np.array([0, 0, 0, 1, 1, 1]),
            room=np.array([0, 1, 1, 2, 3, 4]),
            cover=(load > 1).astype(float),
            exams=load,
            has_part=np.array([True, False, False, False, False, True]),
        ),
        orders=orders(
            machine=[0, 1, 2, 3, 4, 5, 0],
            day=[0, 1, 1, 2, 5, 12, 30],
            late_after=[4, 1, 1, 2, 9, 12, 40],
            hours=[2, 6, 7.5, 3, 4, 5, 1],
            dropped=[False, False, False, True, False, False, False],
        ),
        staff=Staff(np.array([2 if (d + 3) % 7 < 5 else 0 for d in range(21)]), (8, 8), 2),
        pools=(np.array([1.0, 3.0, 5.0, 14.0]),),
        assumed=Assumed(wear=0.5, part_share=0.4, part_hours=30),
    )
    fast, plain = simulate(here), slow(here)
    assert fast.failures.mean() > 3
    assert np.allclose(fast.overtime, plain["overtime"])
    assert fast.on_time is not None
    assert np.allclose(fast.on_time, plain["on_time"])
    # the loops look at minutes: half of one at either end of a span
    edges = 2 * fast.failures.max() / 60
    assert np.abs(fast.unplanned - plain["unplanned"]).max() < edges
    assert np.abs(fast.together - plain["together"]).max() < edges
    assert np.abs(fast.displaced - plain["displaced"]).max() < 5 * edges
    assert fast.displaced.sum() > 0
    assert fast.together.sum() > 0


few_days = 14


@st.composite
def small(draw_: Any) -> World:
    count = draw_(st.integers(1, 4))
    size = draw_(st.integers(1, 6))
    pick = lambda low, high: draw_(st.lists(st.integers(low, high), min_size=size, max_size=size))  # noqa: E731
    people = draw_(st.lists(st.integers(0, 2), min_size=few_days, max_size=few_days))
    day = pick(0, few_days + 2)
    return world(
        days=few_days,
        runs=8,
        seed=draw_(st.integers(0, 2**31 - 1)),
        machines=machines(count, shape=np.full(count, 2.0), years=np.full(count, 0.05)),
        orders=orders(
            machine=[each % count for each in pick(0, 9)], day=day,
            late_after=[d + g for d, g in zip(day, pick(0, 4), strict=True)], hours=pick(1, 12),
        ),
        staff=Staff(np.array(people), (8, 8), draw_(st.integers(0, 3))),
        pools=(np.array([1.0, 6.0, 20.0]),),
        assumed=Assumed(wear=draw_(st.sampled_from([0.0, 0.5, 1.0])), part_share=0.3, part_hours=20),
    )  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(small())
def test_what_must_always_hold(here: World) -> None:
    drawn = draw(here)
    base = simulate(here, drawn)
    everything = replace(here.orders, dropped=np.ones(len(here.orders.ids), dtype=bool))
    none = simulate(replace(here, orders=everything), drawn)
    if base.on_time is not None and none.on_time is not None:
        assert (none.on_time <= base.on_time).all()
        assert (none.on_time == 0).all()
    failed = failures(here, drawn)
    # one more on days on which somebody is at work: overtime belongs to those
    more = np.where(here.staff.engineers > 0, here.staff.engineers + 1, 0)
    busier = replace(here, staff=Staff(more, here.staff.shift, here.staff.overtime))
    one, other = repair(here, failed), repair(busier, failed)
    assert (other.end <= one.end).all()
    assert (other.overtime <= one.overtime).all()
    planned, sooner = plan(here, one), plan(busier, other)
    assert (sooner.day <= planned.day).all()
    assert (other.overtime + sooner.overtime <= one.overtime + planned.overtime + 1e-6).all()
    assert (simulate(busier, drawn).unplanned <= base.unplanned + 1e-6).all()


def test_repairs_come_before_planned_work_which_then_takes_overtime() -> None:
    here = world(
        days=5,
        runs=1,
        machines=machines(1, shape=np.zeros(1)),
        orders=orders(machine=[0, 0], day=[0, 0], late_after=[0, 3], hours=[6, 6]),
        staff=Staff(np.array([1, 1, 0, 1, 1]), (8, 8), 2),
    )
    none = failures(here, draw(here))
    done = plan(here, repair(here, none))
    # 6 + 2 of the second today, the rest tomorrow; nobody is pressed
    assert done.day.ravel().tolist() == [0, 1]
    assert done.overtime.tolist() == [0]
    pressed = replace(
        here, orders=replace(here.orders, hours=np.array([6.0, 4.0]), late_after=np.array([3, 0]))
    )
    late = plan(pressed, repair(pressed, none))
    # the second has the earlier last day and so comes first; the first is done in what is left
    assert late.sequence.tolist() == [1, 0]
    assert late.day.ravel().tolist() == [0, 1]


def test_two_rooms_down_and_a_loaner() -> None:
    one = machines(2, shape=np.zeros(2), down_until=np.array([10.0, 6.0]))
    here = world(machines=one, runs=3)
    out = simulate(here)
    assert out.together.tolist() == [6, 6, 6]
    found = figures(out)["rooms_together"]
    assert found is not None
    assert (found.mean, found.low, found.high) == (100, 100, 100)
    lent = simulate(replace(here, machines=replace(one, loans=((0, 2.0, 48.0),))))
    assert lent.together.tolist() == [2, 2, 2]
    assert lent.unplanned.tolist() == out.unplanned.tolist()  # the machine is no sooner mended
    same_room = replace(here, machines=replace(one, room=np.array([4, 4])))
    assert simulate(same_room).together.sum() == 0
    apart = replace(here, machines=replace(one, group=np.array([0, 1])))
    assert simulate(apart).together.sum() == 0


def test_exams_are_taken_over_up_to_the_busiest_hour() -> None:
    load = np.zeros((3, WEEK))
    load[0, 8:10] = [4, 4]  # Monday
    load[1, 8:10] = [2, 5]
    load[2, 8:10] = [1, 1]  # of another group
    one = machines(
        3,
        shape=np.zeros(3),
        exams=load,
        group=np.array([0, 0, 1]),
        down_until=np.array([9.5, 0, 0]),
    )
    # 8 to 9: 4 wanted, 3 free; 9 to 9:30: 2 wanted, none free
    assert simulate(world(machines=one, runs=2)).displaced.tolist() == [3, 3]
    assert exams.free(load)[0, 8:11].tolist() == [0, 0, 0]
    assert exams.free(load)[1, 8:11].tolist() == [3, 0, 0]


def test_spans() -> None:
    spans = Spans(np.array([1, 0, 1, 1]), np.array([5.0, 0, 0, 2]), np.array([9.0, 1, 2, 3]))
    found = merged(spans, 100)
    assert list(zip(found.row.tolist(), found.start.tolist(), found.end.tolist(), strict=True)) == [
        (0, 0, 1), (1, 0, 3), (1, 5, 9),
    ]  # fmt: skip
    cut = without(found, found.row, ((1, 1.0, 6.0), (7, 0.0, 9.0)))
    assert sorted(zip(cut.row.tolist(), cut.start.tolist(), cut.end.tolist(), strict=True)) == [
        (0, 0, 1), (1, 0, 1), (1, 6, 9),
    ]  # fmt: skip
    assert together(
        Spans(np.array([0, 0]), np.array([0.0, 5]), np.array([5.0, 9])), 2, 10
    ).tolist() == [0, 0]


def test_figures_of_numbers() -> None:
    found = figure(np.arange(101.0))
    assert (found.mean, found.low, found.high) == (50, 5, 95)
    half = share(np.array([0.0, 1.0] * 50))
    assert half.mean == 50
    assert half.low == pytest.approx(50 - 1.645 * 5.03, abs=0.1)
    assert share(np.zeros(10)).high == 0


def test_an_order_without_a_last_day_is_never_late() -> None:
    here = world(orders=orders(machine=[0], day=[3], late_after=[NEVER], hours=[2]))
    assert simulate(here).on_time is None
