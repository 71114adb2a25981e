"""The figures, the month and the week of maintenance over a large house: time in the server.

    DATABASE_URL=postgres:///NAME python -m benchmarks.maintenance [--devices 10000]
        [--orders 100000] [--requests 20] [--explain 50]

The database named must be one of its own: where it is empty, machines, plans, orders over two years
and downtimes are made in it; what is there already is kept and used.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .worklist import explain, measure

PAGES: Final[dict[str, tuple[str, ...]]] = {
    "figures, 90 days": ("/maintenance/figures/",),
    "figures, two years": ("/maintenance/figures/?from={long}",),
    "figures by room": ("/maintenance/figures/?by=room",),
    "figures by REST, by model": ("/api/v1/maintenance-figures/?by=model",),
    "rows of work in time": ("/maintenance/figures/on_time/",),
    "month": ("/maintenance/?view=calendar",),
    "week": ("/maintenance/week/",),
}


def fill(devices: int, orders: int) -> None:
    """Machines with a plan each, orders over two years up to a month ahead, and downtimes."""
    from accounts.models import User
    from devices.models import Device, DeviceModel, Downtime, MaintenancePlan, WorkOrder

    if Device.objects.exists():
        return
    chance = random.Random(7)
    now = datetime.now(UTC).replace(microsecond=0)
    workers = [User.objects.create_user(f"e{number}", role="engineer") for number in range(12)]
    User.objects.create_user("boss", role="admin")
    models = [
        DeviceModel.objects.create(manufacturer="M", name=f"K{n}", modality="DX") for n in range(20)
    ]
    Device.objects.bulk_create(
        Device(serial=f"S{n}", name=f"XR-{n}", model=models[n % 20], location=f"room {n % 400}")
        for n in range(devices)
    )
    Device.objects.update(registered_at=now - timedelta(days=730))
    machines = list(Device.objects.order_by("pk"))
    MaintenancePlan.objects.bulk_create(
        MaintenancePlan(
            device=each, title="Service", rrule="FREQ=MONTHLY;INTERVAL=3",
            starts_on=(now - timedelta(days=730)).date(),
            next_due_on=(now + timedelta(days=20 + n % 90)).date(),
        )
        for n, each in enumerate(machines)
    )  # fmt: skip
    plans = list(MaintenancePlan.objects.order_by("pk"))
    rows = []
    each_has = orders // devices
    for n in range(orders):
        plan = plans[n % devices]
        # one due date of a plan once: apart by more than they are shifted
        days = 760 * (n // devices) // each_has + chance.randrange(max(1, 740 // each_has))
        due = now - timedelta(days=730) + timedelta(days=days)
        done = due < now and chance.random() < 0.93
        at = due + timedelta(days=chance.randrange(-5, 9), minutes=chance.randrange(900))
        rows.append(
            WorkOrder(
                device_id=plan.device_id, plan=plan, title="Service", due_on=due.date(),
                grace_days=7, state="done" if done else "planned",
                assigned_to=chance.choice(workers), signature="s" if done else "",
                started_at=at - timedelta(hours=2) if done else None,
                completed_at=at if done else None,
            )
        )  # fmt: skip
    WorkOrder.objects.bulk_create(rows, batch_size=5_000)
    Downtime.objects.bulk_create(
        (
            Downtime(
                device=each, starts_at=(at := now - timedelta(days=730 - 70 * k, hours=n % 900)),
                ends_at=at + timedelta(hours=1 + n % 30), planned=bool((n + k) % 3), reason="x",
            )
            for n, each in enumerate(machines)
            for k in range(10)
        ),
        batch_size=5_000,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=20, help="to each address")
    parser.add_argument("--explain", type=float, metavar="MS")
    options = parser.parse_args()
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    fill(options.devices, options.orders)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    from accounts.models import User

    gc.collect()
    gc.freeze()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="boss"))
    long = (datetime.now(UTC) - timedelta(days=720)).date().isoformat()

    def ask(page: str) -> Any:
        answer = client.get(page)
        if answer.status_code != 200:
            raise RuntimeError(f"{page}: {answer.status_code}")
        return answer

    found = {}
    for name, pages in PAGES.items():
        addresses = tuple(page.format(long=long) for page in pages)
        found[name] = measure(ask, addresses, options.requests)
        if options.explain:
            explain(ask, addresses, options.explain)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
