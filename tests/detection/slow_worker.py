"""The real Celery application with a detector that takes `DETECTOR_DELAY_SECONDS` longer.

Time enough to kill a worker in mid-run. Only tests name this module (`celery -A`); the real weights
read where they are there, else something that finds one box in each film.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from twinhealth.celery import app

django.setup()

from detection.detectors.loader import Box, Prediction  # noqa: E402
from detection.services import engine  # noqa: E402

__all__ = ["app"]
DELAY = float(os.environ.get("DETECTOR_DELAY_SECONDS", "0"))
HAS_WEIGHTS = Path(settings.DETECTOR_WEIGHTS).exists()
_real = engine.detector_for


class OneBox:
    """Where there are no weights."""

    def predict(self, frame: Any) -> Prediction:
        return Prediction(boxes=[Box("covid", 0.9, 1.0, 1.0, 10.0, 10.0)], seconds=0.0)


class Slow:
    """Any detector, later."""

    def __init__(self, detector: Any) -> None:
        self.detector = detector

    def predict(self, frame: Any) -> Prediction:
        prediction: Prediction = self.detector.predict(frame)
        time.sleep(DELAY)
        return prediction


def slow_detector_for(version: Any) -> Slow:
    return Slow(_real(version) if HAS_WEIGHTS else OneBox())


engine.detector_for = slow_detector_for
