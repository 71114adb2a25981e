"""Hours of the day in which a person isn't written to: pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo


def next_moment(at: datetime, start: time | None, end: time | None, zone: tzinfo) -> datetime:
    """`at`, or the end of the quiet hours in which it lies.

    Args:
        at: aware.
        start: begin of the quiet hours in the zone, included; `None`: there are none.
        end: their end; before `start`, they go over midnight.
        zone: the hospital's.
    """
    if start is None or end is None or start == end:
        return at
    local = at.astimezone(zone)
    clock = local.time()
    quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not quiet:
        return at
    day = local.date() + timedelta(days=1 if clock >= end else 0)
    return datetime.combine(day, end, tzinfo=zone)
