"""The daily job over many machines: seconds, killed in the middle, and twice at once.

    DATABASE_URL=postgres://… python -m benchmarks.due_orders --devices 10000

Run it against an empty, migrated database: it makes its own rows and leaves them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import time
from datetime import date, datetime, timedelta
from typing import Any

import django

# five a machine: two by the calendar, a daily one, one counted from work, one by use
RULES = ("FREQ=MONTHLY;INTERVAL=3", "FREQ=MONTHLY;BYDAY=1MO", "FREQ=WEEKLY", "FREQ=YEARLY")
GOAL_SECONDS = 60.0


def fill(count: int, start: date) -> None:
    """Machines, their counters and their plans, written past the services for speed."""
    from django.utils import timezone

    from devices.models import Device, DeviceModel, MaintenancePlan, Metric, ReadingLatest

    model = DeviceModel.objects.create(manufacturer="Bench", name="Due", modality="DX")
    meter = Metric.objects.create(device_model=model, key="exposures", label="Exposures", unit="1")
    Device.objects.bulk_create(
        [Device(serial=f"DUE-{n:06d}", name=f"XR {n}", model=model) for n in range(count)],
        batch_size=2000,
    )
    now = timezone.now()
    devices = list(Device.objects.filter(model=model).order_by("pk"))
    ReadingLatest.objects.bulk_create(
        [
            ReadingLatest(device=d, metric=meter, measured_at=now, value=5_000, received_at=now)
            for d in devices
        ],
        batch_size=2000,
    )
    plans = []
    for n, device in enumerate(devices):
        first = start + timedelta(days=n % 90)
        plans += [
            MaintenancePlan(
                device=device, title=rule, rrule=rule, starts_on=first, next_due_on=first,
                timing="floating" if rule == "FREQ=YEARLY" else "fixed",
                checklist=["look", "measure"],
            )
            for rule in RULES
        ]  # fmt: skip
        plans.append(
            MaintenancePlan(
                device=device, title="by use", timing="meter", meter=meter, meter_every=4_000,
                meter_base=float(n % 2_000), meter_since=now, starts_on=first,
            )
        )  # fmt: skip
    MaintenancePlan.objects.bulk_create(plans, batch_size=2000)


def job(now: datetime) -> int:
    """One run, in a process of its own."""
    from django.db import connection

    from devices.services.plan_orders import materialise_due_orders

    connection.close()
    return materialise_due_orders(now=now)


def _child(now: datetime) -> None:
    job(now)


def rows() -> dict[str, int]:
    """What the database holds, and what it holds twice."""
    from django.db.models import Count

    from devices.models import WorkOrder, WorkOrderEvent

    twice = (
        WorkOrder.objects.values("plan", "occurs_on")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
        .count()
    )
    return {
        "orders": WorkOrder.objects.count(),
        "events": WorkOrderEvent.objects.count(),
        "twice": twice,
    }


def kill_and_go_on(now: datetime, after: float) -> dict[str, Any]:
    """Kill a run, then start two at once; then one more, which must make nothing."""
    spawn = multiprocessing.get_context("fork")
    from django.db import connection

    connection.close()
    victim = spawn.Process(target=_child, args=(now,))
    victim.start()
    time.sleep(after)
    killed = victim.is_alive()
    if killed and victim.pid:
        os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    half = rows()
    connection.close()
    pair = [spawn.Process(target=_child, args=(now,)) for _ in range(2)]
    begun = time.perf_counter()
    for process in pair:
        process.start()
    for process in pair:
        process.join()
    seconds = time.perf_counter() - begun
    return {
        "killed": killed,
        "orders_when_killed": half["orders"],
        "twice_at_once_seconds": round(seconds, 1),
        "ended_well": [process.exitcode for process in pair] == [0, 0],
        "made_by_one_more": job(now),
    }


def measure(count: int, kill_after: float = 6.0) -> dict[str, Any]:
    """All of it.

    Args:
        count: machines, with five plans each.
        kill_after: seconds after which the run of a week later is killed.
    """
    from django.utils import timezone

    today = timezone.localdate()
    fill(count, today - timedelta(days=60))
    now = timezone.now()
    begun = time.perf_counter()
    made = job(now)
    first = time.perf_counter() - begun
    begun = time.perf_counter()
    nothing = job(now)
    idle = time.perf_counter() - begun
    begun = time.perf_counter()
    tomorrows = job(now + timedelta(days=1))
    day = time.perf_counter() - begun
    after = kill_and_go_on(now + timedelta(days=8), kill_after)
    found = rows()
    return {
        "devices": count,
        "plans": 5 * count,
        "backlog_of_60_days_orders": made,
        "backlog_of_60_days_seconds": round(first, 1),
        "again_orders": nothing,
        "again_seconds": round(idle, 1),
        "a_day_later_orders": tomorrows,
        "a_day_later_seconds": round(day, 1),
        **after,
        **found,
        "goal_seconds": GOAL_SECONDS,
    }


def main() -> None:
    """Print the figures; fail where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--kill-after", type=float, default=6.0)
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.production")
    django.setup()
    found = measure(chosen.devices, chosen.kill_after)
    print(json.dumps(found, indent=1))
    good = (
        found["a_day_later_seconds"] < GOAL_SECONDS
        and found["again_seconds"] < GOAL_SECONDS
        and found["twice"] == 0
        and found["made_by_one_more"] == 0
        and found["events"] == found["orders"]
    )
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
