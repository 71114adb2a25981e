"""Readings through both doors, against the same rows by COPY and executemany.

    python -m benchmarks.readings [--readings 100000]

A PostgreSQL of its own that syncs to disk, and a broker; nothing is asked of servers that are there
already. Prints JSON: readings per second, each way, all into the same table with all its indexes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from scripts.servers import Mosquitto, postgres, redis

from .mqtt_sender import Sender
from .stack import Stack, stack

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 10_000
SENDERS = 2
MACHINES = 300  # of the run in which each message comes from another one
PREPARE = """
from accounts.models import User
from devices.models import DeviceModel, Metric
from devices.services import keys, registry
model = DeviceModel.objects.create(manufacturer="Bench", name="X", modality="DX")
metric = Metric.objects.create(device_model=model, key="noise", label="Noise", unit="kV")
for n in range(COUNT):
    device = registry.register_device(serial=f"B-{n}", name=f"B-{n}", model=model, actor=None)
    key = keys.make(device=device, name="bench", actor=User.objects.get(username="engineer"))[1]
    print("ROW", device.pk, metric.pk, device.serial, key)
"""
INSERT = (
    "INSERT INTO devices_reading (device_id, metric_id, value, measured_at, received_at, source)"
    " VALUES (%s, %s, %s, %s, now(), 'rest')"
)
COLUMNS = "device_id, metric_id, value, measured_at, received_at, source"


def moments(count: int) -> list[str]:
    return [(START + timedelta(seconds=n)).isoformat() for n in range(count)]


def by_copy(link: Any, device: int, metric: int, times: list[str]) -> None:
    """One COPY and one commit for each batch."""
    for begin in range(0, len(times), BATCH):
        part = times[begin : begin + BATCH]
        start = f"{device}\t{metric}"
        text = "".join(f"{start}\t{n}.5\t{at}\t{at}\trest\n" for n, at in enumerate(part))
        with link.cursor() as cursor:
            cursor.copy_expert(f"COPY devices_reading ({COLUMNS}) FROM STDIN", io.StringIO(text))
        link.commit()


def by_executemany(link: Any, device: int, metric: int, times: list[str]) -> None:
    """One statement for each row, one commit for each batch."""
    for begin in range(0, len(times), BATCH):
        part = times[begin : begin + BATCH]
        with link.cursor() as cursor:
            cursor.executemany(INSERT, [(device, metric, n + 0.5, at) for n, at in enumerate(part)])
        link.commit()


def bodies(times: list[str], size: int, unit: str) -> list[bytes]:
    """JSON of `size` readings each, made before the clock runs."""
    return [
        json.dumps(
            [
                {"metric": "noise", "value": n + 0.5, "unit": unit, "measured_at": at}
                for n, at in enumerate(times[begin : begin + size])
            ]
        ).encode()
        for begin in range(0, len(times), size)
    ]


def by_rest(port: int, device: int, key: str, sent: list[bytes]) -> None:
    """Each answer means that its readings are durable."""
    link = HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Device {key}", "Content-Type": "application/json"}
    for body in sent:
        link.request("POST", f"/api/v1/devices/{device}/readings/", body, headers)
        answer = link.getresponse()
        said = json.loads(answer.read())
        if answer.status != 200 or said["rejected"] or said["duplicates"]:
            raise RuntimeError(f"{answer.status} {str(said)[:300]}")
    link.close()


def side_by_side(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def by_mqtt(broker: Mosquitto, serial: str, key: str, lines: Path) -> None:
    """QoS 1, a message a line, by Mosquitto's own client; the caller waits for the rows."""
    options = ["-h", "127.0.0.1", "-p", str(broker.port), "-V", "5", "-q", "1", "-l"]
    topic = ["-t", f"twinhealth/{serial}/readings", "-D", "publish", "user-property", "key", key]
    with lines.open("rb") as source:
        subprocess.run(["mosquitto_pub", *options, *topic], stdin=source, check=True)


@contextlib.contextmanager
def services(folder: Path) -> Iterator[tuple[Stack, Mosquitto, str]]:
    """The web process and the listener on servers of their own."""
    with contextlib.ExitStack() as using:
        broker = Mosquitto(folder / "broker")
        broker.start()
        using.callback(broker.stop)
        address = using.enter_context(postgres("readings", settings=("max_connections=60",)))
        parts = urlsplit(address)
        with contextlib.closing(
            psycopg2.connect(urlunsplit(parts._replace(path="/postgres")))
        ) as link:
            link.autocommit = True
            with link.cursor() as cursor:
                cursor.execute("CREATE DATABASE readings")
        os.environ |= {
            "DATABASE_URL": address,
            "REDIS_URL": using.enter_context(redis()),
            "MQTT_URL": broker.url,
        }
        running = using.enter_context(stack(folder / "data", detector=False))
        running.start("web")
        yield running, broker, address


