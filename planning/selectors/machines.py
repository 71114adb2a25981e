"""The arrays of machines: rates, repairs, covered hours, exams, groups and rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from devices.models import Device, Downtime, MaintenancePlan, Spare
from devices.models.maintenance import Extent
from devices.selectors import risk as risks_of
from maintenance import cover
from maintenance.models import CoveredHours
from planning.assumptions import Assumptions
from planning.simulation.inputs import WEEK, Floats, Ints, Machines

from . import orders, repairs

INTERVAL = 180.0  # days, of a machine without a plan
BACK_IN = 24.0  # hours until a machine that is down now is back, as nobody knows
# a rate that is given is taken as known: a gamma distribution so narrow that nothing varies
_CERTAIN = 1e6


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read of the machines, once, for the arrays and for what is told of them.

    Attributes:
        devices: in service, with their models.
        plans: active ones, with the models' plans.
        done: when work of plans was last done.
        risks: by machine.
        past: repairs.
        usual: exams in each hour of the week, by machine, where enough are on record.
        work: open orders and due dates.
        hours: of work, by plan, where measured.
        given: what is assumed.
    """

    devices: list[Device]
    plans: list[MaintenancePlan]
    done: orders.Done
    risks: dict[int, risks_of.Risk]
    past: repairs.Repairs
    usual: dict[int, Floats]
    work: list[orders.Work]
    hours: dict[int | None, float]
    given: Assumptions


def machines(facts: Facts, *, today: date) -> tuple[Machines, tuple[Floats, ...]]:
    """The arrays and the pools of repairs; three queries."""
    devices = facts.devices
    ids = [each.pk for each in devices]
    count = len(devices)
    shape, years = _rates(facts)
    interval, age = _ages(facts, today)
    pools, chosen = _pools(facts)
    away = set(
        Downtime.objects.filter(device__in=ids, ends_at=None, extent=Extent.FULL).values_list(
            "device", flat=True
        )
    )
    none = np.zeros(WEEK)
    rooms = {each.location: n for n, each in enumerate(devices) if each.location}
    found = Machines(
        ids=np.array(ids, dtype=np.int64),
        shape=shape,
        years=years,
        age=age,
        interval=interval,
        group=groups(devices),
        room=np.array(
            [rooms.get(each.location, n) for n, each in enumerate(devices)], dtype=np.int64
        ),
        cover=_covered(ids),
        exams=np.array([facts.usual.get(pk, none) for pk in ids]).reshape(count, WEEK),
        repairs=chosen,
        has_part=np.zeros(count, dtype=bool),
        down_until=np.array([BACK_IN if pk in away else 0.0 for pk in ids]),
    )
    return found, pools


def _rates(facts: Facts) -> tuple[Floats, Floats]:
    """Of each machine's failures a year, the gamma distribution; its shape is 0 if not known."""
    shape, years = np.zeros(len(facts.devices)), np.ones(len(facts.devices))
    for n, each in enumerate(facts.devices):
        found = facts.risks.get(each.pk)
        if found is not None and found.prior is not None:
            shape[n] = found.prior.shape + found.own.failures
            years[n] = found.prior.rate + found.own.years
        elif facts.given.rate:
            shape[n], years[n] = _CERTAIN, _CERTAIN / facts.given.rate
    return shape, years


def _ages(facts: Facts, today: date) -> tuple[Floats, Floats]:
    """Days from one maintenance to the next, and since the last one."""
    intervals: dict[int, float] = {}
    for plan in facts.plans:
        days = orders.interval_days(plan, today)
        if days:
            intervals[plan.device_id] = min(days, intervals.get(plan.device_id, days))
    interval = np.array([intervals.get(each.pk, INTERVAL) for each in facts.devices])
    age = interval / 2  # nobody knows: in the middle
    for n, each in enumerate(facts.devices):
        if each.pk in facts.done.by_device:
            age[n] = max(0, (today - facts.done.by_device[each.pk]).days)
    return interval, age


def _pools(facts: Facts) -> tuple[tuple[Floats, ...], Ints]:
    """The hours of work of each class's repairs, and which class each machine is of."""
    by_class: dict[str, tuple[int, Floats]] = {}
    chosen = np.zeros(len(facts.devices), dtype=np.int64)
    for n, each in enumerate(facts.devices):
        pool, name = facts.past.pool(each.model_id, each.model.modality)
        key = f"{name} {each.model_id}" if name == repairs.OF_MODEL else name
        place, _ = by_class.setdefault(key, (len(by_class), pool))
        chosen[n] = place
    return tuple(pool for _, pool in by_class.values()), chosen


def _covered(ids: list[int]) -> Floats:
    """Covered share of each hour of the week; each week that differs is worked out once."""
    weeks: dict[int | None, cover.Week] = dict(
        CoveredHours.objects.values_list("device_id", "week")
    )
    house = weeks.get(None, cover.ALWAYS)
    shares: dict[str, Floats] = {}
    found = np.ones((len(ids), WEEK))
    for n, pk in enumerate(ids):
        week = weeks.get(pk, house)
        key = str(week)
        if key not in shares:
            shares[key] = share_of_hours(week)
        found[n] = shares[key]
    return found


def share_of_hours(week: cover.Week) -> Floats:
    """How much of each hour of the week is covered."""
    found = np.zeros(WEEK)
    for day, spans in enumerate(week):
        for low, high in spans:
            for hour in range(low // 60, -(-high // 60)):
                found[day * 24 + hour] += (min(high, hour * 60 + 60) - max(low, hour * 60)) / 60
    return found


def groups(devices: Sequence[Device]) -> Any:
    """Machines of a modality, and those that stand in for each other, are one group."""
    place = {each.pk: n for n, each in enumerate(devices)}
    parent = list(range(len(devices)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    first: dict[tuple[str, bool], int] = {}
    for n, each in enumerate(devices):
        parent[root(n)] = root(first.setdefault((each.model.modality, each.is_synthetic), n))
    for one, other in Spare.objects.values_list("device", "spare"):
        if one in place and other in place:
            parent[root(place[one])] = root(place[other])
    roots = [root(n) for n in range(len(devices))]
    names = {each: n for n, each in enumerate(dict.fromkeys(roots))}
    return np.array([names[each] for each in roots], dtype=np.int64)
