"""Telling of maintenance in a large house: seconds, queries, and against a query per person.

    DATABASE_URL=postgres://… python -m benchmarks.notices [--devices 10000] [--orders 50000]
        [--people 60]

Run it against an empty, migrated database: it makes its own rows and leaves them.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django


def fill(devices: int, orders: int, people: int) -> None:
    """Machines with a plan each, open orders over 100 days before and after now, and people."""
    from django.utils import timezone

    from accounts.models import User
    from devices.models import Device, DeviceModel, MaintenancePlan, WorkOrder
    from notices.models import NoticeSettings

    if Device.objects.exists():
        return
    made = DeviceModel.objects.create(manufacturer="M", name="K", modality="DX")
    Device.objects.bulk_create(
        (
            Device(serial=f"N{n}", name=f"XR-{n}", model=made, location=f"room {n % 400}")
            for n in range(devices)
        ),
        batch_size=2000,
    )
    machines = list(Device.objects.order_by("pk"))
    today = timezone.localdate()
    MaintenancePlan.objects.bulk_create(
        (
            MaintenancePlan(
                device=each, title="Service", rrule="FREQ=MONTHLY;INTERVAL=3",
                starts_on=today, next_due_on=today + timedelta(days=n % 90 + 15),
            )
            for n, each in enumerate(machines)
        ),
        batch_size=2000,
    )  # fmt: skip
    staff = [
        User.objects.create_user(
            f"n{n}", role="admin" if n % 20 == 0 else "engineer", email=f"n{n}@example.org"
        )
        for n in range(people)
    ]
    NoticeSettings.objects.bulk_create(
        NoticeSettings(
            user=each, ahead=[7, 1], scope="rooms" if n % 3 == 0 else "mine",
            rooms=[f"room {n}", f"room {n + 60}"],
        )
        for n, each in enumerate(staff) if each.role == "engineer"
    )  # fmt: skip
    WorkOrder.objects.bulk_create(
        (
            WorkOrder(
                device=machines[n % devices], title="Service", state="planned",
                # one in twenty is late by its grace of a week
                due_on=today + timedelta(days=n % 95 if n % 20 else -(n // 20 % 60) - 8),
                grace_days=7, assigned_to=staff[n % people] if n % 4 else None,
            )
            for n in range(orders)
        ),
        batch_size=2000,
    )  # fmt: skip


def counted(work: Callable[[], Any]) -> dict[str, Any]:
    """Seconds and queries of one call, and what it gave."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    begun = time.perf_counter()
    with CaptureQueriesContext(connection) as seen:
        gave = work()
    return {"seconds": round(time.perf_counter() - begun, 2), "queries": len(seen), "gave": gave}


def one_by_one() -> int:
    """The same happenings asked for person by person, as a simple job would."""
    from datetime import datetime

    from django.utils import timezone

    from devices.notice_kinds import kinds
    from notices import people as people_of
    from notices.people import People
    from notices.spans import span

    now: datetime = timezone.now()
    found = 0
    for person in people_of.everybody().by_pk.values():
        alone = People([person])
        looked = span(now - timedelta(days=8), now, alone.ahead)
        found += sum(1 for kind in kinds() for _ in alone.told(kind, kind.happened(looked)))
    return found


def main() -> None:
    """Fill, tell twice, make and write the digests, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--people", type=int, default=60)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
    django.setup()
    from django.utils import timezone

    from accounts.models import User
    from notices import selectors
    from notices.services import telling

    fill(given.devices, given.orders, given.people)
    now = timezone.now()
    boss = User.objects.filter(role="admin").order_by("pk").first()
    worker = User.objects.filter(role="engineer").order_by("pk").first()
    print(
        json.dumps(
            {
                "devices": given.devices,
                "orders": given.orders,
                "people": given.people,
                "first look": counted(lambda: telling.tell_all(now=now)),
                "next look": counted(lambda: telling.tell_all(now=now + timedelta(minutes=5))),
                "digest of an admin": counted(
                    lambda: selectors.digest_now(boss, now).count  # type: ignore[arg-type]
                ),
                "digest of an engineer": counted(
                    lambda: selectors.digest_now(worker, now).count  # type: ignore[arg-type]
                ),
                "a query per person and kind": counted(one_by_one),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
