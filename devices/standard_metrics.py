"""Metrics that every digital X-ray machine shows through its images (keys of `ImageFacts`).

They carry no limits: those are the manufacturer's or the physicist's to set, and a machine without
rules has an unknown health rather than a good one.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400


@dataclass(frozen=True, slots=True)
class StandardMetric:
    """One metric; `low` and `high` are what can be real, in `unit` (UCUM)."""

    key: str
    label: str
    unit: str
    low: float | None = None
    high: float | None = None
    max_age: int = 30 * DAY


STANDARD_METRICS: tuple[StandardMetric, ...] = (
    # IEC 62494-1
    StandardMetric("exposure_index", "Exposure index", "1", 0, 100_000),
    StandardMetric("deviation_index", "Deviation index", "1", -30, 30),
    StandardMetric("kvp", "Tube voltage", "kV", 20, 200),
    StandardMetric("exposure_mas", "Exposure", "mA.s", 0, 2_000),
    StandardMetric("exposure_time", "Exposure time", "ms", 0, 60_000),
    StandardMetric("detector_temperature", "Detector temperature", "Cel", -20, 120),
    StandardMetric("detector_exposures", "Exposures of the detector", "1", 0, None),
    StandardMetric("pixel_noise", "Noise in the picture", "1", 0, None),
    StandardMetric("pixel_mean", "Mean grey level", "%", 0, 100),
    StandardMetric("pixel_saturated", "Saturated pixels", "%", 0, 100),
    StandardMetric("pixel_dead_columns", "Dead detector columns", "1", 0, None),
    # share of a day's films that the image gate refused, once a day
    StandardMetric("reject_rate", "Rejected films", "%", 0, 100),
)
