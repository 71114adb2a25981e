"""How one machine differs from the next: its parameters, drawn from the seed and its number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .faults import ZONE

Floats = npt.NDArray[np.float64]
PARAMETERS, ROOMS, DAYS, REPORTS = 1, 2, 3, 4  # streams of random numbers, apart from each other


@dataclass(frozen=True, slots=True)
class Machines:
    """Parameters of some machines, an array per quantity.

    Attributes:
        numbers: of the machines, from 0.
        role: row of `hospital.ROLES`.
        busy: exposures as a multiple of the role's usual number.
        energy: of one exposure, J (75 kV and 20 mAs are 1.5 kJ).
        idle: electronics in the housing, W.
        ready: filament and stator while pictures are taken, W.
        housing_loss: heat that the housing gives to the room, W/K.
        housing_mass: heat that it stores, J/K.
        oil_base: pressure at 20 Cel, kPa.
        oil_slope: rise of pressure with the oil's temperature, kPa/K.
        arcs: per exposure, of a tube of this age and its usual voltage.
        kv_offset: calibration, %.
        kv_warm: error that comes with heat, % per K above 40 Cel.
        ma_offset: calibration, %.
        detector_power: W.
        detector_loss: what its cooling carries off, W/K.
        noise: flat-field noise relative to acceptance.
        dead: columns dead at acceptance.
        target_temperature: of the room's air conditioning, Cel.
        target_humidity: %.
        clock: offset of the machine's clock, s.
    """

    numbers: range
    role: npt.NDArray[np.int64]
    busy: Floats
    energy: Floats
    idle: Floats
    ready: Floats
    housing_loss: Floats
    housing_mass: Floats
    oil_base: Floats
    oil_slope: Floats
    arcs: Floats
    kv_offset: Floats
    kv_warm: Floats
    ma_offset: Floats
    detector_power: Floats
    detector_loss: Floats
    noise: Floats
    dead: Floats
    target_temperature: Floats
    target_humidity: Floats
    clock: Floats


def generator(seed: int, device: int, stream: int, *more: int) -> np.random.Generator:
    """Random numbers of one machine for one purpose, whatever other machines there are."""
    return np.random.default_rng([seed, device, stream, *more])


def draw(seed: int, numbers: range) -> Machines:
    """The machines with these numbers; every magnitude is chosen."""
    kits = [_one(seed, number) for number in numbers]
    columns = {name: np.array([kit[name] for kit in kits]) for name in kits[0]}
    role = columns.pop("role").astype(np.int64)
    return Machines(numbers=numbers, role=role, **columns)


def _one(seed: int, number: int) -> dict[str, float]:
    rng = generator(seed, number, PARAMETERS)
    room = generator(seed, number // ZONE, ROOMS)

    def near(usual: float, share: float) -> float:
        return usual * float(np.exp(share * np.clip(rng.standard_normal(), -2.5, 2.5)))

    def about(usual: float, spread: float) -> float:
        return usual + spread * float(np.clip(rng.standard_normal(), -2.5, 2.5))

    # a tube that has aged and is used at a high voltage arcs more: 2 to 16 in 10,000 exposures
    age, voltage = float(rng.uniform(0, 1)), about(80, 8)
    return {
        "role": float(rng.choice(3, p=(0.6, 0.2, 0.2))),
        "busy": near(1, 0.25),
        "energy": near(1500, 0.2),
        "idle": near(14, 0.1),
        "ready": near(36, 0.1),
        "housing_loss": near(2.2, 0.1),
        "housing_mass": near(18_000, 0.1),
        "oil_base": about(90, 5),
        "oil_slope": near(1.2, 0.1),
        "arcs": 2e-4 * (1 + 3 * age) * float(np.exp((voltage - 80) / 20)),
        "kv_offset": about(0, 0.6),
        "kv_warm": about(0, 0.01),
        "ma_offset": about(0, 1.2),
        "detector_power": near(26, 0.08),
        "detector_loss": near(3.0, 0.08),
        "noise": near(1, 0.04),
        "dead": float(rng.poisson(1.2)),
        "target_temperature": 21.5 + 0.7 * float(np.clip(room.standard_normal(), -2, 2)),
        "target_humidity": 45 + 3 * float(np.clip(room.standard_normal(), -2, 2)),
        "clock": about(0, 20),
    }
