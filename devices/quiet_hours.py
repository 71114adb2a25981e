"""Hours of the day, and days of the week, in which a person isn't written to: pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta, tzinfo


def next_moment(
    at: datetime,
    start: time | None,
    end: time | None,
    zone: tzinfo,
    days: Collection[int] = (),
) -> datetime:
    """`at`, or the end of the quiet hours and days in which it lies; never before `at`.

    Args:
        at: aware.
        start: begin of the quiet hours in the zone, included; `None`: there are none.
        end: their end; before `start`, they go over midnight.
        zone: the hospital's.
        days: quiet days of the week, Monday 0; all seven count as none.
    """
    if len(set(days)) >= 7:
        days = ()
    for _ in range(9):  # a week of quiet days, and the hours on both its sides
        moved = _after_hours(_after_day(at, days, zone), start, end, zone)
        if moved == at:
            break
        at = moved
    return at


def _after_day(at: datetime, days: Collection[int], zone: tzinfo) -> datetime:
    """The midnight after `at`, if its day is quiet."""
    local = at.astimezone(zone)
    if local.weekday() not in days:
        return at
    return datetime.combine(local.date() + timedelta(days=1), time.min, tzinfo=zone)


def _after_hours(at: datetime, start: time | None, end: time | None, zone: tzinfo) -> datetime:
    """The end of the quiet hours in which `at` lies."""
    if start is None or end is None or start == end:
        return at
    local = at.astimezone(zone)
    clock = local.time()
    quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not quiet:
        return at
    day = local.date() + timedelta(days=1 if clock >= end else 0)
    over = datetime.combine(day, end, tzinfo=zone)
    # the hour that the clock goes through twice: the first coming of the end may be past
    if over.astimezone(UTC) <= at.astimezone(UTC):
        over = over.replace(fold=1)
    return over
