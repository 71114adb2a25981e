"""How likely a machine fails within 30 days: the first rung, from its class and its own record.

Failures of a machine are taken as a Poisson process whose rate differs between machines of a class
as a gamma distribution does (Gamma-Poisson; Gelman et al., Bayesian Data Analysis, 3rd ed., 2.6 and
5.3). What the *other* machines of the class did gives this machine's prior, its own failures and
time in service make it the posterior. Nothing of its readings is used: that is a later rung. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import groupby

from devices import gamma

RUNG = "class_prior"
DAYS = 30
INTERVAL = 0.9
YEAR = 365.25  # days
# below these nobody is told a number
MIN_FAILURES = 3
MIN_YEARS = 5.0
# what the class's mean rate (a year) and its shape may be before anything is known: the mean evenly
# by its logarithm; the shape so that the spread between machines, 1 / sqrt(shape) of the mean, is
# even (Gelman 2006, Bayesian Analysis 1(3), uniform on the group's standard deviation)
_MEANS = tuple(0.01 * 1.35**i for i in range(30))
_SHAPES = tuple(0.35 * 1.7**i for i in range(10))


@dataclass(frozen=True, slots=True)
class Record:
    """One machine's record: failures, and whole days in service in which they were noted."""

    failures: int
    days: int

    @property
    def years(self) -> float:
        """Time in service."""
        return self.days / YEAR


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a class of machines did together."""

    machines: int
    failures: int
    years: float

    @property
    def missing(self) -> str:
        """What it lacks to say a number; empty where it is enough."""
        lacks = []
        if self.failures < MIN_FAILURES:
            lacks.append(f"{self.failures} of {MIN_FAILURES} failures")
        if self.years < MIN_YEARS:
            lacks.append(f"{self.years:.1f} of {MIN_YEARS:g} machine-years")
        return " and ".join(lacks)


@dataclass(frozen=True, slots=True)
class Prior:
    """A gamma distribution of the rate of failures a year."""

    shape: float
    rate: float  # years

    @property
    def mean(self) -> float:
        """Failures a year."""
        return self.shape / self.rate


@dataclass(frozen=True, slots=True)
class Chance:
    """Chance of at least one failure within 30 days, with its 90 % interval."""

    probability: float
    low: float
    high: float


def evidence(records: Iterable[Record]) -> Evidence:
    """The records of a class, added up."""
    listed = list(records)
    return Evidence(
        len(listed), sum(r.failures for r in listed), sum(r.days for r in listed) / YEAR
    )


def breakdowns(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Spans that overlap or touch are one failure: two rows may tell of the same breakdown.

    Args:
        spans: first and last moment of each, in any order.
    """
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _likelihood(record: Record, mean: float, shape: float) -> float:
    """Logarithm of the chance of the record (negative binomial), but for what all share."""
    rate = shape / mean
    # gamma(shape + n) / gamma(shape), a product of n numbers
    rising = sum(math.log(shape + k) for k in range(record.failures))
    total = shape + record.failures
    return rising + shape * math.log(rate) - total * math.log(rate + record.years)


def grid(records: Iterable[Record]) -> tuple[tuple[float, float, float], ...]:
    """(mean, shape, logarithm of its weight) given all the records."""
    counted = [
        (record, len(list(same)))
        for record, same in groupby(sorted(records, key=lambda r: (r.failures, r.days)))
    ]
    return tuple(
        (
            mean,
            shape,
            sum(n * _likelihood(record, mean, shape) for record, n in counted)
            - math.log(shape) / 2,
        )
        for mean in _MEANS
        for shape in _SHAPES
    )


def prior(grid: Sequence[tuple[float, float, float]], own: Record) -> Prior:
    """What the others of the class say of a machine.

    The mixture over all means and shapes of the class is replaced by the gamma distribution with
    its mean and variance, so that it can be named by two numbers.

    Args:
        grid: `grid` of the records of the class, the machine's own among them.
        own: the machine's, whose part is taken out again.
    """
    cells = [(mean, shape, weight - _likelihood(own, mean, shape)) for mean, shape, weight in grid]
    top = max(weight for _, _, weight in cells)
    total = first = second = 0.0
    for mean, shape, weight in cells:
        w = math.exp(weight - top)
        total += w
        first += w * mean
        second += w * mean * mean * (1 + 1 / shape)
    mean = first / total
    variance = second / total - mean * mean
    return Prior(mean * mean / variance, mean / variance)


@lru_cache(maxsize=4096)
def chance(before: Prior, own: Record, days: int = DAYS) -> Chance:
    """The machine's posterior, as the chance of at least one failure.

    Args:
        before: its prior.
        own: its record.
        days: how far ahead, in service.
    """
    shape, rate = before.shape + own.failures, before.rate + own.years
    ahead = days / YEAR
    tail = (1 - INTERVAL) / 2
    low, high = (-math.expm1(-gamma.quantile(p, shape) / rate * ahead) for p in (tail, 1 - tail))
    return Chance(-math.expm1(-shape * math.log1p(ahead / rate)), low, high)


def of_class(records: Sequence[Record]) -> list[tuple[Prior, Chance]]:
    """Prior and chance of each machine of a class, in the order given.

    The same question again (until a day or a failure is added) costs next to nothing.
    """
    whole = tuple(sorted(records, key=lambda r: (r.failures, r.days)))
    befores = _priors(whole)
    return [(befores[own], chance(befores[own], own)) for own in records]


@lru_cache(maxsize=64)
def _priors(records: tuple[Record, ...]) -> dict[Record, Prior]:
    cells = grid(records)
    return {own: prior(cells, own) for own in set(records)}
