"""What is kept: the policy that holds, and before which moments readings were deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, QuerySet

from devices.models import RetentionPolicy, RetentionRun
from devices.models.retention import SHORTEST

# no policy deletes what is younger, so nobody need ask about it
SAFE = timedelta(days=28 * SHORTEST)


@dataclass(frozen=True, slots=True)
class Floors:
    """What lies before was deleted, or is about to be; `None` where nothing was."""

    raw: datetime | None = None
    five_minute: datetime | None = None
    hour: datetime | None = None
    day: date | None = None


def floors() -> Floors:
    """Of all deletions that were ever begun; one query."""
    found = RetentionRun.objects.order_by().aggregate(
        raw=Max("raw_before"),
        five_minute=Max("five_minute_before"),
        hour=Max("hour_before"),
        day=Max("day_before"),
    )
    return Floors(**found)


def policy_now() -> RetentionPolicy:
    """The policy that holds; until an admin settles one, everything is kept: a row not stored."""
    return RetentionPolicy.objects.first() or RetentionPolicy(number=0)


def history() -> QuerySet[RetentionPolicy]:
    """All policies, newest first."""
    return RetentionPolicy.objects.all()


def runs() -> QuerySet[RetentionRun]:
    """All deletions, newest first."""
    return RetentionRun.objects.select_related("policy", "requested_by")
