"""Named faults: where they begin, how they grow, when the machine can no longer be used."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from twinhealth.errors import InvalidInputError

from .quantities import KEYS

Floats = npt.NDArray[np.float64]

ZONE = 6  # machines that one air conditioning serves: neighbours by number
SUPPLY = 10  # machines on one power supply


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    Attributes:
        name: as the command and the truth table call it.
        about: one line for a person.
        metrics: where it shows.
        severity: how soon somebody should act, `watch` or `act`.
        lasts: usual days from onset to failure, or until it is over.
        ends: `failure` (the machine or its calibration fails then), `over` (it passes), or `never`.
        group: how many neighbours share it.
        grows: exponent of its growth from onset to end; 0 is there at once.
    """

    name: str
    about: str
    metrics: tuple[str, ...]
    severity: Literal["watch", "act"]
    lasts: float
    ends: Literal["failure", "over", "never"]
    group: int = 1
    grows: float = 1.0


# Days to failure are chosen: published ones differ by orders of magnitude between makes.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "tube_arcing_rise",
            "gas or debris in the tube: arcs grow from one in 2,000 exposures to one in five",
            ("tube_arcs",),
            "act",
            14,
            "failure",
        ),
        Kind(
            "oil_leak",
            "the housing loses oil: pressure sinks, cooling gets worse, the switch ends it",
            ("oil_pressure", "tube_housing_temperature"),
            "act",
            12,
            "failure",
        ),
        Kind(
            "kv_miscalibration_step",
            "after a service the voltage is off by 4 to 7 %",
            ("kv_error",),
            "act",
            1,
            "never",
            grows=0,
        ),
        # 8 % is commonly quoted as what IEC 60601-2-54 allows the tube voltage, 20 % the current
        Kind(
            "kv_miscalibration_drift",
            "the voltage divider drifts until the error passes 8 %",
            ("kv_error",),
            "act",
            24,
            "failure",
        ),
        Kind(
            "detector_cooling_failure",
            "fan or pump weakens until the detector switches itself off",
            ("detector_temperature", "detector_noise"),
            "act",
            4,
            "failure",
        ),
        Kind(
            "detector_ageing",
            "noise grows and columns die until the flat field fails",
            ("detector_noise", "pixel_dead_columns"),
            "act",
            30,
            "failure",
        ),
        Kind(
            "filament_wear",
            "the filament thins: current falls short and scatters, then it opens",
            ("ma_error",),
            "act",
            21,
            "failure",
            grows=1.5,
        ),
        Kind(
            "hvac_failure",
            "air conditioning of a zone stops: warm rooms, humidity follows the weather",
            ("room_temperature", "room_humidity"),
            "watch",
            3,
            "over",
            group=ZONE,
            grows=0,
        ),
        Kind(
            "power_cut",
            "one supply is off: its machines say nothing",
            KEYS,
            "watch",
            0.75,
            "over",
            group=SUPPLY,
            grows=0,
        ),
        Kind("silent_sensor", "one sensor stops reporting", KEYS, "watch", 1, "never", grows=0),
        Kind(
            "stuck_sensor", "one sensor repeats its last value", KEYS, "watch", 1, "never", grows=0
        ),
        Kind(
            "clock_skew",
            "the machine's clock runs ahead, an hour after ten days",
            (),
            "watch",
            10,
            "never",
        ),
        Kind(
            "config_change",
            "the machine reports a software version that nobody wanted",
            (),
            "watch",
            1,
            "never",
            grows=0,
        ),
    )
}
# a sensor whose value moves enough that standing still is told apart from calm
STICKS = (
    "tube_housing_temperature",
    "oil_pressure",
    "kv_error",
    "ma_error",
    "detector_temperature",
    "room_temperature",
    "room_humidity",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one machine.

    Attributes:
        kind: key of `KINDS`.
        device: the machine's number, from 0.
        onset: days after the fleet's start.
        lasts: days from onset to its end.
        metric: whose sensor, for `silent_sensor` and `stuck_sensor`.
        size: how strong, 1 is usual; the sign is the direction where there are two.
    """

    kind: str
    device: int
    onset: float
    lasts: float
    metric: str = ""
    size: float = 1.0

    @property
    def of(self) -> Kind:
        """What its kind is like."""
        return KINDS[self.kind]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Where it shows."""
        return (self.metric,) if self.metric else self.of.metrics

    def share(self, days: Floats) -> Floats:
        """How far it has got at these days since the start: 0 before, 1 at its end."""
        since = days - self.onset
        grown = np.clip(since / self.lasts, 0, 1) ** self.of.grows
        if self.of.ends == "over":
            return np.where((since >= 0) & (since < self.lasts), grown, 0.0)
        return np.where(since >= 0, grown, 0.0)


def neighbours(device: int, size: int, count: int) -> range:
    """The machines that share what `device` hangs on."""
    first = device - device % size
    return range(first, min(first + size, count))


def spread(fault: Fault, count: int) -> list[Fault]:
    """The fault on each machine that shares it."""
    return [
        Fault(fault.kind, device, fault.onset, fault.lasts, fault.metric, fault.size)
        for device in neighbours(fault.device, fault.of.group, count)
    ]


def make(
    kind: str, device: int, onset: float, *, seed: int, lasts: float | None = None, metric: str = ""
) -> Fault:
    """A fault whose size and duration vary as the seed says.

    Raises:
        InvalidInputError: `unknown_fault`, `unknown_metric`, `bad_fault`.
    """
    if kind not in KINDS:
        raise InvalidInputError(
            "unknown_fault",
            f"There is no fault {kind[:60]!r}. Known: {', '.join(KINDS)}.",
            known=list(KINDS),
        )
    of = KINDS[kind]
    about_sensor = kind in {"silent_sensor", "stuck_sensor"}
    if metric and (metric not in KEYS or not about_sensor):
        raise InvalidInputError(
            "unknown_metric", f"{kind} takes no metric {metric[:60]!r}.", known=list(KEYS)
        )
    rng = np.random.default_rng([seed, device, 7, list(KINDS).index(kind)])
    length = of.lasts * float(rng.uniform(0.7, 1.3)) if lasts is None else lasts
    if not (math.isfinite(length) and 0 < length <= 3650):
        raise InvalidInputError("bad_fault", "A fault lasts more than 0 and at most 3,650 days.")
    size = float(rng.uniform(0.85, 1.15)) * (1 if rng.random() < 0.5 else -1)
    if about_sensor and not metric:
        names = STICKS if kind == "stuck_sensor" else KEYS
        metric = str(names[int(rng.integers(len(names)))])
    return Fault(kind, device, onset, length, metric, size)


def parse(text: str, *, seed: int, count: int, days: int) -> list[Fault]:
    """`name:device:day`, and where wanted `:days` until its end or `:metric` of a sensor.

    Args:
        text: the machine's number counts from 1, the day from 0.
        seed: varies size and duration.
        count: machines there are.
        days: days there are.

    Raises:
        InvalidInputError: `bad_fault`, and as `make`.
    """
    name, _, rest = text.partition(":")
    number, _, rest = rest.partition(":")
    day, _, last = rest.partition(":")
    try:
        device, onset = int(number), float(day)
    except ValueError:
        raise InvalidInputError(
            "bad_fault", f"{text[:80]!r} isn't NAME:DEVICE:DAY[:DAYS or METRIC]."
        ) from None
    if not 1 <= device <= count:
        raise InvalidInputError("bad_fault", f"{text[:80]!r}: the machines are 1 to {count}.")
    if not 0 <= onset < days:
        raise InvalidInputError("bad_fault", f"{text[:80]!r}: the days are 0 to {days}.")
    try:
        lasts, metric = (float(last), "") if last else (None, "")
    except ValueError:
        lasts, metric = None, last
    return spread(make(name, device - 1, onset, seed=seed, lasts=lasts, metric=metric), count)


def scatter(*, seed: int, count: int, days: int) -> list[Fault]:
    """About half of the machines get one fault each, of any kind, in the fleet's middle days."""
    rng = np.random.default_rng([seed, 9])
    names = list(KINDS)
    taken: set[int] = set()
    found: list[Fault] = []
    for device in range(count):
        kind, onset = names[int(rng.integers(len(names)))], days * float(rng.uniform(0.35, 0.75))
        wanted = rng.random() < (0.5 if KINDS[kind].group == 1 else 0.5 / KINDS[kind].group)
        hit = spread(make(kind, device, onset, seed=seed), count)
        if wanted and taken.isdisjoint(f.device for f in hit):
            found += hit
            taken.update(f.device for f in hit)
    return found


def of_device(faults: Iterable[Fault], device: int) -> list[Fault]:
    """That machine's."""
    return [f for f in faults if f.device == device]
