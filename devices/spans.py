"""Which stretch of time a page or an answer is about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from devices import moments
from twinhealth.errors import InvalidInputError

RANGES: dict[str, timedelta] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
DEFAULT = "7d"
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`; `key` names the range, empty where both ends were given."""

    start: datetime
    end: datetime
    key: str = ""

    @property
    def length(self) -> timedelta:
        """From start to end."""
        return self.end - self.start

    def earlier(self) -> Span:
        """The span of the same length right before."""
        return Span(self.start - self.length, self.start)


def asked(
    query: Mapping[str, str],
    *,
    now: datetime,
    at: datetime | None = None,
    zone: tzinfo | None = None,
    default: str = DEFAULT,
) -> Span:
    """The span that an address asks for: `from` and `to`, else `range` up to the moment looked at.

    Args:
        query: of the address.
        now: ours.
        at: a past moment that is looked at; nothing after it is shown.
        zone: the hospital's, where times may come without an offset (pages).
        default: the range of an address that says nothing.

    Raises:
        InvalidInputError: `invalid_time`, `bad_span`.
    """
    last = at or now
    first_text, last_text = query.get("from", "").strip(), query.get("to", "").strip()
    if not first_text and not last_text:
        key = query.get("range", "")
        key = key if key in RANGES else default
        return Span(last - RANGES[key], last, key)
    end = moments.moment(last_text, zone=zone) if last_text else last
    end = min(end, last)
    length = RANGES.get(query.get("range", ""), RANGES[default])
    start = moments.moment(first_text, zone=zone) if first_text else end - length
    if start > end - SHORTEST:
        raise InvalidInputError("bad_span", "The span ends before it starts, or is still to come.")
    if end - start > LONGEST:
        raise InvalidInputError("bad_span", "Ask for five years at most.")
    return Span(start, end)
