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

# five a machine: three by the calendar, one counted from work, one by use; and days between two
RULES = {
    "FREQ=MONTHLY;INTERVAL=3": 91,
    "FREQ=MONTHLY;BYDAY=1MO": 30,
    "FREQ=WEEKLY": 7,
    "FREQ=YEARLY": 365,
    "by use": 90,
}
PAST_DAYS = 730
GOAL_SECONDS = 60.0
# verified orders of two years, each like one that the job made
HISTORY = """
    INSERT INTO devices_workorder ({columns}) SELECT {values} FROM devices_maintenanceplan p
    CROSS JOIN generate_series(1, %(most)s) AS back, devices_workorder t
    WHERE p.title = %(title)s AND t.id = %(like)s"""


def fill(count: int, today: date) -> None:
    """Machines, their counters and their plans, written past the services for speed."""
    from django.utils import timezone

    from devices.models import Device, DeviceModel, MaintenancePlan, Metric, ReadingLatest

    model = DeviceModel.objects.create(manufacturer="Bench", name="Due", modality="DX")
    meter = Metric.objects.create(device_model=model, key="exposures", label="Exposures", unit="1")
    Device.objects.bulk_create(
        [Device(serial=f"DUE-{n:06d}", name=f"XR {n}", model=model) for n in range(count)],
        batch_size=2000,
    )
    now, start = timezone.now(), today - timedelta(days=PAST_DAYS)
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
        plans += [
            MaintenancePlan(
                device=device, title=rule, rrule=rule, starts_on=start,
                next_due_on=today + timedelta(days=n % days),
                timing="floating" if rule == "FREQ=YEARLY" else "fixed",
                checklist=["look", "measure"],
            )
            for rule, days in RULES.items()
            if rule != "by use"
        ]  # fmt: skip
        plans.append(
            MaintenancePlan(
                device=device, title="by use", timing="meter", meter=meter, meter_every=4_000,
                meter_base=float(n % 2_000), meter_since=now, starts_on=start,
            )
        )  # fmt: skip
    MaintenancePlan.objects.bulk_create(plans, batch_size=2000)


def history(today: date) -> int:
    """What was done in two years, and its events; how many orders that is."""
    from django.db import connection
    from django.utils import timezone

    from devices.models import MaintenancePlan, WorkOrder

    plan = MaintenancePlan.objects.order_by("pk").first()
    now = timezone.now()
    like = WorkOrder.objects.create(
        device=plan.device, plan=None, title="like this", state="verified", signature="E. Ngineer",
        started_at=now, completed_at=now, verified_at=now, evidence="",
        checklist=[{"step": "look", "done": True, "note": ""}],
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'devices_workorder' AND column_name <> 'id'"
        )
        names = [name for (name,) in cursor.fetchall()]
        for title, days in RULES.items():
            # a plan's next due date is ahead by less than its days: the one before is past
            due = f"COALESCE(p.next_due_on, DATE '{today}') - back * {days}"
            other = {"device_id": "p.device_id", "plan_id": "p.id", "occurs_on": due, "due_on": due}
            values = ", ".join(other.get(name, f"t.{name}") for name in names)
            statement = HISTORY.format(columns=", ".join(names), values=values)
            cursor.execute(statement, {"most": PAST_DAYS // days, "title": title, "like": like.pk})
        like.delete()
        cursor.execute(
            "INSERT INTO devices_workorderevent (order_id, at, from_state, to_state, note, detail)"
            " SELECT id, completed_at, 'done', 'verified', '', '{}' FROM devices_workorder"
        )
        cursor.execute("ANALYZE")
    return WorkOrder.objects.count()


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
    fill(count, today)
    past = history(today)
    now = timezone.now()

    def timed(moment: datetime) -> tuple[int, float]:
        begun = time.perf_counter()
        made = job(moment)
        return made, round(time.perf_counter() - begun, 1)

    first, first_seconds = timed(now)
    nothing, idle = timed(now)
    tomorrows, day = timed(now + timedelta(days=1))
    after = kill_and_go_on(now + timedelta(days=8), kill_after)
    months, months_seconds = timed(now + timedelta(days=68))
    found = rows()
    return {
        "devices": count,
        "plans": 5 * count,
        "orders_of_the_past": past,
        "first_orders": first,
        "first_seconds": first_seconds,
        "again_orders": nothing,
        "again_seconds": idle,
        "a_day_later_orders": tomorrows,
        "a_day_later_seconds": day,
        **after,
        "backlog_of_60_days_orders": months,
        "backlog_of_60_days_seconds": months_seconds,
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
