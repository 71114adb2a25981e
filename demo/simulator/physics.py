"""The state of every machine at each step of five minutes. Pure; arrays are (machine, step).

Heat goes from the anode to the housing and from there to the room, from the detector by its
cooling, and from the room by its air conditioning; each is one first-order equation, solved exactly
over a step with what drives it held constant. One temperature per body; the filament is taken to
heat the housing while pictures are taken and for half an hour after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .faults import Fault, of_device
from .hospital import Calendar, saturation
from .machines import DAYS, ROOMS, Machines, generator
from .quantities import STEP, STEPS_PER_DAY

Floats = npt.NDArray[np.float64]

ANODE_SECONDS = 240.0  # an anode radiates most of its heat within minutes
DETECTOR_SECONDS = 2400.0
READY_STEPS = 6
AIR_SECONDS = 1500.0  # of a conditioned room
BUILDING_SECONDS = 5 * 3600.0  # of a room that is left to itself
ROOM_LOAD = 10.0  # K by which machine, lamps and people warm a room without conditioning
ARC_GROWTH = 400.0  # times as many arcs at the end of tube_arcing_rise


@dataclass(frozen=True, slots=True)
class State:
    """What is the case, before any sensor.

    Attributes:
        exposures: in the step.
        energy: into the anode in the step, J.
        anode: heat in the anode, J.
        housing: Cel.
        oil: kPa.
        arcs: in the step.
        kv: voltage error, %.
        ma: current error, %.
        ma_scatter: how much the current scatters, as a multiple of usual.
        detector: Cel.
        noise: relative to acceptance.
        dead: columns.
        air: room, Cel.
        humidity: room, %.
    """

    exposures: Floats
    energy: Floats
    anode: Floats
    housing: Floats
    oil: Floats
    arcs: Floats
    kv: Floats
    ma: Floats
    ma_scatter: Floats
    detector: Floats
    noise: Floats
    dead: Floats
    air: Floats
    humidity: Floats


class Shares:
    """How far each kind of fault has got on each machine at each step; 0 where there is none."""

    def __init__(self, faults: Sequence[Fault], machines: Machines, steps: int) -> None:
        self.days = np.arange(steps) / STEPS_PER_DAY
        self.shape = (len(machines.numbers), steps)
        self._by: dict[str, Floats] = {}
        self.broken = np.zeros(self.shape, dtype=bool)  # a failed machine takes no pictures
        for row, number in enumerate(machines.numbers):
            for fault in of_device(faults, number):
                share = fault.share(self.days)
                signed = fault.kind.startswith("kv_")
                size = fault.size if signed else abs(fault.size)
                self._by.setdefault(fault.kind, np.zeros(self.shape))[row] += size * share
                if fault.of.ends == "failure":
                    self.broken[row] |= self.days >= fault.onset + fault.lasts

    def of(self, kind: str) -> Floats:
        """Of one kind."""
        found = self._by.get(kind)
        return np.zeros(self.shape) if found is None else found


def integrate(
    machines: Machines, calendar: Calendar, faults: Sequence[Fault], *, seed: int, first_day: int
) -> State:
    """Every machine from a cool morning on.

    Args:
        machines: their parameters.
        calendar: the steps.
        faults: of any machine; others than these are passed over.
        seed: of what happens by chance.
        first_day: number of the first day since 1970, so that a day is the same in every run.
    """
    steps = len(calendar.hour)
    shares = Shares(faults, machines, steps)
    count, energy, arcs, draws = _work(machines, calendar, shares, seed, first_day)
    outside = _weather(machines, seed, first_day, steps)
    air, humidity = _room(machines, calendar, shares, outside)
    anode, into_housing = _anode(energy)
    leak = shares.of("oil_leak")
    loss = machines.housing_loss[:, None] * (1 - 0.3 * leak)
    heating = into_housing / STEP + machines.idle[:, None] + machines.ready[:, None] * _ready(count)
    housing = _relax(
        start=air[:, 0] + machines.idle / machines.housing_loss,
        target=air + heating / loss,
        seconds=machines.housing_mass[:, None] / loss,
    )
    oil = machines.oil_base[:, None] * (1 - 0.75 * leak) + machines.oil_slope[:, None] * (
        1 - 0.5 * leak
    ) * (housing - 20)
    cooling = np.clip(1 - 0.72 * shares.of("detector_cooling_failure"), 0.1, 1)
    # a detector that takes pictures needs up to a third more
    power = machines.detector_power[:, None] * (1 + 0.33 * np.minimum(count / 3, 1))
    detector = _relax(
        start=air[:, 0] + machines.detector_power / machines.detector_loss,
        target=air + power / (machines.detector_loss[:, None] * cooling),
        seconds=np.full(shares.shape, DETECTOR_SECONDS),
    )
    ageing = shares.of("detector_ageing")
    # dark current doubles with every 7 to 8 K; a third of the noise is taken to come from it
    dark = np.sqrt((2 + 2 ** ((detector - 31) / 7.5)) / 3)
    wear = shares.of("filament_wear")
    return State(
        exposures=count,
        energy=energy,
        anode=anode,
        housing=housing,
        oil=np.maximum(oil, 0),
        arcs=arcs,
        kv=machines.kv_offset[:, None]
        + machines.kv_warm[:, None] * (housing - 40)
        + 5.5 * shares.of("kv_miscalibration_step")
        + 8.0 * shares.of("kv_miscalibration_drift"),
        ma=machines.ma_offset[:, None] - 18 * wear,
        ma_scatter=1 + 3 * wear,
        detector=detector,
        noise=machines.noise[:, None] * dark * (1 + 0.9 * ageing),
        dead=machines.dead[:, None] + np.floor(ageing * (6 + 16 * draws)),
        air=air,
        humidity=humidity,
    )


def _work(
    machines: Machines, calendar: Calendar, shares: Shares, seed: int, first_day: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Exposures, their energy, their arcs, and a number of each machine's own between 0 and 1."""
    rate = calendar.rates[machines.role] * machines.busy[:, None]
    rate[shares.broken | (shares.of("power_cut") > 0)] = 0
    chance = machines.arcs[:, None] * ARC_GROWTH ** shares.of("tube_arcing_rise")
    count, energy, arcs = (np.zeros(shares.shape) for _ in range(3))
    for row, number in enumerate(machines.numbers):
        for day, part in days(shares.shape[1]):
            rng = generator(seed, number, DAYS, first_day + day)
            # no two days are alike: 10 % from day to day
            mean = rate[row, part] * np.exp(0.1 * rng.standard_normal())
            count[row, part] = taken = rng.poisson(mean)
            # one exposure's energy varies by 60 %, the sum of many by less
            varied = 1 + 0.6 * rng.standard_normal(len(taken)) / np.sqrt(np.maximum(taken, 1))
            energy[row, part] = taken * machines.energy[row] * np.maximum(varied, 0.1)
            arcs[row, part] = rng.poisson(taken * np.minimum(chance[row, part], 1))
    own = np.array([generator(seed, n, DAYS).random() for n in machines.numbers])
    return count, energy, arcs, own[:, None]


