"""Which months have a partition of `devices_reading`."""

from __future__ import annotations

from datetime import date

from django.db import connection

from devices import months

DEFAULT = "devices_reading_default"


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
        return sorted(months.of_partition(name) for (name,) in cursor.fetchall())
