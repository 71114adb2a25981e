"""Days on which nothing becomes due, and where a due date goes instead. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)
LONGEST = 366  # days of one blackout


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both included; yearly ones come back each year."""

    first: date
    last: date
    yearly: bool = False

    def covers(self, day: date) -> bool:
        """Whether nothing becomes due on this day."""
        if not self.yearly:
            return self.first <= day <= self.last
        at, first, last = ((each.month, each.day) for each in (day, self.first, self.last))
        if self.last.year == self.first.year:
            return first <= at <= last
        return at >= first or at <= last  # over New Year


def shifted(day: date, grace_days: int, spans: Sequence[Span], today: date) -> date:
    """The day on which a due date falls: itself, the next allowed one within its grace, or before.

    Where no day is left, neither within the grace nor between today and the due date, it stays:
    what is due is due.

    Args:
        day: the rule's own.
        grace_days: how much later it may be.
        spans: blackouts of the plan and of the hospital.
        today: a due date doesn't move before it.
    """

    def free(each: date) -> bool:
        return not any(span.covers(each) for span in spans)

    if not spans or free(day):
        return day
    for later in range(1, grace_days + 1):
        if free(day + later * _DAY):
            return day + later * _DAY
    earlier = day - _DAY
    while earlier >= today and (day - earlier).days <= LONGEST:
        if free(earlier):
            return earlier
        earlier -= _DAY
    return day