def days(steps: int) -> list[tuple[int, slice]]:
    """Whole days of the steps, by number."""
    return [
        (at // STEPS_PER_DAY, slice(at, at + STEPS_PER_DAY))
        for at in range(0, steps, STEPS_PER_DAY)
    ]


def _weather(machines: Machines, seed: int, first_day: int, steps: int) -> Floats:
    """How much warmer than usual it is outside, K: the same for all, from day to day alike."""
    # a moving average of white noise whose numbers belong to the days
    of_day = [
        generator(seed, 0, ROOMS, first_day + day).standard_normal()
        for day in range(-6, steps // STEPS_PER_DAY + 2)
    ]
    smooth = np.convolve(of_day, np.full(6, 3 / np.sqrt(6)), mode="valid")
    at = np.arange(steps) / STEPS_PER_DAY
    return np.interp(at, np.arange(len(smooth)), smooth)


def _room(
    machines: Machines, calendar: Calendar, shares: Shares, warmer: Floats
) -> tuple[Floats, Floats]:
    """Air temperature and relative humidity."""
    outdoor = calendar.outdoor + warmer
    # what a zone's conditioning lets through of weather and time of day
    drawn = 0.03 * (outdoor - 10) + 0.4 * np.sin((calendar.hour - 9) / 24 * 2 * np.pi)
    passive = 0.75 * 20 + 0.25 * outdoor + ROOM_LOAD
    off = np.minimum(shares.of("hvac_failure"), 1)
    wanted = machines.target_temperature[:, None] + drawn
    air = _relax(
        start=wanted[:, 0],
        target=off * passive + (1 - off) * wanted,
        seconds=off * BUILDING_SECONDS + (1 - off) * AIR_SECONDS,
    )
    vapour_outside = calendar.vapour * np.exp(0.05 * warmer)
    kept = machines.target_humidity[:, None] + 0.8 * (vapour_outside - 7)
    vapour = _relax(
        start=(kept * saturation(wanted) / 100)[:, 0],
        target=off * vapour_outside + (1 - off) * kept * saturation(wanted) / 100,
        seconds=off * BUILDING_SECONDS / 2 + (1 - off) * AIR_SECONDS,
    )
    return air, np.clip(100 * vapour / saturation(air), 1, 99)


def _anode(energy: Floats) -> tuple[Floats, Floats]:
    """Heat in the anode after each step, and what went on to the housing in it, J."""
    keeps = np.exp(-STEP / ANODE_SECONDS)
    # of what comes evenly during a step, this share is still there at its end
    fresh = ANODE_SECONDS / STEP * (1 - keeps)
    heat, passed = np.empty_like(energy), np.empty_like(energy)
    before = np.zeros(len(energy))
    for step in range(energy.shape[1]):
        now = before * keeps + energy[:, step] * fresh
        passed[:, step] = before + energy[:, step] - now
        heat[:, step] = before = now
    return heat, passed


def _ready(count: Floats) -> Floats:
    """1 while the filament is hot: pictures in this step or one of the five before."""
    total = np.cumsum(count, axis=1)
    total[:, READY_STEPS:] -= total[:, :-READY_STEPS].copy()
    return (total > 0).astype(float)


def _relax(*, start: Floats, target: Floats, seconds: Floats) -> Floats:
    """A value that goes to its target with a time constant, both held constant over a step."""
    kept = np.exp(-STEP / seconds)
    found = np.empty_like(target)
    value = start
    for step in range(target.shape[1]):
        value = target[:, step] + (value - target[:, step]) * kept[:, step]
        found[:, step] = value
    return found
