"""Whether a machine's clock tells our time, by what it sends. Pure.

A reading may be late for good reasons (a network that was away), never early. So a clock is ahead
where the newest reading lies ahead of our time, and behind where the machine says its own time
(HTTP's Date, RFC 9110, 6.6.1) or where all its readings lie before 2000: a clock that begins at
1970 again has lost its battery.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

LIMIT = timedelta(minutes=5)  # further off is told
STEADY = timedelta(hours=1)  # for which a note stands, whatever comes: a journal, no stream
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one call showed of the clock.

    Attributes:
        newest: measured_at of its newest reading, refused ones too; `None` without any.
        said: the time that the machine gave as its own, where it did.
    """

    newest: datetime | None = None
    said: datetime | None = None


def _off(seen: Seen, now: datetime) -> timedelta | None:
    """How far ahead of ours (negative: behind); `None` where nothing tells."""
    if seen.said is not None:
        return seen.said - now
    if seen.newest is None:
        return None
    off = seen.newest - now
    return off if off >= -LIMIT or seen.newest < OLDEST else None


def change(noted: dict[str, Any] | None, seen: Seen, now: datetime) -> dict[str, Any] | None:
    """The note to make, or `None` where nothing new is to be said.

    Args:
        noted: the note before: `{"state", "seconds", "since"}` of the projected state.
        seen: what a call showed.
        now: our time, when it came.

    Returns:
        `{"state": "ahead" | "behind" | "right", "seconds": int}`.
    """
    off = _off(seen, now)
    if off is None:
        return None
    state = "right" if abs(off) <= LIMIT else "ahead" if off > LIMIT else "behind"
    if state == (noted["state"] if noted else "right"):
        return None
    since = parse_datetime(noted["since"]) if noted else None
    if since is not None and now - since < STEADY:
        return None
    return {"state": state, "seconds": round(abs(off).total_seconds())}


def words(state: str, seconds: int) -> str:
    """For people: `7 minutes ahead`."""
    if state == "right":
        return "right again"
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length or unit == "minute":
            number = seconds // length
            return f"{number:,} {unit}{'' if number == 1 else 's'} {state}"
    raise AssertionError("minutes are the last resort")
