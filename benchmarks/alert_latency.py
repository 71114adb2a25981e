"""From a reading beyond its limit to the alert that a person sees, while 5,000 readings/s come in.

    python -m benchmarks.alert_latency [--probes 60] [--rate 5000] [--door rest|mqtt]

Web, worker, beat, listener, a PostgreSQL that syncs to disk, Redis and a broker of its own. Prints
JSON: seconds from sending to the row committed, and to `GET /api/v1/alerts/` showing it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import tempfile
import time
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg2

from .load import LIMIT, Load, Machine, machines, post, start_all
from .mqtt_sender import Sender
from .pipeline import percentile
from .readings import services
from .stack import Stack

SENDERS = 100  # machines of the load
LONGEST = 60.0


def probe_body() -> bytes:
    at = datetime.now(UTC).isoformat()
    reading = {"metric": "m0", "value": LIMIT + 20, "unit": "kV", "measured_at": at}
    return json.dumps([reading]).encode()


def one(running: Stack, link: Any, machine: Machine, door: str, port: int) -> tuple[float, float]:
    """Seconds until the row is committed, and until the list has it; LONGEST where it never is."""
    token = running.sign_in("engineer") if not _TOKENS else _TOKENS[0]
    _TOKENS[:] = [token]
    started = time.perf_counter()
    if door == "rest":
        http = HTTPConnection("127.0.0.1", running.port, timeout=60)
        post(http, machine, probe_body())
        http.close()
    else:
        with Sender(port, b"bench-probe") as sender:
            sender.send(machine.serial, machine.key, probe_body())
            sender.finish()
    committed = LONGEST
    while time.perf_counter() - started < LONGEST:
        if committed == LONGEST and _has_row(link, machine.pk):
            committed = time.perf_counter() - started
        if committed < LONGEST:
            _, answer = running.call(f"alerts/?device={machine.pk}", token=token)
            if answer["results"]:
                return committed, time.perf_counter() - started
        time.sleep(0.01)
    return committed, LONGEST


_TOKENS: list[str] = []


def _has_row(link: Any, device: int) -> bool:
    with link.cursor() as cursor:
        cursor.execute("SELECT 1 FROM devices_alert WHERE device_id = %s", [device])
        return cursor.fetchone() is not None


def measure(probes: int, rate: float, door: str) -> dict[str, Any]:
    chance = random.Random(5)
    with (
        tempfile.TemporaryDirectory(prefix="twinhealth-bench-") as name,
        services(Path(name)) as (running, broker, address),
        contextlib.closing(psycopg2.connect(address)) as link,
    ):
        link.autocommit = True
        known = machines(running, SENDERS + probes + 1)
        start_all(running)
        senders, free = known[:SENDERS], known[SENDERS:]
        one(running, link, free.pop(), door, broker.port)  # the first one warms the way
        rest, mqtt = (senders, []) if door == "rest" else ([], senders)
        load = Load(running, broker.port, rest, mqtt, rate)
        began = time.monotonic()
        load.start()
        time.sleep(5)
        found = []
        for machine in free:
            time.sleep(chance.uniform(0.1, 0.9))
            found.append(one(running, link, machine, door, broker.port))
        lasted = time.monotonic() - began
        sent = load.sent[door]
        load.stop()
    rows, shown = ([each[n] for each in found] for n in (0, 1))
    return {
        "door": door,
        "probes": probes,
        "readings_per_second": sent / lasted,
        "load": os.getloadavg()[0],
        **{
            f"{name}_{share}": percentile(values, of)
            for name, values in (("row", rows), ("shown", shown))
            for share, of in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=60)
    parser.add_argument("--rate", type=float, default=5_000)
    parser.add_argument("--door", choices=["rest", "mqtt"], default="rest")
    options = parser.parse_args()
    print(json.dumps(measure(options.probes, options.rate, options.door)))


if __name__ == "__main__":
    main()
