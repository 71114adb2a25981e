"""Pages and charts over many readings, and a twin as of past moments, each beside the plain way.

    python -m benchmarks.storage [--readings 10000000] [--requests 40]

PostgreSQL by DATABASE_URL, an empty database. Prints JSON: milliseconds, on the wall and of the
processor in this process and its session's in the database.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from .storage_rows import DENSE_DAYS, fill, journal
from .worklist import _busy, _p95

RAW_NEWEST = """
    SELECT d.id, m.id, r.measured_at, r.value FROM devices_device d
    JOIN devices_metric m ON m.device_model_id = d.model_id
    CROSS JOIN LATERAL (
        SELECT measured_at, value FROM devices_reading
        WHERE device_id = d.id AND metric_id = m.id AND measured_at <= now()
        ORDER BY measured_at DESC LIMIT 1
    ) AS r"""
RAW_HOURS = """
    SELECT metric_id, date_trunc('hour', measured_at), avg(value), min(value), max(value), count(*)
    FROM devices_reading WHERE device_id = %s AND measured_at BETWEEN %s AND %s
    GROUP BY 1, 2 ORDER BY 1, 2"""


def timed(work: Callable[[], Any], times: int) -> dict[str, float]:
    """p95 and p50 on the wall, p95 of the processor; the first one warms up and isn't counted."""
    work()
    wall, cpu = [], []
    for _ in range(times):
        busy, started = _busy(), time.perf_counter()
        work()
        wall.append(1000 * (time.perf_counter() - started))
        cpu.append(1000 * (_busy() - busy))
    wall.sort()
    cpu.sort()
    return {"p50": wall[len(wall) // 2], "p95": _p95(wall), "cpu_p95": _p95(cpu), "of": times}


def sql(statement: str, given: list[Any]) -> Callable[[], Any]:
    """Run it and take all its rows."""
    from django.db import connection

    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, given)
            cursor.fetchall()

    return run


def pages(device: Any, times: int) -> dict[str, Any]:
    from django.test import Client
    from django.utils import timezone

    from accounts.models import User
    from devices.models import Device
    from devices.selectors.newest import newest_many

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_user("engineer", password=None, role="engineer"))
    numbers = list(Device.objects.values_list("pk", flat=True))
    turn = iter(numbers * times)

    def ask(path: str, **headers: str) -> None:
        answer = client.get(path, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")

    return {
        "fleet": timed(lambda: ask("/devices/"), times),
        "fleet_refresh": timed(lambda: ask("/devices/", **{"hx-request": "true"}), times),
        "twin": timed(lambda: ask(f"/devices/{next(turn)}/"), times),
        "twin_dense": timed(lambda: ask(f"/devices/{device.pk}/"), times),
        "newest": timed(lambda: newest_many(numbers, timezone.now()), times),
        "newest_raw": timed(sql(RAW_NEWEST, []), 5),
    }


def charts(device: Any, now: datetime, times: int) -> dict[str, Any]:
    from devices.selectors.readings import series

    start = now - timedelta(days=DENSE_DAYS)
    resolution, found = series(device=device, start=start, end=now)
    return {
        "resolution": resolution,
        "points": sum(len(points) for points in found.values()),
        "chart": timed(lambda: series(device=device, start=start, end=now), times),
        "chart_raw": timed(sql(RAW_HOURS, [device.pk, start, now]), 5),
    }


def past(device: Any, now: datetime, times: int) -> dict[str, Any]:
    from devices import projection
    from devices.models import TwinEvent
    from devices.selectors.twin import state_at
    from devices.services.events import append

    drawn = random.Random(1)
    moments = iter([now - timedelta(days=365 * drawn.random()) for _ in range(times + 1)])
    at = now - timedelta(days=1)
    journal_rows = TwinEvent.objects.filter(device=device, at__lte=at)

    def late() -> None:
        append(
            device=device,
            kind="config_reported",
            payload={"config": {"late": 1}},
            at=now - timedelta(days=7),
        )

    return {
        "as_of": timed(lambda: state_at(device, next(moments)), times),
        "as_of_whole": timed(lambda: projection.fold(journal_rows), 2),
        "late_event": timed(late, 5),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=10_000_000)
    parser.add_argument("--requests", type=int, default=40)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    started, now = time.perf_counter(), timezone.now()
    device, count = fill(options.readings, now)
    found: dict[str, Any] = {"readings": count, "filled": time.perf_counter() - started}
    gc.collect()
    gc.freeze()
    found |= pages(device, options.requests)
    found |= charts(device, now, options.requests)
    journal(device, now)
    found |= past(device, now, options.requests)
    found["load"] = os.getloadavg()[1]  # of the last five minutes
    json.dump(found, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
