"""Synthetic vitals, wearables and labs for the demo's synthetic patients."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from accounts.models import User
from patients.models import Patient
from patients.models.observation import Source
from patients.services.observations import ObservationIn, record

SEED = 1_913
# LOINC code, unit, base, spread, change over the last two days when ill, decimals
_VITALS = (
    ("8480-6", "mm[Hg]", 126, 6, 8, 0),
    ("8462-4", "mm[Hg]", 78, 4, 3, 0),
    ("8867-4", "/min", 76, 5, 24, 0),
    ("8310-5", "Cel", 36.8, 0.15, 1.7, 1),
    ("59408-5", "%", 97, 0.7, -5, 0),
    ("9279-1", "/min", 15, 1, 8, 0),
)
_LABS = (
    ("1988-5", "mg/L", 4, 1.5, 92, 1),
    ("6690-2", "10*3/uL", 6.8, 0.6, 3.1, 1),
    ("731-0", "10*3/uL", 1.9, 0.15, -1.0, 2),
    ("2160-0", "mg/dL", 0.9, 0.05, 0.15, 2),
)


def seed_observations(*, patient: Patient, ill: bool, now: datetime, actor: User | None) -> None:
    """Two days of vitals every four hours, a week of sleep and steps, labs once a day."""
    rng = np.random.default_rng([SEED, patient.pk])

    def value(base: float, spread: float, change: float, progress: float, digits: int) -> float:
        drift = change * progress if ill else 0.0
        return round(float(base + drift + spread * rng.standard_normal()), digits)

    vitals = [
        ObservationIn(
            code,
            min(value(base, spread, change, step / 12, digits), 100)
            if unit == "%"
            else value(base, spread, change, step / 12, digits),
            unit,
            now - timedelta(hours=4 * (12 - step), minutes=7),
        )
        for step in range(13)
        for code, unit, base, spread, change, digits in _VITALS
    ]
    labs = [
        ObservationIn(
            code,
            max(value(base, spread, change, day / 3, digits), 0.1),
            unit,
            now - timedelta(days=3 - day, hours=3),
        )
        for day in range(4)
        for code, unit, base, spread, change, digits in _LABS
    ]
    wearable = []
    for day in range(7):
        at = now - timedelta(days=6 - day, hours=1)
        tired = day / 6 if ill else 0.0
        wearable += [
            ObservationIn(
                "93832-4", round(7.2 - 2.2 * tired + 0.4 * rng.standard_normal(), 1), "h", at
            ),
            ObservationIn(
                "55423-8",
                max(0, int(6400 * (1 - 0.85 * tired) + 500 * rng.standard_normal())),
                "{steps}",
                at,
            ),
        ]
    for items, source in ((vitals, Source.REST), (labs, Source.LAB), (wearable, Source.WEARABLE)):
        result = record(patient=patient, items=items, source=source, actor=actor, is_synthetic=True)
        if result.rejected:
            raise AssertionError(f"the demo's own values were refused: {result.rejected[0]}")
