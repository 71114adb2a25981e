"""The search and its objective: never worse, never where it isn't allowed, each part accounted for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.proposal import LATE, OVER, Search, first_come
from planning.simulation.inputs import Assumed, Flags, Staff, World
from tests.planning.worlds import machines, orders, world

DAYS = 20


@st.composite
def worlds(draw: Any) -> tuple[World, Flags]:
    seed = draw(st.integers(0, 2**31 - 1))
    chance = np.random.default_rng(seed)
    count, size = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    day = chance.integers(0, DAYS + 3, size)
    here = world(
        days=DAYS,
        weekday=int(chance.integers(7)),
        machines=machines(
            count,
            group=chance.integers(0, 2, count),
            room=chance.integers(0, 3, count),
            exams=chance.uniform(0, 4, (count, 168)) * (chance.random((count, 168)) < 0.5),
            age=chance.uniform(0, 400, count),
        ),
        orders=orders(
            machine=chance.integers(0, count, size),
            day=day,
            late_after=day + chance.integers(-6, 8, size),
            hours=chance.uniform(0.5, 6, size),
            restores=chance.random(size) < 0.7,
            dropped=chance.random(size) < 0.1,
        ),
        staff=Staff(chance.integers(0, 3, DAYS), (8, 8), 2),
        assumed=Assumed(wear=float(chance.random()), part_share=0.3, part_hours=48),
    )
    return here, chance.random((size, DAYS)) < draw(st.sampled_from([0.0, 0.3, 0.9]))


@settings(deadline=None, max_examples=60)
@given(worlds())
def test_never_worse_and_never_where_it_is_not_allowed(given_: tuple[World, Flags]) -> None:
    here, allowed = given_
    search = Search(here, allowed)
    days = search.improve(seed=here.seed)
    moved = np.flatnonzero(days != here.orders.day)
    assert allowed[moved, days[moved]].all()
    assert not here.orders.dropped[moved].any()
    before, after = search.terms(here.orders.day), search.terms(days)
    assert after.total <= before.total + 1e-6
    assert (after.total < before.total) == bool(len(moved))
    assert search.improve(seed=here.seed).tolist() == days.tolist()


@settings(deadline=None, max_examples=40)
@given(worlds())
def test_what_one_order_costs_is_what_the_whole_changes_by(given_: tuple[World, Flags]) -> None:
    here, allowed = given_
    search = Search(here, allowed)
    base = search.terms(here.orders.day)
    live = np.flatnonzero(~here.orders.dropped & (here.orders.day < DAYS))
    for n in live[:3]:
        parts = search.of_one(int(n))
        now = int(here.orders.day[n])
        for to in (0, 7, DAYS - 1):
            days = here.orders.day.copy()
            days[n] = to
            whole = search.terms(days)
            for name in ("risk", "over", "late", "exams", "clash"):
                apart = getattr(parts[to], name) - getattr(parts[now], name)
                assert getattr(whole, name) - getattr(base, name) == pytest.approx(apart, abs=1e-6)


def test_one_order_goes_to_the_best_day_there_is() -> None:
    here = world(
        days=DAYS,
        orders=orders(machine=[0], day=[5], late_after=[9], hours=[4]),
        assumed=Assumed(wear=1.0, part_share=0, part_hours=0),
        machines=machines(1, shape=np.array([50.0]), years=np.array([1.0])),
        staff=Staff(np.full(DAYS, 2), (8, 8), 0),
    )
    search = Search(here, np.ones((1, DAYS), dtype=bool))
    costs = [search.terms(np.array([day])).total for day in range(DAYS)]
    assert search.improve(seed=1).tolist() == [int(np.argmin(costs))]


def test_overload_and_lateness_are_counted_as_written() -> None:
    here = world(
        days=DAYS,
        machines=machines(2, shape=np.zeros(2), group=np.array([0, 1])),
        orders=orders(machine=[0, 1], day=[5, 5], late_after=[4, 19], hours=[6, 5]),
        staff=Staff(np.full(DAYS, 1), (8, 8), 0),
    )
    found = Search(here, np.zeros((2, DAYS), dtype=bool)).terms(here.orders.day)
    assert found.over == pytest.approx(OVER * 3)
    assert found.late == pytest.approx(LATE * (1 + 1 / 7))
    assert (found.risk, found.exams, found.clash) == (0, 0, 0)


def test_first_come_takes_the_first_day_with_hours() -> None:
    here = world(
        days=DAYS,
        machines=machines(3),
        orders=orders(
            machine=[0, 1, 2, 0], day=[2, 2, 2, 3], late_after=[9, 5, 9, 9], hours=[5, 5, 5, 8]
        ),
        staff=Staff(np.full(DAYS, 1), (8, 8), 0),
    )
    open_ = np.ones((4, DAYS), dtype=bool)
    open_[:, 3] = False
    hours = np.full(DAYS, 8.0)
    # the second has the earlier last day
    assert first_come(here, open_, hours).tolist() == [4, 2, 5, 6]
    fixed = open_.copy()
    fixed[1] = False
    kept = first_come(replace(here), fixed, hours)
    assert kept[1] == 2
