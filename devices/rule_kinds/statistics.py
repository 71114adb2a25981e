"""What each kind of rule makes of readings before a limit judges it: one object per kind. Pure.

Each takes one reading at a time, in constant time and space, and says a new value where there is
one. `dump()` is JSON from which `load()` goes on as if nothing had happened.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from statistics import median
from typing import Any, Protocol

from devices.anomaly import ALARM, WARM, Detector

BINS = 12  # of a slope's window
LEAST_BINS = 6  # with readings, before a slope is said


class Statistic(Protocol):
    """One kind's quantity.

    Attributes:
        baseline: what is usual, in the metric's unit; `None` where there is none (yet).
        spread: standard deviation around it.
    """

    baseline: float | None
    spread: float | None

    def update(self, at: float, value: float) -> float | None:
        """Take a finite reading (UNIX seconds); the new value, or `None` where nothing is new."""

    def learning(self) -> str:
        """What is still missing before there is a value, in words; empty where nothing is."""

    def dump(self) -> dict[str, Any]:
        """As JSON."""

    def load(self, kept: dict[str, Any]) -> None:
        """Go on from what `dump` gave."""


class Plain:
    """The reading itself."""

    baseline: float | None = None
    spread: float | None = None

    def update(self, at: float, value: float) -> float | None:
        """The reading."""
        return value

    def learning(self) -> str:
        """Nothing is missing."""
        return ""

    def dump(self) -> dict[str, Any]:
        """Nothing is kept."""
        return {}

    def load(self, kept: dict[str, Any]) -> None:
        """Nothing is kept."""


class Still(Plain):
    """For how many hours the reading has been exactly the same: a sensor that stands still.

    Meant for quantities whose noise is larger than the sensor's step; a counter stands still
    rightly.
    """

    def __init__(self) -> None:
        self.value: float | None = None
        self.since = 0.0

    def update(self, at: float, value: float) -> float:
        """Hours since it last changed."""
        if value != self.value:
            self.value, self.since = value, at
        return (at - self.since) / 3600

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {"value": self.value, "since": self.since}

    def load(self, kept: dict[str, Any]) -> None:
        """Go on."""
        self.value, self.since = kept["value"], kept["since"]


class Slope(Plain):
    """Rate of change over a window: Theil-Sen slope of the means of its twelve parts.

    The median of the slopes between all pairs (Theil 1950, Sen 1968) bears three wild parts of
    twelve. It is reckoned anew when a part is over, so a reading costs nothing.

    Args:
        window_seconds: how far back.
        per_seconds: the unit of time, 3,600 for changes per hour.
    """

    def __init__(self, window_seconds: float, per_seconds: float) -> None:
        self.width, self.per = window_seconds / BINS, per_seconds
        self.parts: list[tuple[int, float]] = []  # number of the part, mean
        self.now: int | None = None
        self.total, self.count = 0.0, 0

    def update(self, at: float, value: float) -> float | None:
        """The slope, where a part of the window ended before this reading."""
        part = math.floor(at / self.width)
        found = None
        if self.now is not None and part > self.now:
            self.parts.append((self.now, self.total / self.count))
            self.parts = [(p, mean) for p, mean in self.parts if p > self.now - BINS]
            found = self._slope()
            self.total, self.count = 0.0, 0
        self.now = part
        self.total += value
        self.count += 1
        return found

    def _slope(self) -> float | None:
        if len(self.parts) < LEAST_BINS:
            return None
        slopes = [
            (after - before) / (j - i)
            for k, (i, before) in enumerate(self.parts)
            for j, after in self.parts[k + 1 :]
        ]
        return median(slopes) * self.per / self.width

    def learning(self) -> str:
        """Half the window must have readings."""
        known = len(self.parts)
        return "" if known >= LEAST_BINS else f"{known} of {LEAST_BINS} parts of the window known"

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "parts": [list(p) for p in self.parts],
            "now": self.now,
            "total": self.total,
            "count": self.count,
        }

    def load(self, kept: dict[str, Any]) -> None:
        """Go on."""
        self.parts = [(int(part), mean) for part, mean in kept["parts"]]
        self.now, self.total, self.count = kept["now"], kept["total"], kept["count"]


class Rolling(Plain):
    """Median of the last `n` readings, or the share of them above a value, in per cent.

    Args:
        n: readings.
        above: count those above it; `None`: the median.
    """

    def __init__(self, n: int, above: float | None = None) -> None:
        self.n, self.above = n, above
        self.values: list[float] = []
        self.ranked: list[float] = []

    def update(self, at: float, value: float) -> float | None:
        """The median or share, once there are `n`."""
        self.values.append(value)
        insort(self.ranked, value)
        if len(self.values) > self.n:
            self.ranked.pop(bisect_left(self.ranked, self.values.pop(0)))
        if len(self.values) < self.n:
            return None
        if self.above is not None:
            return 100 * (self.n - bisect_right(self.ranked, self.above)) / self.n
        half = self.n // 2
        if self.n % 2:
            return self.ranked[half]
        return (self.ranked[half - 1] + self.ranked[half]) / 2

    def learning(self) -> str:
        """`n` readings are needed."""
        known = len(self.values)
        return "" if known >= self.n else f"{known} of {self.n} readings known"

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {"values": self.values}

    def load(self, kept: dict[str, Any]) -> None:
        """Go on."""
        self.values = list(kept["values"])
        self.ranked = sorted(self.values)


class WindowMean(Plain):
    """Mean of the readings of the last days.

    Args:
        window_seconds: how far back.
        least: readings without which nothing is said.
    """

    def __init__(self, window_seconds: float, least: int) -> None:
        self.window, self.least = window_seconds, least
        self.known: deque[tuple[float, float]] = deque()
        self.total = 0.0

    def update(self, at: float, value: float) -> float | None:
        """The mean, once there are enough."""
        self.known.append((at, value))
        self.total += value
        while self.known[0][0] <= at - self.window:
            self.total -= self.known.popleft()[1]
        if len(self.known) < self.least:
            return None
        return self.total / len(self.known)

    def learning(self) -> str:
        """Some are needed."""
        known = len(self.known)
        return "" if known >= self.least else f"{known} of {self.least} days known"

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {"known": [list(k) for k in self.known], "total": self.total}

    def load(self, kept: dict[str, Any]) -> None:
        """Go on."""
        self.known = deque((at, value) for at, value in kept["known"])
        self.total = kept["total"]


class Strange(Plain):
    """The product's own detector (`devices.anomaly`) on the means of steps: its score.

    Args:
        strictness: multiplies its limits.
        step_seconds: length of a step; 0: every reading by itself.
    """

    def __init__(self, strictness: float, step_seconds: float) -> None:
        self.step = step_seconds
        self.detector = Detector(strictness)
        self.now: int | None = None
        self.total, self.count = 0.0, 0

    def update(self, at: float, value: float) -> float | None:
        """The score of the step that ended before this reading."""
        if not self.step:
            return self._score(at, value)
        part = math.floor(at / self.step)
        score: float | None = None
        if self.now is not None and part > self.now:
            middle = (self.now + 0.5) * self.step
            score = self._score(middle, self.total / self.count)
            self.total, self.count = 0.0, 0
        self.now = part
        self.total += value
        self.count += 1
        return score

    def _score(self, at: float, value: float) -> float | None:
        score = self.detector.update(at, value)
        self.baseline = self.detector.mean
        return score if self.detector.seen > WARM else None

    @property
    def why(self) -> str:
        """The part of the detector that spoke loudest."""
        return self.detector.why

    def learning(self) -> str:
        """The detector learns from its first hundred values."""
        known = self.detector.seen
        return "" if known > WARM else f"{known} of {WARM} values learnt"

    def dump(self) -> dict[str, Any]:
        """As JSON; about 12 kB."""
        return {
            "detector": self.detector.to_json(),
            "now": self.now,
            "total": self.total,
            "count": self.count,
        }

    def load(self, kept: dict[str, Any]) -> None:
        """Go on."""
        self.detector = Detector.from_json(kept["detector"])
        self.baseline = self.detector.mean if self.detector.seen else None
        self.now, self.total, self.count = kept["now"], kept["total"], kept["count"]


# the smallest score that is an alarm lies just above this
STRANGE_LIMIT = math.nextafter(ALARM, 0)
