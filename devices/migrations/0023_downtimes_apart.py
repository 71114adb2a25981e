"""PostgreSQL itself refuses downtimes of one machine that overlap; SQLite has the service's check.

`btree_gist` is a trusted extension since PostgreSQL 13: the database's owner may create it.
"""

from typing import Any

from django.db import migrations

OVERLAPPING = """
    SELECT a.id, b.id FROM devices_downtime a JOIN devices_downtime b
    ON a.device_id = b.device_id AND a.id < b.id
    AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
    ORDER BY a.id, b.id LIMIT 10"""
APART = """
    ALTER TABLE devices_downtime ADD CONSTRAINT downtime_no_overlap
    EXCLUDE USING gist (device_id WITH =, tstzrange(starts_at, ends_at) WITH &&)"""


def forwards(apps: Any, schema_editor: Any) -> None:
    """Say which rows are in the way, rather than the database's own words."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(OVERLAPPING)
        pairs = cursor.fetchall()
        if pairs:
            listed = ", ".join(f"{one} and {other}" for one, other in pairs)
            raise RuntimeError(
                f"These downtimes overlap: {listed}. Correct or remove one of each, then migrate."
            )
        cursor.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        # checks of foreign keys that still wait would block the change of the table
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(APART)


def backwards(apps: Any, schema_editor: Any) -> None:
    """The extension stays: something else may use it by now."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE devices_downtime DROP CONSTRAINT downtime_no_overlap")


class Migration(migrations.Migration):
    dependencies = [("devices", "0022_downtime_extent")]

    operations = [migrations.RunPython(forwards, backwards)]
