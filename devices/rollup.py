"""What a stretch of readings comes to. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

FIVE_MINUTES, HOUR = 300, 3_600  # seconds


@dataclass(frozen=True, slots=True)
class Sums:
    """Count, sum, squares, extremes and ends of a stretch, in the metric's unit.

    Attributes:
        n: readings.
        total: their sum.
        m2: sum of squared distances from their mean.
        low: the smallest.
        high: the largest.
        first_at: the earliest moment.
        last_at: the latest moment.
    """

    n: int
    total: float
    m2: float
    low: float
    high: float
    first_at: datetime
    last_at: datetime


def five_minutes(moment: datetime) -> datetime:
    """Where the five minutes of UTC begin in which a moment lies."""
    return _begin(moment, FIVE_MINUTES)


def hour(moment: datetime) -> datetime:
    """Where the hour of UTC begins in which a moment lies."""
    return _begin(moment, HOUR)


def _begin(moment: datetime, length: int) -> datetime:
    seconds = math.floor(moment.timestamp()) // length * length
    return datetime.fromtimestamp(seconds, tz=UTC)


def add(readings: Sequence[tuple[datetime, float]]) -> Sums:
    """The sums of one or more (moment, value)."""
    values = [value for _, value in readings]
    total = math.fsum(values)
    mean = total / len(values)
    return Sums(
        n=len(values),
        total=total,
        m2=math.fsum((value - mean) ** 2 for value in values),
        low=min(values),
        high=max(values),
        first_at=min(moment for moment, _ in readings),
        last_at=max(moment for moment, _ in readings),
    )


def merge(one: Sums, other: Sums) -> Sums:
    """The sums of two stretches together (Chan, Golub and LeVeque 1983)."""
    n = one.n + other.n
    apart = other.total / other.n - one.total / one.n
    return Sums(
        n=n,
        total=one.total + other.total,
        m2=one.m2 + other.m2 + apart * apart * one.n * other.n / n,
        low=min(one.low, other.low),
        high=max(one.high, other.high),
        first_at=min(one.first_at, other.first_at),
        last_at=max(one.last_at, other.last_at),
    )
