"""`devices_reading` partitioned by month on PostgreSQL; the rows move with their numbers.

The indexes are made after the rows, which takes half the time. SQLite keeps its plain table.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import migrations

AHEAD = 3  # months after this one; beat makes the following ones
COLUMNS = "id, value, measured_at, received_at, source, device_id, metric_id"
TABLE = """
    CREATE TABLE devices_reading (
        id bigint NOT NULL,
        value double precision NOT NULL,
        measured_at timestamp with time zone NOT NULL,
        received_at timestamp with time zone NOT NULL,
        source varchar(16) NOT NULL,
        device_id bigint NOT NULL,
        metric_id bigint NOT NULL
    )"""
MOVE = f"INSERT INTO devices_reading ({COLUMNS}) SELECT {COLUMNS} FROM moved"  # noqa: S608
FOREIGN = """
    ALTER TABLE devices_reading ADD CONSTRAINT devices_reading_{to}_fk
    FOREIGN KEY ({to}_id) REFERENCES devices_{to} (id) DEFERRABLE INITIALLY DEFERRED"""
NUMBERS = (
    "CREATE SEQUENCE devices_reading_id_seq AS bigint OWNED BY devices_reading.id",
    "ALTER TABLE devices_reading ALTER COLUMN id SET DEFAULT nextval('devices_reading_id_seq')",
    (
        "SELECT setval('devices_reading_id_seq', coalesce(max(id), 1), max(id) IS NOT NULL)"
        " FROM devices_reading"
    ),
)


def following(month: date) -> date:
    """The month after."""
    return (month + timedelta(days=31)).replace(day=1)


def months(cursor: Any) -> list[date]:
    """Every month that has rows, this one and the coming ones."""
    cursor.execute(
        "SELECT DISTINCT date_trunc('month', measured_at AT TIME ZONE 'UTC')::date FROM moved"
    )
    found = {row[0] for row in cursor.fetchall()}
    month = datetime.now(UTC).date().replace(day=1)
    for _ in range(AHEAD + 1):
        found.add(month)
        month = following(month)
    return sorted(found)


def move(schema_editor: Any, partitioned: bool) -> None:  # noqa: FBT001 - private
    """Into a new table of the same name, which takes its place."""
    if schema_editor.connection.vendor != "postgresql":
        return
    by, rest = (" PARTITION BY RANGE (measured_at)", ", measured_at") if partitioned else ("", "")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE devices_reading RENAME TO moved")
        cursor.execute(TABLE + by)
        if partitioned:
            for month in months(cursor):
                cursor.execute(
                    f"CREATE TABLE devices_reading_{month:%Y_%m} PARTITION OF devices_reading"
                    f" FOR VALUES FROM ('{month}T00:00:00Z') TO ('{following(month)}T00:00:00Z')"
                )
            cursor.execute(
                "CREATE TABLE devices_reading_default PARTITION OF devices_reading DEFAULT"
            )
        cursor.execute(MOVE)
        cursor.execute("DROP TABLE moved")
        cursor.execute(f"ALTER TABLE devices_reading ADD PRIMARY KEY (id{rest})")
        cursor.execute(
            "ALTER TABLE devices_reading ADD CONSTRAINT reading_is_counted_once"
            " UNIQUE (device_id, metric_id, measured_at)"
        )
        for to in ("device", "metric"):
            cursor.execute(FOREIGN.format(to=to))
        for statement in NUMBERS:
            cursor.execute(statement)


def forwards(apps: Any, schema_editor: Any) -> None:
    """A partition a month."""
    move(schema_editor, partitioned=True)


def backwards(apps: Any, schema_editor: Any) -> None:
    """One table again."""
    move(schema_editor, partitioned=False)


class Migration(migrations.Migration):
    dependencies = [("devices", "0004_storage")]
    operations = [migrations.RunPython(forwards, backwards)]
