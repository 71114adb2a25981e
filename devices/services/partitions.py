"""A partition of `devices_reading` for each month (UTC), on PostgreSQL.

What no month's partition takes falls into `devices_reading_default`, so that no reading is ever
refused for want of a partition; the next call moves it into its own month's.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import structlog
from django.db import connection, transaction

logger = structlog.get_logger(__name__)

AHEAD = 3  # months after this one
DEFAULT = "devices_reading_default"
_PREFIX = "devices_reading_"
_WAIT = "5s"  # for the lock; readings that come in wait as long, and beat tries again


def following(month: date) -> date:
    """The month after."""
    return (month + timedelta(days=31)).replace(day=1)


def begin(month: date) -> datetime:
    """Its first moment."""
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def listed() -> list[date]:
    """Months that have a partition, oldest first; none where the table isn't partitioned."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'devices_reading'::regclass AND c.relname <> %s",
            [DEFAULT],
        )
        names = [row[0] for row in cursor.fetchall()]
    return sorted(datetime.strptime(name, f"{_PREFIX}%Y_%m").date() for name in names)  # noqa: DTZ007


def make(*, now: datetime) -> list[date]:
    """Make what is missing of this month, the coming ones, and those whose readings lie apart.

    Returns:
        The months made; none on the second call, and where the table isn't partitioned.
    """
    there = set(listed())
    if not there:
        return []
    wanted, month = set(), now.astimezone(UTC).date().replace(day=1)
    for _ in range(AHEAD + 1):
        wanted.add(month)
        month = following(month)
    made = []
    for month in sorted((wanted | _apart()) - there):
        _make(month)
        made.append(month)
    return made


def _apart() -> set[date]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT date_trunc('month', measured_at AT TIME ZONE 'UTC')::date"
            f" FROM {DEFAULT}"
        )
        return {row[0] for row in cursor.fetchall()}


@transaction.atomic
def _make(month: date) -> None:
    """One month, with the rows of it that lie in the default partition.

    Raises:
        django.db.OperationalError: writers kept the table too long; the next call tries again.
    """
    name = f"{_PREFIX}{month:%Y_%m}"
    since, until = begin(month), begin(following(month))
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_WAIT}'")
        # writers lock these in this order too; the parent's own lock lets other months be read
        cursor.execute("LOCK TABLE devices_reading IN SHARE UPDATE EXCLUSIVE MODE")
        cursor.execute(f"LOCK TABLE {DEFAULT} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {name} (LIKE devices_reading INCLUDING ALL)")
        cursor.execute(
            "WITH moved AS (DELETE FROM devices_reading_default"  # noqa: S608 - a name of ours
            " WHERE measured_at >= %s AND measured_at < %s RETURNING *)"
            f" INSERT INTO {name} SELECT * FROM moved",
            [since, until],
        )
        moved = cursor.rowcount
        # so that attaching need not look at each row again
        cursor.execute(
            f"ALTER TABLE {name} ADD CONSTRAINT its_month"
            " CHECK (measured_at IS NOT NULL AND measured_at >= %s AND measured_at < %s)",
            [since, until],
        )
        cursor.execute(
            f"ALTER TABLE devices_reading ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)",
            [since, until],
        )
        cursor.execute(f"ALTER TABLE {name} DROP CONSTRAINT its_month")
    logger.info("partition_made", month=f"{month:%Y-%m}", moved=moved)


@transaction.atomic
def drop(month: date) -> int:
    """Drop a month's partition; how many readings it held.

    Raises:
        django.db.OperationalError: readers or writers kept the table too long.
    """
    name = f"{_PREFIX}{month:%Y_%m}"
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_WAIT}'")
        cursor.execute("LOCK TABLE devices_reading IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 - a name of ours
        count = int(cursor.fetchone()[0])
        cursor.execute(f"DROP TABLE {name}")
    logger.info("partition_dropped", month=f"{month:%Y-%m}", readings=count)
    return count
