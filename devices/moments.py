"""Times as people and programs write them into addresses and forms. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from django.utils.dateparse import parse_datetime

from twinhealth.errors import InvalidInputError

# an unescaped + of an offset arrives as a space
_LOST_PLUS = re.compile(r"(T[\d:.]+) (\d\d:?\d\d)$")
_OLDEST = datetime(1970, 1, 2, tzinfo=UTC)


def moment(text: str, *, zone: tzinfo | None = None) -> datetime:
    """A time in UTC from ISO 8601 text; PostgreSQL takes no offset of 16 hours or more.

    Args:
        text: with offset; without one only where `zone` says whose clock it is.
        zone: the hospital's, for forms.

    Raises:
        InvalidInputError: `invalid_time`.
    """
    try:
        found = parse_datetime(_LOST_PLUS.sub(r"\1+\2", text.strip()))
        if found is not None and found.tzinfo is None and zone is not None:
            found = found.replace(tzinfo=zone)
        if found is not None and found.tzinfo is not None:
            found = found.astimezone(UTC)
            if found >= _OLDEST:
                return found
    except (ValueError, OverflowError):
        pass
    raise InvalidInputError("invalid_time", "Write a time as ISO 8601 with its offset.")


def past(text: str, *, now: datetime, zone: tzinfo | None = None) -> datetime | None:
    """A moment that is over; `None` for empty text (now).

    Raises:
        InvalidInputError: `invalid_time`, `in_future`.
    """
    if not text.strip():
        return None
    found = moment(text, zone=zone)
    if found > now:
        raise InvalidInputError("in_future", "That moment is still to come.")
    return found
