"""The real Celery application with a detector that takes `DETECTOR_DELAY_SECONDS` longer.

Time enough to kill a worker in mid-run. Only tests name this module (`celery -A`). The release's
weights read; where they are not there, the test's stand-in manifest says so by its name, and
something that finds one box in each film takes their place.
"""

from __future__ import annotations

import os
import time
from typing import Any

import django

from twinhealth.celery import app

django.setup()

from detection.detectors.prediction import Box, Prediction  # noqa: E402
from detection.services import engine  # noqa: E402

__all__ = ["app"]
STAND_IN = "no-weights-here"
DELAY = float(os.environ.get("DETECTOR_DELAY_SECONDS", "0"))
_real = engine.detector_for


class OneBox:
    """Where there are no weights."""

    def predict(self, frame: Any, *, min_score: float | None = None) -> Prediction:
        return Prediction(boxes=[Box("covid", 0.9, 1.0, 1.0, 10.0, 10.0)], seconds=0.0)


class Slow:
    """Any detector, later."""

    def __init__(self, detector: Any) -> None:
        self.detector = detector

    def predict(self, frame: Any, *, min_score: float | None = None) -> Prediction:
        prediction: Prediction = self.detector.predict(frame, min_score=min_score)
        time.sleep(DELAY)
        return prediction


def slow_detector_for(version: Any) -> Slow:
    return Slow(OneBox() if version.name == STAND_IN else _real(version))


engine.detector_for = slow_detector_for  # type: ignore[assignment]
