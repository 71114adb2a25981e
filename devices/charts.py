"""Points for the charts: silence is a gap, never a line across it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple


class Point(NamedTuple):
    """One reading, or what a stretch of them comes to.

    Attributes:
        at: measured at, or where the stretch begins; aware.
        value: the value or the mean, in the metric's unit.
        low: smallest value.
        high: largest value.
        n: readings.
    """

    at: datetime
    value: float
    low: float
    high: float
    n: int


def columns(points: Sequence[Point]) -> dict[str, list[Any]]:
    """Columns for the chart, with an empty point wherever readings stayed out.

    Readings stay out where a step is longer than four times the usual (median) one.

    Returns:
        `{"t": epoch seconds, "v": values, "lo", "hi"}`, `None` in a gap.
    """
    times = [p.at.timestamp() for p in points]
    steps = [b - a for a, b in pairwise(times)]
    longest = 4 * median(steps) if steps else 0.0
    result: dict[str, list[Any]] = {"t": [], "v": [], "lo": [], "hi": []}
    for index, point in enumerate(points):
        if index and steps[index - 1] > longest:
            result["t"].append(times[index - 1] + steps[index - 1] / 2)
            for name in ("v", "lo", "hi"):
                result[name].append(None)
        result["t"].append(times[index])
        result["v"].append(point.value)
        result["lo"].append(point.low)
        result["hi"].append(point.high)
    return result
