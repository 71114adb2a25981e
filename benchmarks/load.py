"""Machines that send all the time, through both doors, as evenly as the clock allows."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from itertools import count, cycle
from typing import Any

from .mqtt_sender import Sender
from .readings import start_listener
from .stack import Stack

METRICS = 20
LIMIT = 100.0  # of the first metric; what is sent lies below, a probe above
PREPARE = """
from accounts.models import User
from devices.models import DeviceModel, Metric, Rule
from devices.services import keys, registry
model = DeviceModel.objects.create(manufacturer="Bench", name="L", modality="DX")
for n in range(METRICS):
    metric = Metric.objects.create(device_model=model, key=f"m{n}", label=f"M {n}", unit="kV")
    Rule.objects.create(metric=metric, severity="act", name=f"m{n} high", high=LIMIT)
engineer = User.objects.get(username="engineer")
for n in range(COUNT):
    device = registry.register_device(serial=f"L-{n}", name=f"L-{n}", model=model, actor=None)
    print("ROW", device.pk, device.serial, keys.make(device=device, name="b", actor=engineer)[1])
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """One that sends."""

    pk: int
    serial: str
    key: str


def machines(running: Stack, number: int) -> list[Machine]:
    """Register machines of a model with 20 metrics and a limit on each."""
    code = PREPARE
    for name, value in (("METRICS", METRICS), ("LIMIT", LIMIT), ("COUNT", number)):
        code = code.replace(name, str(value))
    lines = running.manage("shell", "-v0", "-c", code).splitlines()
    rows = [line.split()[1:] for line in lines if line.startswith("ROW")]
    return [Machine(int(pk), serial, key) for pk, serial, key in rows]


def body(at: datetime, rounds: int, value: float = 50.0) -> bytes:
    """All metrics, once for each of the last `rounds` steps of 10 ms before `at`."""
    return json.dumps(
        [
            {
                "metric": f"m{metric}",
                "value": value,
                "unit": "kV",
                "measured_at": (at - timedelta(milliseconds=10 * step)).isoformat(),
            }
            for step in range(rounds)
            for metric in range(METRICS)
        ]
    ).encode()


def post(link: HTTPConnection, machine: Machine, content: bytes) -> dict[str, Any]:
    """One call of the REST door.

    Raises:
        RuntimeError: it was not answered with 200.
    """
    headers = {"Authorization": f"Device {machine.key}", "Content-Type": "application/json"}
    link.request("POST", f"/api/v1/devices/{machine.pk}/readings/", content, headers)
    answer = link.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {said[:300]!r}")
    return dict(json.loads(said))


@dataclass
class Load:
    """Threads that send; `stop` ends them, `sent` is what then must be there.

    Attributes:
        rest: those that send 200 readings a call, in turn.
        mqtt: those that send 20 readings a message, in turn.
        rate: readings a second of each door that has machines.
    """

    running: Stack
    broker_port: int
    rest: list[Machine]
    mqtt: list[Machine]
    rate: float
    sent: dict[str, int] = field(default_factory=lambda: {"rest": 0, "mqtt": 0})
    late: dict[str, float] = field(default_factory=lambda: {"rest": 0.0, "mqtt": 0.0})
    failed: list[str] = field(default_factory=list)
    stopping: bool = False
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for work, wanted in ((self._rest, self.rest), (self._mqtt, self.mqtt)):
            if wanted:
                thread = threading.Thread(target=self._guard, args=(work,))
                thread.start()
                self.threads.append(thread)

    def stop(self) -> None:
        """Back when all that was sent has been answered.

        Raises:
            RuntimeError: a sender failed.
        """
        self.stopping = True
        for thread in self.threads:
            thread.join()
        if self.failed:
            raise RuntimeError("; ".join(self.failed))

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, HTTPException, RuntimeError) as error:
            self.failed.append(repr(error))

    def _paced(self, door: str, readings: int) -> bool:
        """Wait for the next one's turn; one that is late doesn't make the next ones earlier."""
        if self.stopping:
            return False
        due = self._due.setdefault(door, time.monotonic())
        now = time.monotonic()
        if due > now:
            time.sleep(due - now)
        self.late[door] = max(self.late[door], now - due)
        self._due[door] = max(due, now - 1.0) + readings / self.rate
        return True

    _due: dict[str, float] = field(default_factory=dict)

    def _rest(self) -> None:
        link = HTTPConnection("127.0.0.1", self.running.port, timeout=120)
        for machine in cycle(self.rest):
            if not self._paced("rest", 10 * METRICS):
                break
            said = post(link, machine, body(datetime.now(UTC), 10))
            self.sent["rest"] += int(said["accepted"])
            if said["rejected"] or said["duplicates"]:
                raise RuntimeError(str(said)[:300])
        link.close()

    def _mqtt(self) -> None:
        started = datetime.now(UTC)
        with Sender(self.broker_port) as sender:
            for number, machine in zip(count(), cycle(self.mqtt), strict=False):
                if not self._paced("mqtt", METRICS):
                    break
                # a microsecond each, so that no two of a machine are the same reading
                at = max(datetime.now(UTC), started + timedelta(microseconds=number))
                sender.send(machine.serial, machine.key, body(at, 1))
                self.sent["mqtt"] += METRICS
            sender.finish(120)


def start_all(running: Stack) -> None:
    """Listener, worker and beat beside the web process."""
    start_listener(running)
    running.start("default")
    running.start("beat")
