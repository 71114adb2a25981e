"""The newest reading, the five minutes and the days of the readings that are there already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import migrations
from django.utils import timezone

SUMS = (
    "count(*), sum(value), regr_sxx(value, value), min(value), max(value), min(measured_at),"
    " max(measured_at) FROM devices_reading GROUP BY 1, 2, 3"
)
COLUMNS = "n, total, m2, low, high, first_at, last_at"
FILL = (
    (
        f"INSERT INTO devices_reading5min (device_id, metric_id, starts_at, {COLUMNS})"
        " SELECT device_id, metric_id,"
        f" date_bin('5 minutes', measured_at, '2000-01-01T00:00:00Z'), {SUMS}"
    ),
    (
        f"INSERT INTO devices_readingday (device_id, metric_id, day, {COLUMNS})"
        f" SELECT device_id, metric_id, (measured_at AT TIME ZONE %s)::date, {SUMS}"
    ),
    (
        "INSERT INTO devices_readinglatest (device_id, metric_id, measured_at, value, received_at)"
        " SELECT DISTINCT ON (device_id, metric_id) device_id, metric_id, measured_at, value,"
        " received_at FROM devices_reading ORDER BY device_id, metric_id, measured_at DESC"
    ),
)
# the current stretch changes with each reading: room beside the row keeps its index untouched
ROOM = (
    "ALTER TABLE devices_reading5min SET (fillfactor = 80)",
    "ALTER TABLE devices_readingday SET (fillfactor = 80)",
    "ALTER TABLE devices_readinglatest SET (fillfactor = 50)",
)


def _fields(rows: list[Any]) -> dict[str, Any]:
    values = [row.value for row in rows]
    mean = sum(values) / len(values)
    return {
        "n": len(values),
        "total": sum(values),
        "m2": sum((value - mean) ** 2 for value in values),
        "low": min(values),
        "high": max(values),
        "first_at": rows[0].measured_at,
        "last_at": rows[-1].measured_at,
    }


def _by_model(apps: Any, readings: Iterable[Any]) -> None:
    five, day, latest = (
        apps.get_model("devices", name) for name in ("Reading5Min", "ReadingDay", "ReadingLatest")
    )
    zone = timezone.get_default_timezone()
    days: dict[tuple[int, int, Any], list[Any]] = defaultdict(list)
    for (device, metric), group in groupby(readings, lambda r: (r.device_id, r.metric_id)):
        rows = list(group)
        newest = rows[-1]
        latest.objects.create(
            device_id=device,
            metric_id=metric,
            measured_at=newest.measured_at,
            value=newest.value,
            received_at=newest.received_at,
        )
        steps: dict[int, list[Any]] = defaultdict(list)
        for row in rows:
            steps[int(row.measured_at.timestamp()) // 300].append(row)
            days[device, metric, row.measured_at.astimezone(zone).date()].append(row)
        five.objects.bulk_create(
            five(
                device_id=device,
                metric_id=metric,
                starts_at=datetime.fromtimestamp(step * 300, tz=UTC),
                **_fields(part),
            )
            for step, part in steps.items()
        )
    day.objects.bulk_create(
        day(device_id=device, metric_id=metric, day=at, **_fields(part))
        for (device, metric, at), part in days.items()
    )


def forwards(apps: Any, schema_editor: Any) -> None:
    """Add up what is there."""
    if schema_editor.connection.vendor != "postgresql":
        readings = apps.get_model("devices", "Reading").objects
        ordered = readings.order_by("device_id", "metric_id", "measured_at")
        _by_model(apps, ordered.iterator())
        return
    with schema_editor.connection.cursor() as cursor:
        for statement in ROOM:
            cursor.execute(statement)
        five, day, latest = FILL
        cursor.execute(five)
        cursor.execute(day, [settings.TIME_ZONE])
        cursor.execute(latest)


class Migration(migrations.Migration):
    dependencies = [("devices", "0005_partitioned_readings")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
