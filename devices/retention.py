"""Before which moments a policy deletes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime


@dataclass(frozen=True, slots=True)
class Cuts:
    """What is older is deleted; `None` keeps all.

    Attributes:
        raw: readings measured before this first of a month (UTC).
        five_minute: five minutes that begin before.
        hour: hours that begin before.
        day: days before.
    """

    raw: datetime | None = None
    five_minute: datetime | None = None
    hour: datetime | None = None
    day: date | None = None

    @property
    def nothing(self) -> bool:
        """Whether all is kept."""
        return (self.raw, self.five_minute, self.hour, self.day) == (None,) * 4


HOURS = 60  # months, unless told


def usual_hours(five_minute_months: int | None, day_months: int | None) -> int | None:
    """How long hours are kept unless told: five years, between what lies on both sides of them."""
    if five_minute_months is None:
        return None
    months = max(HOURS, five_minute_months)
    return months if day_months is None else min(months, day_months)


def month_before(now: datetime, months: int) -> date:
    """The first of the month that many months before this one, UTC."""
    today = now.astimezone(UTC)
    number = today.year * 12 + today.month - 1 - months
    # a policy of fifty years in a young century: nothing is older than what the door takes
    return date(max(number // 12, 1), number % 12 + 1, 1)


def cuts(
    *,
    now: datetime,
    raw_months: int | None,
    five_minute_months: int | None,
    hour_months: int | None,
    day_months: int | None,
) -> Cuts:
    """Of a policy: full months before the current one are kept; `None` keeps for ever."""

    def moment(months: int | None) -> datetime | None:
        if months is None:
            return None
        first = month_before(now, months)
        return datetime(first.year, first.month, 1, tzinfo=UTC)

    return Cuts(
        raw=moment(raw_months),
        five_minute=moment(five_minute_months),
        hour=moment(hour_months),
        day=None if day_months is None else month_before(now, day_months),
    )
