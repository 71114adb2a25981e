"""A fleet from a seed: its machines, what they sent, and the truth about them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from twinhealth.errors import InvalidInputError

from . import machines, physics, sensors, truth
from .faults import SUPPLY, ZONE, Fault
from .hospital import ROLES, Calendar
from .quantities import STEP, STEPS_PER_DAY
from .sensors import Track

Floats = npt.NDArray[np.float64]

MOST_DEVICES, MOST_DAYS, MOST_SEED = 2_000, 400, 2**31 - 1
AT_ONCE = 50  # machines integrated together: 400 days of them fit into 1 GB
SOFTWARE = ("5.2.1", "5.3.0")  # as delivered, and after `config_change`


@dataclass(frozen=True, slots=True)
class Value:
    """One reading: when by the machine's clock, when it came by ours."""

    metric: str
    unit: str
    value: float
    measured_at: datetime
    received_at: datetime


@dataclass(frozen=True)
class Fleet:
    """What makes a fleet; the same values make the same readings.

    Attributes:
        count: machines.
        days: length.
        seed: of everything that is left to chance.
        start: first moment, midnight UTC.
        faults: as they are spread over the machines.
        zone: of the hospital, for its rhythm.

    Raises:
        InvalidInputError: `bad_fleet` where a number is out of its range.
    """

    count: int
    days: int
    seed: int
    start: datetime
    faults: tuple[Fault, ...] = ()
    zone: str = "UTC"

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("devices", self.count, 1, MOST_DEVICES),
            ("days", self.days, 1, MOST_DAYS),
            ("seed", self.seed, 0, MOST_SEED),
        ):
            if not low <= value <= high:
                raise InvalidInputError(
                    "bad_fleet", f"{name} must be {low} to {high:,}, not {value:,}.", field=name
                )

    @property
    def first_day(self) -> int:
        """Its first day, counted from 1970."""
        return (self.start - datetime(1970, 1, 1, tzinfo=UTC)).days

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return self.start + timedelta(days=self.days)

    @property
    def fingerprint(self) -> str:
        """Tells fleets of other faults, size or rhythm apart; nothing can be read from it."""
        what = repr((self.seed, self.zone, sorted(map(repr, self.faults))))
        return hashlib.sha256(what.encode()).hexdigest()[:12]

    def serial(self, device: int) -> str:
        """Of a machine by its number."""
        return f"SIM-{self.seed}-{device + 1:04d}"

    def place(self, device: int) -> str:
        """Where a machine stands: its zone and its supply, for people."""
        return f"Zone {device // ZONE + 1}, supply {device // SUPPLY + 1}"

    def truth(self) -> list[dict[str, str]]:
        """The truth table."""
        return truth.rows(self.faults, start=self.start, serial=self.serial)

    def blocks(self) -> Iterator[Block]:
        """All machines, some at a time."""
        for first in range(0, self.count, AT_ONCE):
            yield self.block(range(first, min(first + AT_ONCE, self.count)))

    def block(self, numbers: range) -> Block:
        """Some machines, integrated together."""
        faults = [f for f in self.faults if f.device in numbers]
        steps = self.days * STEPS_PER_DAY
        drawn = machines.draw(self.seed, numbers)
        calendar = Calendar(self.start, steps, ZoneInfo(self.zone))
        chance = {"seed": self.seed, "first_day": self.first_day}
        state = physics.integrate(drawn, calendar, faults, **chance)
        return Block(
            fleet=self,
            machines=drawn,
            state=state,
            tracks=sensors.tracks(drawn, state, faults, **chance),
            ahead=sensors.clocks(drawn, steps, faults),
        )


@dataclass(frozen=True)
class Block:
    """Some machines of a fleet over its whole time.

    Attributes:
        fleet: whose.
        machines: their parameters.
        state: the physics, before any sensor.
        tracks: reports by metric.
        ahead: seconds of each clock, (machine, step).
    """

    fleet: Fleet
    machines: machines.Machines
    state: physics.State
    tracks: dict[str, Track]
    ahead: Floats

    @cached_property
    def numbers(self) -> range:
        """Of its machines."""
        return self.machines.numbers

    def role(self, device: int) -> str:
        """Room, emergency or ward."""
        return ROLES[int(self.machines.role[self.numbers.index(device)])][0]

    def series(self, device: int, metric: str) -> list[tuple[datetime, float, datetime]]:
        """One metric of one machine: measured at, value, received at; oldest first."""
        row, track = self.numbers.index(device), self.tracks[metric]
        came = np.isfinite(track.values[row])
        steps = track.steps[came]
        start, ahead = self.fleet.start, self.ahead[row, steps]
        times = ((steps + 1) * STEP).tolist()
        return [
            (start + timedelta(seconds=at + off), value, start + timedelta(seconds=at))
            for at, off, value in zip(
                times, ahead.tolist(), track.values[row, came].tolist(), strict=True
            )
        ]

    def values(self, device: int) -> list[Value]:
        """Everything that one machine sent, in the order in which it came."""
        found = [
            Value(key, track.quantity.unit, value, measured_at, received_at)
            for key, track in self.tracks.items()
            for measured_at, value, received_at in self.series(device, key)
        ]
        found.sort(key=lambda v: v.received_at)
        return found

    def configs(self, device: int) -> list[tuple[datetime, dict[str, str]]]:
        """What one machine reported of its settings, and when."""
        start = self.fleet.start
        found = [(start, {"software_versions": SOFTWARE[0]})]
        found += [
            (start + timedelta(days=fault.onset), {"software_versions": SOFTWARE[1]})
            for fault in self.fleet.faults
            if fault.device == device and fault.kind == "config_change"
        ]
        return found
