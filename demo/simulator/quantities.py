"""What a synthetic machine reports: unit, resolution, noise and cadence of each metric."""

from __future__ import annotations

from dataclasses import dataclass

STEP = 300  # seconds of the integration
STEPS_PER_DAY = 86_400 // STEP
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Quantity:
    """One reported metric.

    Attributes:
        key: the metric's key.
        label: for people.
        unit: UCUM.
        every: steps between two reports.
        noise: standard deviation of the sensor, in `unit`.
        resolution: the sensor's step, in `unit`.
        plausible: what can be real; the door refuses the rest.
        max_age: seconds after which a value says nothing about now.
    """

    key: str
    label: str
    unit: str
    every: int
    noise: float
    resolution: float
    plausible: tuple[float, float | None]
    max_age: int = 2 * DAY


_HALF_HOUR, _HOUR, _FOUR_HOURS = 6, 12, 48

QUANTITIES: tuple[Quantity, ...] = (
    Quantity(
        "tube_housing_temperature",
        "Tube housing temperature",
        "Cel",
        _HALF_HOUR,
        0.3,
        0.1,
        (-20, 200),
    ),
    Quantity("oil_pressure", "Oil pressure in the tube housing", "kPa", _HOUR, 0.4, 0.1, (0, 1000)),
    Quantity("tube_arcs", "Arcs in 24 hours", "1", _HOUR, 0.0, 1, (0, None)),
    # the mean over an hour's exposures; an hour without any reports nothing
    Quantity("kv_error", "Tube voltage error", "%", _HOUR, 0.6, 0.01, (-100, 100), 4 * DAY),
    Quantity("ma_error", "Tube current error", "%", _HOUR, 1.0, 0.01, (-100, 100), 4 * DAY),
    Quantity("exposures_per_day", "Exposures in 24 hours", "1", _HOUR, 0.0, 1, (0, None)),
    Quantity(
        "detector_temperature", "Detector temperature", "Cel", _HALF_HOUR, 0.2, 0.1, (-20, 120)
    ),
    # of the dark and flat fields that a detector takes by itself
    Quantity(
        "detector_noise",
        "Flat-field noise, relative to acceptance",
        "1",
        _FOUR_HOURS,
        0.015,
        0.001,
        (0, 100),
    ),
    Quantity("pixel_dead_columns", "Dead detector columns", "1", _FOUR_HOURS, 0.0, 1, (0, None)),
    Quantity("room_temperature", "Room temperature", "Cel", _HOUR, 0.2, 0.1, (-20, 60)),
    Quantity("room_humidity", "Room humidity", "%", _HOUR, 1.0, 0.5, (0, 100)),
)
KEYS = tuple(q.key for q in QUANTITIES)
BY_KEY = {q.key: q for q in QUANTITIES}
