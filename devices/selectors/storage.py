"""What is stored of readings, and what a policy would delete of it."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.db.models.functions import TruncMonth

from devices import months as of_months
from devices.models import (
    Alert,
    Device,
    Reading,
    Reading5Min,
    ReadingDay,
    ReadingHour,
    RetentionPolicy,
)
from devices.retention import Cuts, cuts

from .partitions import listed
from .retention import floors


@dataclass(frozen=True, slots=True)
class Month:
    """Readings of one month of the hospital.

    Attributes:
        month: its first day.
        readings: how many were counted in, whether they are still there or not.
        deleted: they are not.
        size: bytes of the month's partition with its indexes; `None` where there is none.
    """

    month: date
    readings: int
    deleted: bool
    size: int | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows and bytes of one resolution; rows of a large table are the database's estimate."""

    name: str
    rows: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be deleted now.

    Attributes:
        cuts: before which moments.
        partitions: months whose partition goes as a whole, oldest first.
        raw: readings in them and beside them.
        five_minute: rows of five minutes.
        hour: rows of hours.
        day: days.
        day_kept: days old enough that stay, because an alert or the trust of a film rests on them.
        size: bytes of the partitions.
    """

    cuts: Cuts
    partitions: tuple[date, ...]
    raw: int
    five_minute: int
    hour: int
    day: int
    day_kept: int
    size: int

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to delete."""
        return not (self.partitions or self.raw or self.five_minute or self.hour or self.day)


def months() -> list[Month]:
    """Newest first; three queries on PostgreSQL, two on SQLite."""
    counted = (
        ReadingDay.objects.order_by()
        .values(month=TruncMonth("day"))
        .annotate(readings=Sum("n"))
        .order_by("-month")
        .values_list("month", "readings")
    )
    sizes, kept = _sizes(), floors()
    return [
        Month(
            month,
            readings,
            kept.raw is not None and of_months.begin(month) < kept.raw,
            sizes.get(of_months.partition(month)),
        )
        for month, readings in counted
    ]


def tables() -> list[Table]:
    """Readings, five minutes, hours, days."""
    named: dict[str, tuple[str, Any]] = {
        "devices_reading": ("readings", Reading),
        "devices_reading5min": ("5 minutes", Reading5Min),
        "devices_readinghour": ("hours", ReadingHour),
        "devices_readingday": ("days", ReadingDay),
    }
    if connection.vendor != "postgresql":
        return [Table(name, model.objects.count(), None) for name, model in named.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.name, sum(greatest(c.reltuples, 0))::bigint,"
            " sum(pg_total_relation_size(c.oid))::bigint FROM unnest(%s) AS t(name)"
            " JOIN pg_class c ON c.relkind = 'r' AND (c.oid = t.name::regclass OR c.oid IN"
            " (SELECT inhrelid FROM pg_inherits WHERE inhparent = t.name::regclass)) GROUP BY 1",
            [list(named)],
        )
        found = {name: (rows, size) for name, rows, size in cursor.fetchall()}
    return [Table(name, *found[table]) for table, (name, _) in named.items()]


def _sizes() -> dict[str, int]:
    if not listed():
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relid::regclass::text, pg_total_relation_size(relid)"
            " FROM pg_partition_tree('devices_reading') WHERE isleaf"
        )
        return dict(cursor.fetchall())


def plan(policy: RetentionPolicy, now: datetime) -> Plan:
    """What the policy would delete if it were applied now; nothing is changed."""
    cut = cuts(now=now, **policy.lengths)
    whole = whole_months(cut.raw)
    sizes = _sizes() if whole else {}
    day, kept = 0, 0
    if cut.day is not None:
        old = ReadingDay.objects.filter(day__lt=cut.day).count()
        day = sum(len(days) for _, _, days in deletable_days(cut.day))
        kept = old - day
    return Plan(
        cuts=cut,
        partitions=tuple(whole),
        raw=_before(Reading, "measured_at", cut.raw),
        five_minute=_before(Reading5Min, "starts_at", cut.five_minute),
        hour=_before(ReadingHour, "starts_at", cut.hour),
        day=day,
        day_kept=kept,
        size=sum(sizes.get(of_months.partition(month), 0) for month in whole),
    )


def _before(model: Any, field: str, moment: datetime | None) -> int:
    return model.objects.filter((f"{field}__lt", moment)).count() if moment else 0


def whole_months(before: datetime | None) -> list[date]:
    """Partitions that lie before a moment as a whole, oldest first."""
    if before is None:
        return []
    return [m for m in listed() if of_months.begin(of_months.following(m)) <= before]


def deletable_days(before: date) -> Iterator[tuple[int, int, list[date]]]:
    """(machine, metric, days) before a day on which neither an alert nor a film's trust rests.

    An alert rests on the days of its metric from the one before it began to the last time it was
    seen; a film's trust on every reading that was not yet too old when it was taken.
    """
    old = ReadingDay.objects.filter(day__lt=before)
    for device in Device.objects.filter(pk__in=old.values("device")).order_by("pk"):
        films = sorted(
            Device.objects.filter(pk=device.pk, images__acquired_at__isnull=False).values_list(
                "images__acquired_at", flat=True
            )
        )
        alerts = defaultdict(list)
        for metric, since, seen in Alert.objects.filter(device=device).values_list(
            "rule__metric_id", "since", "last_seen_at"
        ):
            alerts[metric].append((since - timedelta(days=1), seen))
        found: dict[int, list[date]] = defaultdict(list)
        for metric, day, first, last, age in old.filter(device=device).values_list(
            "metric_id", "day", "first_at", "last_at", "metric__max_age"
        ):
            place = bisect_left(films, first)
            until = last + timedelta(seconds=age)
            told = place < len(films) and films[place] <= until
            rang = any(since <= last and first <= seen for since, seen in alerts[metric])
            if not (told or rang):
                found[metric].append(day)
        for metric, days in found.items():
            yield device.pk, metric, days
