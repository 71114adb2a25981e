"""Drift: daily means against the machine's own earlier days, by CUSUM or EWMA. Pure.

A day d is over when a reading of a later day comes. Then, with `lag` and `baseline` days:

    base     days of (d - lag - baseline, d - lag], the recent ones of (d - lag, d]
    centre   median of the base days; of working days and weekends apart where there are four each
    spread   1.4826 x median |x - centre| of the base days (the standard deviation of a normal)
    z        (x - centre) / spread of each recent day, cut at +-4: one day alone is no drift
    CUSUM    Page 1954:    S+ = max(0, S+ + z - k), S- = max(0, S- - z - k), over the recent days
    EWMA     Roberts 1959: E = (1 - w) E + w z, divided by its own standard deviation
             sqrt(w / (2 - w) (1 - (1 - w)^2n)) of n days

Both begin at zero with the first recent day, so a verdict hangs on `lag + baseline` days and on
nothing before. The base follows `lag` days behind: a new level that stays becomes the usual one
after about `lag + baseline / 2` days.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from .statistics import Plain

FARTHEST = 4.0  # standard deviations at which a day's distance is cut
LEAST_DAYS = 7  # base days without which nothing is said
WEIGHT = 0.2  # of the newest day in the EWMA
ROUNDING = 1e-9  # of the centre's size: less is no spread
FEW = 4  # days without which weekends have no centre of their own


class Drift(Plain):
    """The statistic of `drift` rules; positive for upwards.

    Args:
        method: `cusum` or `ewma`.
        direction: `up`, `down` or `both`.
        baseline_days: length of the base.
        lag_days: days between the base's end and now.
        slack: CUSUM's k, in standard deviations.
        least_spread: a smaller spread counts as this one, in the metric's unit.
        zone: whose days they are (IANA name).
    """

    def __init__(
        self,
        *,
        method: str,
        direction: str,
        baseline_days: int,
        lag_days: int,
        slack: float,
        least_spread: float,
        zone: str,
    ) -> None:
        self.method, self.direction = method, direction
        self.base_days, self.lag, self.slack = baseline_days, lag_days, slack
        self.least_spread = least_spread
        self.zone = ZoneInfo(zone)
        self.days: list[tuple[int, float]] = []  # ordinal, mean
        self.day: int | None = None
        self.ends = 0.0  # when the present day is over
        self.total, self.count = 0.0, 0

    def update(self, at: float, value: float) -> float | None:
        """The statistic, where a day ended before this reading."""
        found = None
        if self.day is None or at >= self.ends:
            if self.day is not None:
                self.days.append((self.day, self.total / self.count))
                oldest = self.day - self.lag - self.base_days
                self.days = [(day, mean) for day, mean in self.days if day > oldest]
                found = self._reckon(self.day)
            self._begin(at)
        self.total += value
        self.count += 1
        return found

    def _begin(self, at: float) -> None:
        local = datetime.fromtimestamp(at, tz=UTC).astimezone(self.zone).date()
        self.day = local.toordinal()
        tomorrow = datetime.combine(local + timedelta(days=1), time(), tzinfo=self.zone)
        self.ends = tomorrow.timestamp()
        self.total, self.count = 0.0, 0

    def _reckon(self, today: int) -> float | None:
        base = [(day, mean) for day, mean in self.days if day <= today - self.lag]
        recent = [(day, mean) for day, mean in self.days if day > today - self.lag]
        if len(base) < self.least:
            self.baseline = self.spread = None
            return None
        centres = _centres(base)
        spread = 1.4826 * median(abs(mean - centres[_weekend(day)]) for day, mean in base)
        self.baseline = centres[_weekend(today)]
        self.spread = max(spread, self.least_spread, ROUNDING * (abs(self.baseline) + 1))
        distances = [
            max(-FARTHEST, min((mean - centres[_weekend(day)]) / self.spread, FARTHEST))
            for day, mean in recent
        ]
        found = self._cusum(distances) if self.method == "cusum" else _ewma(distances)
        if (self.direction == "up" and found < 0) or (self.direction == "down" and found > 0):
            return 0.0
        return found

    def _cusum(self, distances: list[float]) -> float:
        up = down = 0.0
        for z in distances:
            up, down = max(0.0, up + z - self.slack), max(0.0, down - z - self.slack)
        if self.direction != "both":
            return up if self.direction == "up" else -down
        return up if up >= down else -down

    @property
    def least(self) -> int:
        """Base days without which nothing is said."""
        return max(LEAST_DAYS, self.base_days // 2)

    def learning(self) -> str:
        """Half of the base must have readings."""
        if self.baseline is not None:
            return ""
        newest = self.days[-1][0] if self.days else 0
        known = sum(day <= newest - self.lag for day, _ in self.days)
        return f"{known} of {self.least} days of the baseline known"

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "days": [list(d) for d in self.days],
            "day": self.day,
            "ends": self.ends,
            "total": self.total,
            "count": self.count,
            "baseline": self.baseline,
            "spread": self.spread,
        }

    def load(self, kept: dict[str, Any]) -> None:
        """Go on."""
        self.days = [(int(day), mean) for day, mean in kept["days"]]
        for name in ("day", "ends", "total", "count", "baseline", "spread"):
            setattr(self, name, kept[name])


def _weekend(ordinal: int) -> bool:
    return ordinal % 7 in {6, 0}  # the first of January of year 1, number 1, was a Monday


def _centres(base: list[tuple[int, float]]) -> dict[bool, float]:
    """Median of working days and of weekends; of all where one of them is too few."""
    apart: dict[bool, list[float]] = {False: [], True: []}
    for day, mean in base:
        apart[_weekend(day)].append(mean)
    if min(len(values) for values in apart.values()) < FEW:
        whole = median(mean for _, mean in base)
        return {False: whole, True: whole}
    return {which: median(values) for which, values in apart.items()}


def _ewma(distances: list[float]) -> float:
    found = 0.0
    for z in distances:
        found += WEIGHT * (z - found)
    passed = (1 - WEIGHT) ** (2 * len(distances))
    deviation = (WEIGHT / (2 - WEIGHT) * (1 - passed)) ** 0.5
    return found / deviation if deviation else 0.0
