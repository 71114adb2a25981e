"""Covered hours: the times of a week at which a machine is needed, as moments. Pure.

Times are of the hospital's clock. Where it jumps ahead, hours that don't exist aren't covered;
where it is set back, a time that comes twice means its first coming, so that spans that adjoin on
the clock adjoin in time.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from twinhealth.errors import InvalidInputError

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MINUTES = 1440
MAX_SPANS = 12  # of one day
# Monday first, each day's spans [from, to) in minutes
Week = list[list[list[int]]]
ALWAYS: Week = [[[0, MINUTES]] for _ in DAYS]

_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*(?:-|\N{EN DASH})\s*(\d{1,2}):(\d{2})")


def parse(lines: Sequence[str]) -> Week:
    """Seven texts such as `07:00-12:00, 13:00-18:00`; an empty one is a day off.

    Raises:
        InvalidInputError: `hours_not_seven_days`; `hours_invalid` with the day.
    """
    if len(lines) != len(DAYS):
        raise InvalidInputError("hours_not_seven_days", "Give the hours of seven days.")
    return [_day(name, text) for name, text in zip(DAYS, lines, strict=True)]


def _day(name: str, text: str) -> list[list[int]]:
    spans = []
    for part in text.split(",")[: MAX_SPANS + 1]:
        if not part.strip():
            continue
        found = _SPAN.fullmatch(part.strip())
        numbers = [int(each) for each in found.groups()] if found else []
        if not numbers or numbers[1] > 59 or numbers[3] > 59:
            raise _wrong(name, "Write times as 07:00-18:00, with commas between them.")
        start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
        if not start < end <= MINUTES:
            raise _wrong(name, "A span ends after it starts, at 24:00 at the latest.")
        spans.append([start, end])
    spans.sort()
    if len(spans) > MAX_SPANS:
        raise _wrong(name, f"A day has at most {MAX_SPANS} spans.")
    if any(one[1] > other[0] for one, other in pairwise(spans)):
        raise _wrong(name, "Two spans of the day overlap.")
    return spans


def _wrong(name: str, message: str) -> InvalidInputError:
    return InvalidInputError("hours_invalid", f"{name}: {message}", day=name)


def lines(week: Week) -> list[str]:
    """What `parse` takes."""
    return [", ".join(f"{_clock(a)}-{_clock(b)}" for a, b in day) for day in week]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def weekly_hours(week: Week) -> float:
    """Hours of a week without a change of the clock."""
    return sum(end - start for day in week for start, end in day) / 60


def moment(day: date, minute: int, zone: tzinfo) -> float:
    """A time on the clock as seconds since 1970; one that the clock jumps over is its jump."""
    day, minute = day + timedelta(days=minute // MINUTES), minute % MINUTES
    local = datetime.combine(day, time(minute // 60, minute % 60), zone)
    late = local.timestamp()
    if datetime.fromtimestamp(late, zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return late
    early = local.replace(fold=1).timestamp()
    after = datetime.fromtimestamp(late, zone).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == after:
            late = middle
        else:
            early = middle
    return late


@dataclass(frozen=True, slots=True)
class Windows:
    """Covered spans in order of time, apart from each other, as seconds since 1970."""

    starts: list[float]
    ends: list[float]
    before: list[float]  # covered seconds before each one's start

    def until(self, at: float) -> float:
        """Covered seconds before a moment."""
        place = bisect_right(self.starts, at) - 1
        if place < 0:
            return 0.0
        return self.before[place] + min(at, self.ends[place]) - self.starts[place]

    def between(self, start: float, end: float) -> float:
        """Covered seconds of a span; none where it ends before it starts."""
        return max(0.0, self.until(end) - self.until(start))


def windows(week: Week, first: date, last: date, zone: tzinfo) -> Windows:
    """The covered spans of days, the last one included."""
    found = Windows([], [], [])
    total = 0.0
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        for low, high in week[day.weekday()]:
            start, end = moment(day, low, zone), moment(day, high, zone)
            if start < end:
                found.starts.append(start)
                found.ends.append(end)
                found.before.append(total)
                total += end - start
    return found
