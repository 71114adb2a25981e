"""Synthetic telemetry of one machine: the day's rhythm, noise, and its faults. Pure."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from .fleet import QUANTITIES, Fault, Machine, Quantity

STEP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Sample:
    """One synthetic value."""

    metric: str
    unit: str
    value: float
    at: datetime


def _fault_part(faults: tuple[Fault, ...], metric: str, age_days: float) -> float:
    """How much the faults add `age_days` before now: a linear ramp over half their time."""
    total = 0.0
    for fault in faults:
        if fault.metric == metric and fault.until_days <= age_days <= fault.since_days:
            ramp = (fault.since_days - fault.until_days) / 2
            total += fault.rise * min(1.0, (fault.since_days - age_days) / ramp)
    return total


def _value(
    quantity: Quantity, machine: Machine, at: datetime, now: datetime, noise: float
) -> float:
    assert quantity.base is not None  # noqa: S101 - callers skip quantities that images bring
    age = (now - at).total_seconds() / 86_400
    hour = at.hour + at.minute / 60
    rhythm = max(0.0, math.sin((hour - 6) / 14 * math.pi)) * quantity.daily_swing
    return (
        quantity.base
        + rhythm
        + noise * quantity.spread
        + _fault_part(machine.faults, quantity.key, age)
    )


def samples(machine: Machine, *, now: datetime, days: int, seed: int) -> Iterator[Sample]:
    """Hourly values of every telemetry quantity over the last `days`, oldest first.

    The same machine, `now` and seed give the same values. A silent machine stops early.
    """
    rng = np.random.default_rng([seed, zlib.crc32(machine.serial.encode())])
    at = now - timedelta(days=days)
    end = now - timedelta(days=machine.silent_days)
    while at <= end:
        for quantity in QUANTITIES:
            if quantity.base is None:
                continue
            value = _value(quantity, machine, at, now, float(rng.standard_normal()))
            yield Sample(quantity.key, quantity.unit, round(value, 3), at)
        at += STEP
