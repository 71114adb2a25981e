"""How well alerts work, from their rows: pure. The words are those of EEMUA 191 and ISA-18.2."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

MONTH_DAYS = 30.4375
CHATTERING = 10  # how many are listed


@dataclass(frozen=True, slots=True)
class Life:
    """What counts of one alert."""

    device: int
    rule: int
    opened_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    reason: str
    recurrences: int
    withheld: str


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took.

    Attributes:
        n: of how many.
        median: seconds; `None` without any.
        p90: seconds that nine of ten stayed within.
    """

    n: int
    median: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class Month:
    """One calendar month in the hospital's zone.

    Attributes:
        first: its first day.
        start: its first day in the span.
        end: the day after its last one in the span.
        alerts: that opened in it.
        action: of those, resolved as something that needed hands.
        resolved: of those.
    """

    first: date
    start: date
    end: date
    alerts: int
    action: int
    resolved: int

    @property
    def last(self) -> date:
        """Its last day in the span."""
        return self.end - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Chatter:
    """A rule on a machine that comes and goes."""

    device: int
    rule: int
    times: int  # alerts and their returns


@dataclass(frozen=True, slots=True)
class Figures:
    """The whole page; see docs/alerts.md for the definitions."""

    alerts: int
    recurrences: int
    per_device_month: float | None
    resolved: int
    action: int
    reasons: dict[str, int]
    acknowledge: Spread
    resolve: Spread
    stale: int
    withheld: dict[str, int]
    chattering: list[Chatter]
    months: list[Month]

    @property
    def action_share(self) -> float | None:
        """0 to 1 of those resolved; `None` where none is."""
        return self.action / self.resolved if self.resolved else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value within which at least `share` of the values lie (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _spread(spans: Iterable[timedelta]) -> Spread:
    # a clock set back, or a late reading: no time is below none
    seconds = [max(0.0, span.total_seconds()) for span in spans]
    return Spread(len(seconds), percentile(seconds, 0.5), percentile(seconds, 0.9))


def _months(
    lives: Sequence[Life], start: date, end: date, zone: tzinfo, action: frozenset[str]
) -> list[Month]:
    by_month: dict[tuple[int, int], list[Life]] = {}
    for life in lives:
        local = life.opened_at.astimezone(zone)
        by_month.setdefault((local.year, local.month), []).append(life)
    found, first = [], start.replace(day=1)
    while first < end:
        after = (first + timedelta(days=32)).replace(day=1)
        mine = by_month.get((first.year, first.month), [])
        found.append(
            Month(
                first,
                max(first, start),
                min(after, end),
                len(mine),
                sum(life.reason in action for life in mine),
                sum(life.resolved_at is not None for life in mine),
            )
        )
        first = after
    return found


def figures(
    lives: Iterable[Life],
    *,
    devices: int,
    start: date,
    end: date,
    zone: tzinfo,
    now: datetime,
    action: Iterable[str],
    stale: timedelta,
) -> Figures:
    """Everything the page says.

    Args:
        lives: of the alerts that opened in the span.
        devices: machines that could have raised one.
        start: first day of the span in the zone.
        end: the day after its last one.
        zone: the hospital's.
        now: how long an unresolved one has lasted.
        action: reasons that needed somebody's hands.
        stale: longer than this is too long.
    """
    rows, needed = list(lives), frozenset(action)
    days = (min(end, now.astimezone(zone).date() + timedelta(days=1)) - start).days
    times = Counter[tuple[int, int]]()
    for life in rows:
        times[life.device, life.rule] += 1 + life.recurrences
    chattering = sorted(
        (Chatter(*key, count) for key, count in times.items() if count > 1),
        key=lambda one: (-one.times, one.device, one.rule),
    )
    return Figures(
        alerts=len(rows),
        recurrences=sum(life.recurrences for life in rows),
        per_device_month=len(rows) / devices / (days / MONTH_DAYS)
        if devices and days > 0
        else None,
        resolved=sum(life.resolved_at is not None for life in rows),
        action=sum(life.reason in needed for life in rows),
        reasons=dict(Counter(life.reason for life in rows if life.reason)),
        acknowledge=_spread(
            life.acknowledged_at - life.opened_at for life in rows if life.acknowledged_at
        ),
        resolve=_spread(life.resolved_at - life.opened_at for life in rows if life.resolved_at),
        stale=sum((life.resolved_at or now) - life.opened_at > stale for life in rows),
        withheld=dict(Counter(life.withheld for life in rows if life.withheld)),
        chattering=chattering[:CHATTERING],
        months=_months(rows, start, end, zone, needed),
    )
