"""Readings by `generate_series`: tens of millions in minutes, on PostgreSQL only."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

DEVICES: Final = 300
METRICS: Final = 20
DAYS: Final = 90  # over which the fleet's readings lie
DENSE_DAYS: Final = 30  # of one machine that tells each metric every minute
EVENTS: Final = 100_000

_INSERT: Final = (
    "INSERT INTO devices_reading (device_id, metric_id, value, measured_at, received_at, source)"
    # one pair of machine and metric in 200 is above its limit of 10 since its last day
    " SELECT d, m, CASE WHEN (d * 31 + m) %% 200 = 0 AND at > %(now)s - interval '1 day' THEN 11"
    " ELSE 5 + sin(extract(epoch FROM at) / 7000) END, at, at, 'rest'"
    " FROM unnest(%(devices)s) AS d CROSS JOIN unnest(%(metrics)s) AS m"
    " CROSS JOIN generate_series(%(now)s - %(span)s, %(now)s, %(step)s) AS at"
)
# the rows keep these rules by construction; made after them, the indexes take a tenth of the time
_BARE: Final = (
    "ALTER TABLE devices_reading DROP CONSTRAINT reading_is_counted_once",
    "ALTER TABLE devices_reading DROP CONSTRAINT devices_reading_pkey",
    "SET session_replication_role = replica",
)
_DRESSED: Final = (
    "ALTER TABLE devices_reading ADD PRIMARY KEY (id, measured_at)",
    (
        "ALTER TABLE devices_reading ADD CONSTRAINT reading_is_counted_once"
        " UNIQUE (device_id, metric_id, measured_at)"
    ),
)
# a machine tells all its metrics at a time, so their rows lie together, one time after another;
# made from the readings at once they would lie anywhere
_IN_TIME: Final = " ORDER BY 3, 1, 2"


def fleet() -> tuple[list[Any], list[Any]]:
    """300 machines of one model, 20 metrics with a limit each."""
    from devices.models import Device, DeviceModel, Metric, Rule, TwinState
    from devices.projection import empty

    model = DeviceModel.objects.create(manufacturer="Bench", name="S-1", modality="DX")
    metrics = Metric.objects.bulk_create(
        Metric(device_model=model, key=f"m{n}", label=f"Metric {n}", unit="1")
        for n in range(METRICS)
    )
    Rule.objects.bulk_create(
        Rule(metric=metric, name=f"{metric.key} high", severity="act", high=10.0)
        for metric in metrics
    )
    devices = Device.objects.bulk_create(
        Device(serial=f"S-{n}", name=f"S{n:03d}", model=model, location=f"R{n % 40}")
        for n in range(DEVICES)
    )
    TwinState.objects.bulk_create(TwinState(device=d, state=empty()) for d in devices)
    return devices, metrics


def fill(count: int, now: datetime) -> tuple[Any, int]:
    """About `count` readings with what they come to; the dense machine, and how many there are."""
    from django.conf import settings
    from django.db import connection

    from devices.services import partitions

    devices, metrics = fleet()
    fill_rollups = importlib.import_module("devices.migrations.0006_fill_rollups")
    fill_hours = importlib.import_module("devices.migrations.0017_reading_hour")
    dense = METRICS * DENSE_DAYS * 24 * 60
    each = max(1, (count - dense) // (DEVICES * METRICS))
    keys = [metric.pk for metric in metrics]
    for months in range(-3, 0):  # the partitions of the past
        partitions.make(now=now + timedelta(days=30 * months))
    with connection.cursor() as cursor:
        for statement in _BARE:
            cursor.execute(statement)
        for of, span, step in (
            ([d.pk for d in devices[1:]], timedelta(days=DAYS), timedelta(days=DAYS) / each),
            ([devices[0].pk], timedelta(days=DENSE_DAYS), timedelta(minutes=1)),
        ):
            given = {"devices": of, "metrics": keys, "now": now, "span": span, "step": step}
            cursor.execute(_INSERT, given)
        for statement in _DRESSED:
            cursor.execute(statement)
        five, day, latest = fill_rollups.FILL
        cursor.execute(five + _IN_TIME)
        cursor.execute(day + _IN_TIME, [settings.TIME_ZONE])
        cursor.execute(latest)
        cursor.execute(fill_hours.FILL.format(hour=fill_hours.HOUR["postgresql"]) + _IN_TIME)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT count(*) FROM devices_reading")
        return devices[0], int(cursor.fetchone()[0])


def journal(device: Any, now: datetime) -> None:
    """A year of 100,000 changes of its configuration, and its snapshots."""
    from devices.models import TwinEvent
    from devices.services.events import rebuild

    start = now - timedelta(days=365)
    step = timedelta(days=365) / EVENTS
    TwinEvent.objects.bulk_create(
        (
            TwinEvent(
                device=device,
                revision=n + 1,
                kind="config_reported",
                at=(start + n * step).astimezone(UTC),
                recorded_at=now,
                payload={"config": {f"key{n % 40}": n, "software_versions": f"{n // 5000}"}},
            )
            for n in range(EVENTS)
        ),
        batch_size=5_000,
    )
    rebuild(device=device, repair=True)
