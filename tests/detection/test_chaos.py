"""Real processes are killed, messages lost and doubled, the database restarted.

Afterwards each film that the door acknowledged has been read exactly once: one run, done, with one
set of findings.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from scripts.servers import postgres_programs
from scripts.servers import redis as own_redis
from tests.imaging.factories import make_dicom
from tests.migrated import fresh_database
from tests.processes import ROOT, Hospital, OwnPostgres, kill_group, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
APP = "tests.detection.slow_worker"
WEIGHTS = ROOT / "detection" / "weights" / "active.pth"
STAND_IN = "no-weights-here"
PREPARE = """
from rest_framework.authtoken.models import Token
from accounts.models import User
user = User.objects.create_user("reader", password="x" * 12, role="clinician")
print("token", Token.objects.create(user=user).key)
"""


class Door:
    """A clinician's program that uploads films and remembers which were acknowledged."""

    def __init__(self, hospital: Hospital, token: str) -> None:
        self.hospital = hospital
        self.token = token
        self.acknowledged: list[int] = []

    def upload(self, count: int = 1) -> list[int]:
        return [self.try_upload() or pytest.fail("the upload was refused") for _ in range(count)]

    def try_upload(self) -> int | None:
        try:
            answer = requests.post(
                f"http://127.0.0.1:{self.hospital.port}/api/v1/images/",
                files={"file": ("film.dcm", make_dicom())},
                headers={"Authorization": f"Token {self.token}"},
                timeout=60,
            )
        except requests.RequestException:
            return None
        if answer.status_code != 201:
            return None
        image = int(answer.json()["id"])
        self.acknowledged.append(image)
        return image

    def states(self, images: list[int] | None = None) -> list[str]:
        marks = ", ".join(str(i) for i in images or self.acknowledged)
        rows = self.hospital.query(
            f"SELECT state FROM detection_detectionrun WHERE image_id IN ({marks})"
        )
        return [state for (state,) in rows]

    def wait_until_read(self, seconds: float = 100) -> None:
        wait_for(
            lambda: set(self.states()) == {"done"} and self.settled(),
            seconds,
            what=f"all read; now {self.states()}; {self.hospital.log('worker')[-2000:]}",
        )

    def settled(self) -> bool:
        return len(self.states()) == len(self.acknowledged)

    def check_read_once(self) -> None:
        """One run per acknowledged film, done; no finding is there twice."""
        self.wait_until_read()
        runs = self.hospital.query("SELECT id, image_id, attempts FROM detection_detectionrun")
        assert sorted(image for _, image, _ in runs) == sorted(self.acknowledged)
        findings = self.hospital.query(
            "SELECT run_id, label, score, x, y, w, h FROM detection_finding"
        )
        assert len(findings) == len(set(findings))
        if not WEIGHTS.exists():  # the stand-in finds one box in each film
            assert sorted(f[0] for f in findings) == sorted(run for run, _, _ in runs)


def settings_for_weights(folder: Path) -> dict[str, str]:
    """The release's weights, or a stand-in that passes the checks at the start."""
    if WEIGHTS.exists():
        return {}
    content = b"a stand-in"
    (folder / "active.pth").write_bytes(content)
    manifest = {
        "name": STAND_IN,
        "file": "active.pth",
        "sha256": hashlib.sha256(content).hexdigest(),
        "config": "light",
        "classes": ["covid", "pneumonia", "normal"],
        "thresholds": {"covid": 0.5, "pneumonia": 0.5, "normal": 0.5},
        "image_size": 512,
        "training": {},
        "metrics": {},
    }
    (folder / "active.json").write_text(json.dumps(manifest))
    return {"DETECTOR_WEIGHTS": str(folder / "active.pth")}


def open_hospital(folder: Path, database: str | None, queue: str | None) -> tuple[Hospital, Door]:
    """Tables, a reader, the detector, web and beat; no worker yet."""
    hospital = Hospital(
        folder,
        database_url=database,
        redis_url=queue,
        worker_app=APP,
        environment={"DETECTOR_DELAY_SECONDS": "1", **settings_for_weights(folder)},
    )
    hospital.make_tables()
    output = hospital.manage("shell", "--verbosity", "0", "-c", PREPARE)
    hospital.manage("register_detector")
    hospital.wipe_queue()
    hospital.web()
    hospital.beat()
    return hospital, Door(hospital, output.split("token ")[1].split()[0])


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("hospital")
    server = os.environ.get("TEST_DATABASE_URL")
    queue = os.environ.get("TEST_REDIS_URL") or None
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(fresh_database(server)) if server else None
        hospital, door = open_hospital(folder, database, queue)
        stack.callback(hospital.end)
        yield door


def wait_until_one_is_running(door: Door, images: list[int]) -> None:
    wait_for(lambda: "running" in door.states(images), what="a run in progress")


def test_a_worker_killed_in_mid_run(door: Door) -> None:
    worker = door.hospital.worker()
    images = door.upload(4)
    wait_until_one_is_running(door, images)
    kill_group(worker)
    assert "running" in door.states(images)  # the row of a dead worker
    door.hospital.worker(concurrency=2)
    door.check_read_once()
    again = door.hospital.query("SELECT max(attempts) FROM detection_detectionrun")
    assert again[0][0] >= 2


def test_the_queue_wiped(door: Door) -> None:
    worker = door.hospital.running[-1]
    os.killpg(worker.pid, signal.SIGSTOP)
    try:
        door.upload(6)
        assert door.hospital.wipe_queue() >= 3
    finally:
        os.killpg(worker.pid, signal.SIGCONT)
    door.check_read_once()


def test_messages_doubled(door: Door) -> None:
    """Each run is sent again several times while two processes read."""
    images = door.upload(4)
    send = (
        "from detection.models import DetectionRun as R; from detection.tasks import "
        "execute_run_task as t; [t.delay(r.pk) for _ in range(5) for r in "
        f"R.objects.filter(image_id__in={images})]"
    )
    door.hospital.manage("shell", "--verbosity", "0", "-c", send)
    door.check_read_once()


def test_a_queue_that_is_away_when_films_come(door: Door) -> None:
    """Only the file-system queue can be taken away under a running web process.

    A worker ends when it goes, and whoever supervises it starts another.
    """
    messages = door.hospital.folder / "queue" / "messages"
    if door.hospital.redis_url:
        pytest.skip("with Redis: tests/detection/test_request.py speaks to a port that refuses")
    kill_group(door.hospital.running[-1])
    away = messages.with_name("away")
    messages.rename(away)
    try:
        door.upload(2)
    finally:
        away.rename(messages)
    door.hospital.worker()
    door.check_read_once()


@pytest.mark.skipif(
    not os.environ.get("TEST_DATABASE_URL"), reason="SQLite has no server to restart"
)
@pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL's programs are missing")
def test_the_database_restarted(tmp_path: Path) -> None:
    """A server of the test's own loses its power in mid-run and comes back."""
    postgres = OwnPostgres()
    with contextlib.ExitStack() as stack:
        stack.callback(postgres.remove)
        postgres.start()
        queue = stack.enter_context(own_redis()) if os.environ.get("TEST_REDIS_URL") else None
        hospital, door = open_hospital(tmp_path, postgres.url, queue)
        stack.callback(hospital.end)
        hospital.worker()
        images = door.upload(3)
        wait_until_one_is_running(door, images)
        postgres.stop()
        assert door.try_upload() is None  # nothing is acknowledged that can't be kept
        time.sleep(2)
        postgres.start()
        wait_for(door.try_upload, what="uploads work again")
        door.check_read_once()
