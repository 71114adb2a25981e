"""Two workers at once, and one that is killed: nobody hears the same thing twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from devices.models import Notification
from notices.models import Digest, Notice
from notices.services import digests, telling
from tests.devices.maintenance_rows import today
from tests.devices.test_events import in_threads
from tests.processes import Hospital, kill_group, wait_for

from .rows import at, order, person


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600)
def test_four_workers_at_once_tell_once() -> None:
    mine = person(ways={"order_due": "email"}, digest_empty=True)
    telling.tell_all(now=at(today(-20)))
    rows = [order(mine, today()) for _ in range(10)]
    morning = at(today(), "07:05")

    def work(number: int) -> None:
        telling.tell_all(now=morning + timedelta(seconds=number))
        digests.make_due(now=morning + timedelta(seconds=number))

    assert in_threads(4, work) == []
    found = Notice.objects.filter(user=mine, kind="order_due")
    assert sorted(found.values_list("subject", flat=True)) == [row.pk for row in rows]
    letters = Notification.objects.filter(user=mine, letter="notice")
    assert letters.filter(occasion__startswith="order_due").count() == 10
    assert Digest.objects.filter(user=mine).count() == 1


MAKE = """
from datetime import timedelta
from django.utils import timezone
from devices.models import WorkOrder
from notices.models import Look
from tests.devices import factories as f
from tests.notices.rows import person, choose
user = person(scope="all")
device = f.device()
day = timezone.localdate() - timedelta(days=3)
WorkOrder.objects.bulk_create(
    [WorkOrder(device=device, title=f"order {n}", state="planned", due_on=day, assigned_to=user)
     for n in range(3000)], batch_size=500)
"""
SLOW = """
import os
from twinhealth.celery import app
from celery.signals import task_prerun
@task_prerun.connect
def slow(task=None, **kwargs):
    if task.name == "notices.tasks.tell_notices_task" and not os.path.exists(os.environ["FLAG"]):
        from notices.services import telling
        telling.BATCH = 500
        real = telling._write
        def write(*args):
            made = real(*args)
            if not os.path.exists(os.environ["FLAG"]):
                open(os.environ["FLAG"], "w").close()
                import time
                time.sleep(600)
            return made
        telling._write = write
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Hospital]:
    """On SQLite and the file-system queue, with a worker that stops in the middle."""
    (tmp_path / "data").mkdir()
    (tmp_path / "slowly.py").write_text(SLOW)
    made = Hospital(tmp_path / "data", worker_app="slowly")
    flag = tmp_path / "flag"
    made.environment["FLAG"] = str(flag)
    made.environment["PYTHONPATH"] += f":{tmp_path}"
    made.make_tables()
    made.manage("shell", "-c", MAKE)
    yield made
    made.end()


@pytest.mark.processes
@pytest.mark.timeout(600)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the same on either database")
def test_a_worker_killed_in_mid_batch_is_followed_by_another(house: Hospital) -> None:
    send = "from notices.tasks import tell_notices_task; tell_notices_task.delay()"
    first = house.worker("first")
    house.manage("shell", "-c", send)
    wait_for(lambda: Path(house.environment["FLAG"]).exists(), 120, "the worker is in the middle")
    kill_group(first)
    count = "SELECT count(*) FROM notices_notice"
    assert house.query(count) == [(0,)]
    house.worker("second")
    house.manage("shell", "-c", send)
    wait_for(lambda: house.query(count)[0][0] >= 3000, 180, "all are told")
    house.manage("shell", "-c", send)
    house.manage("shell", "-c", "from notices.services import telling; telling.tell_all()")
    once = "SELECT count(*) FROM (SELECT DISTINCT user_id, kind, subject FROM notices_notice)"
    assert house.query(count) == house.query(once) == [(3000,)]  # late, and neither due nor coming
