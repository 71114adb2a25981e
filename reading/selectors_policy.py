"""Reads of the reading policy, and what a change of the ceiling would do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from detection import priority
from detection.models import WorklistItem
from reading.models import ReadingPolicy

# ceilings of which the page says how many films wait past them, in minutes
TRIED: Final = (15, 30, 60, 120, 240, 480, 1440)


@dataclass(frozen=True, slots=True)
class Simulated:
    """One row of the simulated crowded room: minutes from arrival to the end of reading, mean."""

    order: str
    ill: int
    others: int


# docs/benchmarks.md, `python -m benchmarks.worklist_simulation --seeds 10 --days 28`
SIMULATED: Final = (
    Simulated("first in, first out", 55, 55),
    Simulated("our rule, ceiling 1 h", 41, 57),
    Simulated("our rule, ceiling 4 h", 20, 59),
)


@dataclass(frozen=True, slots=True)
class Past:
    """How many of the films that wait now have waited past a ceiling."""

    words: str
    films: int
    holds: bool  # the ceiling that counts now


def policy_now() -> ReadingPolicy:
    """The policy that holds; until an admin settles one, the defaults, as a row not stored."""
    return ReadingPolicy.objects.first() or ReadingPolicy(number=0)


def history() -> QuerySet[ReadingPolicy]:
    """All policies, newest first."""
    return ReadingPolicy.objects.all()


def waiting_past(ceiling: timedelta, *, now: datetime | None = None) -> tuple[int, list[Past]]:
    """How many films wait, and how many of them past each of `TRIED` and the ceiling given."""
    now = now or timezone.now()
    here = int(ceiling / timedelta(minutes=1))
    tried = sorted({*TRIED, here})
    counted = WorklistItem.objects.filter(signed=False).aggregate(
        films=Count("pk"),
        **{
            f"past_{minutes}": Count(
                "pk", filter=Q(waiting_since__lte=now - timedelta(minutes=minutes))
            )
            for minutes in tried
        },
    )
    rows = [
        Past(
            priority.in_words(timedelta(minutes=minutes)),
            counted[f"past_{minutes}"],
            minutes == here,
        )
        for minutes in tried
    ]
    return counted["films"], rows
