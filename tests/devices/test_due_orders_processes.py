"""The daily job as real processes: `kill -9` in the middle, then two at once; the rows are the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.migrated import fresh_database
from tests.processes import Hospital, kill_group, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
DEVICES = 60
GROUP = 30  # plans in one transaction
BEGIN = "import django; django.setup()\n"
FILL = f"""{BEGIN}
import datetime, sys
from benchmarks import due_orders
due_orders.fill({DEVICES}, datetime.date.fromisoformat(sys.argv[1]))
"""
JOB = f"""{BEGIN}
import datetime, sys
from devices.services import plan_orders
plan_orders.CHUNK = {GROUP}
plan_orders.materialise_due_orders(now=datetime.datetime.fromisoformat(sys.argv[1]))
"""
# the fourth group is written and not committed: there the process stands until it is killed
STANDS = f"""{BEGIN}
import datetime, pathlib, sys, time
from devices.services import plan_orders
plan_orders.CHUNK = {GROUP}
real, made = plan_orders.materialise, []
def stands(*args):
    made.append(real(*args))
    if len(made) == 4:
        pathlib.Path(sys.argv[2]).write_text(str(sum(made[:3])))
        time.sleep(600)
    return made[-1]
plan_orders.materialise = stands
plan_orders.materialise_due_orders(now=datetime.datetime.fromisoformat(sys.argv[1]))
"""
ROWS = """
SELECT d.serial, p.title, o.occurs_on, o.due_on, o.state, o.title,
       (SELECT count(*) FROM devices_workorderevent e WHERE e.order_id = o.id)
FROM devices_workorder o
JOIN devices_maintenanceplan p ON p.id = o.plan_id
JOIN devices_device d ON d.id = o.device_id
ORDER BY d.serial, p.title, o.occurs_on, o.id
"""
NEXT = "SELECT id, next_due_on FROM devices_maintenanceplan ORDER BY id"


@pytest.fixture
def hospitals(tmp_path: Path) -> Iterator[tuple[Hospital, Hospital]]:
    """Two of the same fleet: one is disturbed, the other isn't."""
    server = os.environ.get("TEST_DATABASE_URL")
    with ExitStack() as stack:
        made = []
        for name in ("disturbed", "calm"):
            (tmp_path / name).mkdir()
            url = stack.enter_context(fresh_database(server)) if server else None
            hospital = Hospital(tmp_path / name, database_url=url)
            stack.callback(hospital.end)
            hospital.make_tables()
            made.append(hospital)
        yield made[0], made[1]


def run(hospital: Hospital, name: str, script: str, *arguments: str) -> Any:
    return hospital.start(name, sys.executable, "-c", script, *arguments)


def ended(hospital: Hospital, name: str, process: Any) -> None:
    assert process.wait(timeout=120) == 0, hospital.log(name)[-3000:]


def test_killed_in_the_middle_and_run_twice_at_once(
    hospitals: tuple[Hospital, Hospital], tmp_path: Path
) -> None:
    disturbed, calm = hospitals
    now = timezone.now()
    start = (timezone.localdate(now) - timedelta(days=30)).isoformat()
    for hospital in hospitals:
        ended(hospital, "fill", run(hospital, "fill", FILL, start))
    ended(calm, "job", run(calm, "job", JOB, now.isoformat()))
    wanted = calm.query(ROWS)

    marker = tmp_path / "stands"
    process = run(disturbed, "killed", STANDS, now.isoformat(), str(marker))
    wait_for(
        lambda: marker.exists() and marker.read_text(),
        what=f"the fourth group: {disturbed.log('killed')[-2000:]}",
    )
    assert process.poll() is None
    kill_group(process)
    assert process.returncode == -9
    half = disturbed.query(ROWS)
    assert len(half) == int(marker.read_text())  # three groups whole, nothing of the fourth
    assert 0 < len(half) < len(wanted)

    both = [(name, run(disturbed, name, JOB, now.isoformat())) for name in ("first", "second")]
    for name, job in both:
        ended(disturbed, name, job)
    assert disturbed.query(ROWS) == wanted
    assert disturbed.query(NEXT) == calm.query(NEXT)
    ended(disturbed, "third", run(disturbed, "third", JOB, now.isoformat()))
    assert disturbed.query(ROWS) == wanted
