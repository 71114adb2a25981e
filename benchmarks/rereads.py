"""A machine with 100,000 films since D is marked as degraded: the answer, the worker, the pages.

    DATABASE_URL=postgres:///NAME python -m benchmarks.rereads [--films 100000] [--requests 30]
        [--seconds 60]

The database named must be one of its own: where it is empty, tables and films are made in it.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="twinhealth-bench-"))

WAITING: Final = 500  # films that nobody has signed yet
NAME: Final = "the degraded one"


def machine(films: int) -> Any:
    """The machine that took all films, watched by one rule, with a reading each day."""
    from django.db import connection
    from django.utils import timezone

    from detection.models import DetectorVersion
    from devices.models import Device, DeviceModel, Metric, Reading, Rule

    model = DeviceModel.objects.create(manufacturer="Bench", name="B-2", modality="DX")
    device = Device.objects.create(serial="B-deg", name=NAME, model=model, is_synthetic=True)
    noise = Metric.objects.create(device_model=model, key="noise", label="noise", unit="1")
    Rule.objects.create(metric=noise, name="noise", severity="act", high=5.0)
    now, days = timezone.now(), films // 1440 + 2
    Reading.objects.bulk_create(
        Reading(
            device=device, metric=noise, value=1.0, source="rest",
            measured_at=now - timedelta(days=day), received_at=now - timedelta(days=day),
        )
        for day in range(days)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("UPDATE imaging_image SET device_id = %s", [device.pk])
        cursor.execute(
            "UPDATE detection_detectionrun SET trust_at = now() - interval '1 day',"
            " trust_device_id = %s, device_trust = 'full' WHERE version_id = %s",
            [device.pk, DetectorVersion.objects.get(state="active").pk],
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return device


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what came of it."""
    start = time.perf_counter()
    found = act()
    return 1000 * (time.perf_counter() - start), found


def worker(seconds: float) -> dict[str, float]:
    """The list filled to the end, then trust for so many seconds; films a second of each."""
    from django.utils import timezone

    from detection.models import DetectionRun, ReReadList
    from detection.services import reread_work

    from .worklist import _busy

    listed = ReReadList.objects.get()
    took, _ = timed(lambda: list(reread_work.list_bites(listed)))
    start, busy, before = time.perf_counter(), _busy(), timezone.now()
    reread_work.work_lists(seconds=seconds)
    spent, busy = time.perf_counter() - start, _busy() - busy
    told = DetectionRun.objects.filter(trust_at__gte=before).count()
    again, _ = timed(lambda: list(reread_work.list_bites(listed)))
    return {
        "listed": listed.items.count(),
        "list_s": took / 1000,
        "trust_per_s": told / spent,
        "trust_cpu_ms": 1000 * busy / max(1, told),
        "look_ms": again,
    }


def pages(client: Any, requests: int) -> dict[str, Any]:
    """What `benchmarks.worklist.measure` says of each address."""
    from detection.models import ReReadList
    from devices.models import Device

    from .worklist import measure

    one, device = ReReadList.objects.get().pk, Device.objects.get(name=NAME).pk
    since = "2000-01-01T00:00:00Z"
    asked = {
        "list, first page": f"/re-reads/{one}/",
        "list, page 1,000": f"/re-reads/{one}/?page=1000",
        "list, filtered and sorted": f"/re-reads/{one}/?show=all&why=negative&ordering=-signed",
        "list by REST": f"/api/v1/re-read-lists/{one}/",
        "all lists": "/re-reads/",
        "preview of the mark": f"/devices/{device}/degraded/preview/?since={since}",
        "findings and negatives since, by REST": (
            f"/api/v1/devices/{device}/re-read-list/?since={since}"
        ),
    }
    found = {}
    for name, address in asked.items():
        answer = client.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")
        found[name] = measure(client.get, (address,), requests)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=30, help="to each address")
    parser.add_argument("--seconds", type=float, default=60, help="of the worker's trust")
    options = parser.parse_args()
    from .worklist import prepare

    prepare(options.films, WAITING)
    from django.test import Client
    from django.utils import timezone

    from accounts.models import User
    from devices.services.degraded import mark

    device = machine(options.films)
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="clinician"))
    marked, _ = timed(
        lambda: mark(
            device=device,
            since=timezone.now() - timedelta(minutes=options.films),
            reason="stripes",
            actor=User.objects.get(username="engineer"),
        )
    )
    result = {"films": options.films, "mark_ms": marked, "load": os.getloadavg()[0]}
    result |= worker(options.seconds) | {"pages": pages(client, options.requests)}
    export, _ = timed(lambda: sum(map(len, client.get("/re-reads/1/export.csv").streaming_content)))
    print(json.dumps(result | {"export_s": export / 1000}))


if __name__ == "__main__":
    main()