def start_listener(running: Stack) -> None:
    with (running.folder / "mqtt.log").open("ab") as log:
        running.processes["mqtt"] = subprocess.Popen(
            [sys.executable, "manage.py", "run_mqtt_ingest"],
            env=running.env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while not (running.folder / "mqtt-listener.alive").exists():
        time.sleep(0.1)


class Bench:
    """Machines in a fresh database, and how fast rows of theirs come in."""

    def __init__(self, running: Stack, broker: Mosquitto, link: Any) -> None:
        self.running, self.broker, self.link = running, broker, link
        prepare = PREPARE.replace("COUNT", str(12 + MACHINES))
        lines = running.manage("shell", "-v0", "-c", prepare).splitlines()
        rows = [line.split()[1:] for line in lines if line.startswith("ROW")]
        self.free = iter([(int(pk), int(metric), serial, key) for pk, metric, serial, key in rows])
        self.found: dict[str, float] = {}

    def timed(self, label: str, rows: int, work: Callable[[], None], devices: list[int]) -> None:
        """From the first byte until all rows are there."""
        started = time.perf_counter()
        work()
        while self._stored(devices) < rows:
            time.sleep(0.02)
        self.found[label] = rows / (time.perf_counter() - started)

    def _stored(self, devices: list[int]) -> int:
        with self.link.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM devices_reading WHERE device_id = ANY(%s)", [devices]
            )
            count = int(cursor.fetchone()[0])
        self.link.commit()
        return count

    def plainly(self, label: str, way: Callable[..., None], times: list[str]) -> None:
        device, metric, *_ = next(self.free)
        self.timed(label, len(times), lambda: way(self.link, device, metric, times), [device])

    def rest(self, label: str, unit: str, times: list[str]) -> None:
        machines = [next(self.free) for _ in range(SENDERS)]
        sent = bodies(times, BATCH, unit)
        works = [
            partial(by_rest, self.running.port, device, key, sent) for device, *_, key in machines
        ]
        devices = [device for device, *_ in machines]
        self.timed(label, len(times) * SENDERS, lambda: side_by_side(works), devices)

    def mqtt(self, label: str, size: int, times: list[str]) -> None:
        device, _, serial, key = next(self.free)
        lines = self.running.folder / "messages"
        lines.write_bytes(b"\n".join(bodies(times, size, "kV")) + b"\n")
        self.timed(label, len(times), lambda: by_mqtt(self.broker, serial, key, lines), [device])

    def mqtt_many(self, label: str, times: list[str]) -> None:
        """One reading a message, each message from another machine than the one before."""
        machines = [next(self.free) for _ in range(MACHINES)]
        payloads = bodies(times[: len(times) // MACHINES], 1, "kV")

        def work() -> None:
            with Sender(self.broker.port) as sender:
                for payload in payloads:
                    for _, _, serial, key in machines:
                        sender.send(serial, key, payload)
                sender.finish()

        devices = [device for device, *_ in machines]
        self.timed(label, len(payloads) * MACHINES, work, devices)


def measure(count: int) -> dict[str, float]:
    times = moments(count)
    with (
        tempfile.TemporaryDirectory(prefix="twinhealth-bench-") as name,
        services(Path(name)) as (running, broker, address),
        contextlib.closing(psycopg2.connect(address)) as link,
    ):
        bench = Bench(running, broker, link)
        bench.plainly("copy", by_copy, times)
        bench.plainly("executemany", by_executemany, times)
        bench.rest("rest", "kV", times)
        bench.rest("rest_converted", "V", times)
        start_listener(running)
        bench.mqtt("mqtt_single", 1, times[: count // 5])
        bench.mqtt("mqtt_20", 20, times)
        bench.mqtt_many("mqtt_many", times[: count // 5])
        return bench.found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=100_000)
    options = parser.parse_args()
    found = measure(options.readings)
    print(json.dumps({"readings": options.readings, **found}))


if __name__ == "__main__":
    main()
