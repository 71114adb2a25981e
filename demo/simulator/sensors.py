"""What the sensors make of the state: noise, steps, gaps, faults of their own. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .faults import Fault, of_device
from .machines import REPORTS, Machines, generator
from .physics import State, days
from .quantities import QUANTITIES, STEPS_PER_DAY, Quantity

Floats = npt.NDArray[np.float64]

GAPS_PER_DAY = 0.08  # the network is away about every other week
GAP_HOURS, GAP_SPREAD, GAP_LONGEST = 0.7, 0.8, 6.0  # median, log deviation, never longer
SKEW = 3600.0  # seconds ahead at the end of clock_skew


@dataclass(frozen=True, slots=True)
class Track:
    """One metric of all machines.

    Attributes:
        quantity: what it is.
        steps: of each report.
        values: (machine, report), in the metric's unit; NaN where nothing came.
    """

    quantity: Quantity
    steps: npt.NDArray[np.int64]
    values: Floats


def tracks(
    machines: Machines, state: State, faults: Sequence[Fault], *, seed: int, first_day: int
) -> dict[str, Track]:
    """Every metric's reports."""
    steps = state.air.shape[1]
    away = _gaps(machines, steps, seed, first_day)
    found = {}
    for number, quantity in enumerate(QUANTITIES):
        at = np.arange(quantity.every - 1, steps, quantity.every)
        values, share = _true(quantity, state, at)
        if quantity.noise:
            noise = _noise(machines, number, steps, seed, first_day)[:, at]
            values = values + quantity.noise * noise * share
        values = _reported(quantity, values)
        for row, device in enumerate(machines.numbers):
            for fault in of_device(faults, device):
                _spoil(values[row], fault, quantity, at / STEPS_PER_DAY)
        values[away[:, at]] = np.nan
        found[quantity.key] = Track(quantity, at, values)
    return found


def _reported(quantity: Quantity, values: Floats) -> Floats:
    """In steps of the sensor, within what it can show."""
    low, high = quantity.plausible
    stepped = np.round(values / quantity.resolution) * quantity.resolution
    return np.asarray(np.round(np.clip(stepped, low, high), 6), dtype=np.float64)


def _gaps(machines: Machines, steps: int, seed: int, first_day: int) -> npt.NDArray[np.bool_]:
    """Steps at which the network was away; what was measured then is lost."""
    away = np.zeros((len(machines.numbers), steps), dtype=bool)
    for row, number in enumerate(machines.numbers):
        for day, part in days(steps):
            rng = generator(seed, number, REPORTS, first_day + day)
            for _ in range(int(rng.poisson(GAPS_PER_DAY))):
                hours = GAP_HOURS * np.exp(GAP_SPREAD * rng.standard_normal())
                first = part.start + int(rng.integers(STEPS_PER_DAY))
                length = int(min(hours, GAP_LONGEST) * STEPS_PER_DAY / 24) + 1
                away[row, first : first + length] = True
    return away


def _last_day(events: Floats, at: npt.NDArray[np.int64]) -> Floats:
    """Sum over the 24 hours before each report; NaN before a day is known."""
    total = np.concatenate([np.zeros((len(events), 1)), np.cumsum(events, axis=1)], axis=1)
    found = total[:, at + 1] - total[:, np.maximum(at + 1 - STEPS_PER_DAY, 0)]
    found[:, at + 1 < STEPS_PER_DAY] = np.nan
    return found


def _true(
    quantity: Quantity, state: State, at: npt.NDArray[np.int64]
) -> tuple[Floats, Floats | float]:
    """The value that a perfect sensor would report, and the share of its usual noise."""
    here: dict[str, Floats] = {
        "tube_housing_temperature": state.housing,
        "oil_pressure": state.oil,
        "detector_temperature": state.detector,
        "detector_noise": state.noise,
        "pixel_dead_columns": state.dead,
        "room_temperature": state.air,
        "room_humidity": state.humidity,
    }
    key = quantity.key
    if key in here:
        return here[key][:, at], 1.0
    if key == "tube_arcs":
        return _last_day(state.arcs, at), 1.0
    if key == "exposures_per_day":
        return _last_day(state.exposures, at), 1.0
    # errors are seen only while there are exposures: the mean of those since the last report
    total = np.concatenate(
        [np.zeros((len(state.air), 1)), np.cumsum(state.exposures, axis=1)], axis=1
    )
    taken = total[:, at + 1] - total[:, np.maximum(at + 1 - quantity.every, 0)]
    true = (state.kv if key == "kv_error" else state.ma)[:, at]
    share = 1 / np.sqrt(np.maximum(taken, 1))
    if key == "ma_error":
        share = share * state.ma_scatter[:, at]
    return np.where(taken > 0, true, np.nan), share


def _noise(machines: Machines, number: int, steps: int, seed: int, first_day: int) -> Floats:
    found = np.empty((len(machines.numbers), steps))
    for row, device in enumerate(machines.numbers):
        for day, part in days(steps):
            rng = generator(seed, device, REPORTS, first_day + day, number)
            found[row, part] = rng.standard_normal(found[row, part].shape)
    return found


def _spoil(values: Floats, fault: Fault, quantity: Quantity, at: Floats) -> None:
    """What a fault does to the report itself, in place."""
    if fault.kind == "power_cut":
        values[fault.share(at) > 0] = np.nan
    if quantity.key != fault.metric:
        return
    after = at >= fault.onset
    if fault.kind == "silent_sensor":
        values[after] = np.nan
    elif fault.kind == "stuck_sensor":
        before = values[~after & np.isfinite(values)]
        stuck = before[-1] if len(before) else values[0]
        values[after & np.isfinite(values)] = stuck


def clocks(machines: Machines, steps: int, faults: Sequence[Fault]) -> Floats:
    """Seconds that each machine's clock is ahead at each step."""
    at = np.arange(steps) / STEPS_PER_DAY
    found = np.repeat(machines.clock[:, None], steps, axis=1)
    for row, device in enumerate(machines.numbers):
        for fault in of_device(faults, device):
            if fault.kind == "clock_skew":
                found[row] += SKEW * abs(fault.size) * fault.share(at)
    return np.round(found)
