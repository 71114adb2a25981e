"""Orders as iCalendar (RFC 5545): times in UTC, text escaped, lines folded at 75 octets. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

FOLD = 75  # octets of a line without its end, 3.1
LENGTH = timedelta(hours=1)  # shown for an order with a time; how long it takes isn't known


@dataclass(frozen=True, slots=True)
class Event:
    """One order.

    Attributes:
        uid: the same for as long as the order exists.
        sequence: grows with each change, 3.8.7.4.
        changed: when it last changed.
        at: its time, or the whole day on which it is due.
    """

    uid: str
    sequence: int
    changed: datetime
    at: datetime | date
    summary: str
    description: str
    location: str
    url: str
    cancelled: bool


def escaped(text: str) -> str:
    """TEXT, 3.3.11; characters that no calendar may hold are left out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(each for each in text if each in "\n\t" or (each >= " " and each != "\x7f"))
    for old, new in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        kept = kept.replace(old, new)
    return kept


def folded(line: str) -> str:
    """One content line with its end, broken between characters, never within one (3.1)."""
    parts, part, size = [], "", 0
    for each in line:
        octets = len(each.encode())
        if size + octets > FOLD:
            parts.append(part)
            part, size = " ", 1
        part += each
        size += octets
    return "\r\n".join([*parts, part]) + "\r\n"


def calendar(name: str, events: Iterable[Event]) -> str:
    """A whole VCALENDAR, with which a reader replaces what it had (METHOD:PUBLISH, RFC 5546)."""
    found = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//TwinHealth//Maintenance//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    for event in events:
        found += _lines(event)
    return "".join(folded(line) for line in [*found, "END:VCALENDAR"])


def _lines(event: Event) -> list[str]:
    if isinstance(event.at, datetime):
        when = [f"DTSTART:{_utc(event.at)}", f"DTEND:{_utc(event.at + LENGTH)}"]
    else:
        after = event.at + timedelta(days=1)
        when = [f"DTSTART;VALUE=DATE:{event.at:%Y%m%d}", f"DTEND;VALUE=DATE:{after:%Y%m%d}"]
    return [
        "BEGIN:VEVENT",
        f"UID:{escaped(event.uid)}",
        # with METHOD, when this version came to be (3.8.7.2): the same text until it changes
        f"DTSTAMP:{_utc(event.changed)}",
        f"LAST-MODIFIED:{_utc(event.changed)}",
        f"SEQUENCE:{event.sequence}",
        *when,
        f"SUMMARY:{escaped(event.summary)}",
        f"DESCRIPTION:{escaped(event.description)}",
        f"LOCATION:{escaped(event.location)}",
        f"URL:{event.url}",
        f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
