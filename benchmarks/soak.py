"""Readings through both doors for a while: none lost, none twice, and nobody's memory grows.

Now and then one crosses its limit, and it is timed until its alert shows.

    python -m benchmarks.soak [--minutes 2 | --long | --longest] [--rate 5000] [--restarts]

`--long` 10 minutes, `--longest` an hour. `--restarts`: in the middle the broker and the worker are
started again and the listener is killed. Prints JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg2

from scripts.servers import Mosquitto

from .alert_latency import one
from .load import Load, machines, start_all
from .pipeline import percentile
from .readings import services, start_listener
from .stack import Stack

MACHINES = 50  # a door
SAMPLE_SECONDS = 5.0
WATCHED = ("web", "default", "mqtt")
GROWTH = 60.0  # MiB an hour; more is called a leak


@dataclass
class Memory:
    """Resident memory of each process by time; a restart begins anew."""

    of: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def look(self, running: Stack, minute: float) -> None:
        for name in WATCHED:
            self.of.setdefault(name, []).append((minute, sum(running.rss_mb(name))))

    def forget(self, *names: str) -> None:
        for name in names:
            self.of[name] = []

    def slopes(self) -> dict[str, dict[str, float]]:
        """MiB an hour over the second half of the time, when all is warm."""
        found = {}
        for name, samples in self.of.items():
            late = samples[len(samples) // 2 :]
            if len(late) > 2:
                line = statistics.linear_regression(*zip(*late, strict=True))
                found[name] = {"mib": late[-1][1], "mib_per_hour": 60 * line.slope}
        return found


def restart(running: Stack, broker: Mosquitto, memory: Memory) -> None:
    """The broker as a service is restarted, the worker politely, the listener by kill -9."""
    broker.stop()
    broker.start()
    running.signal("default", signal.SIGTERM)
    running.processes["default"].wait(90)
    running.start("default")
    running.signal("mqtt", signal.SIGKILL)
    running.processes["mqtt"].wait()
    (running.folder / "mqtt-listener.alive").unlink()
    start_listener(running)
    memory.forget("default", "mqtt")


def counted(link: Any) -> dict[str, int]:
    """Rows there, and what the MQTT door says it took."""
    with link.cursor() as cursor:
        cursor.execute("SELECT source, count(*) FROM devices_reading GROUP BY 1")
        found = {str(source): int(count) for source, count in cursor.fetchall()}
        cursor.execute("SELECT outcome, count FROM devices_mqttcount")
        said = {str(outcome): int(count) for outcome, count in cursor.fetchall()}
    refused = sum(
        count
        for outcome, count in said.items()
        if outcome not in {"message:taken", "reading:accepted", "reading:duplicate"}
    )
    return {
        "rest": found.get("rest", 0),
        "mqtt": found.get("mqtt", 0),
        "mqtt_accepted": said.get("reading:accepted", 0),
        "mqtt_again": said.get("reading:duplicate", 0),
        "mqtt_refused": refused,
    }


def measure(minutes: float, rate: float, *, restarts: bool) -> dict[str, Any]:
    memory, loads = Memory(), []
    with (
        tempfile.TemporaryDirectory(prefix="twinhealth-bench-") as name,
        services(Path(name)) as (running, broker, address),
        contextlib.closing(psycopg2.connect(address)) as link,
    ):
        link.autocommit = True
        known = machines(running, 2 * MACHINES + round(60 * minutes / SAMPLE_SECONDS) + 1)
        start_all(running)
        load = Load(running, broker.port, known[:MACHINES], known[MACHINES:][:MACHINES], rate / 2)
        probes = zip(known[2 * MACHINES :], cycle(["rest", "mqtt"]), strict=False)
        shown: list[float] = []
        began = time.monotonic()
        load.start()
        while (gone := time.monotonic() - began) < 60 * minutes and not load.failed:
            if restarts and gone > 30 * minutes:
                restart(running, broker, memory)
                restarts = False
            memory.look(running, gone / 60)
            loads.append(os.getloadavg()[0])
            machine, door = next(probes)
            shown.append(one(running, link, machine, door, broker.port)[1])
            time.sleep(SAMPLE_SECONDS)
        lasted = time.monotonic() - began
        load.stop()
        until = time.monotonic() + 120
        load.sent["rest"] += len(shown[::2])
        load.sent["mqtt"] += len(shown[1::2])
        while counted(link)["mqtt"] < load.sent["mqtt"] and time.monotonic() < until:
            time.sleep(0.5)
        stored = counted(link)
    return {
        "minutes": lasted / 60,
        "sent": load.sent,
        "stored": stored,
        "lost": sum(load.sent.values()) - stored["rest"] - stored["mqtt"],
        "readings_per_second": sum(load.sent.values()) / lasted,
        "memory": memory.slopes(),
        "shown_p50": percentile(shown, 0.5),
        "shown_p95": percentile(shown, 0.95),
        "shown_max": max(shown),
        "load": statistics.mean(loads),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--long", dest="minutes", action="store_const", const=10)
    parser.add_argument("--longest", dest="minutes", action="store_const", const=60)
    parser.add_argument("--rate", type=float, default=5_000)
    parser.add_argument("--restarts", action="store_true")
    options = parser.parse_args()
    print(json.dumps(measure(options.minutes, options.rate, restarts=options.restarts)))


if __name__ == "__main__":
    main()
