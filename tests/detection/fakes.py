"""A detector without torch: what it says is set by the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from detection.detectors.prediction import Box, Prediction
from detection.services import engine, execute
from imaging.frame import Frame


class FakeDetector:
    """Says the same of each film, after calling `during` (where a test acts in mid-run)."""

    def __init__(self, *boxes: tuple[Any, ...], during: Callable[[], object] | None = None) -> None:
        self.boxes = [Box(*box) for box in boxes]
        self.during = during
        self.calls = 0

    def predict(self, frame: Frame, *, min_score: float | None = None) -> Prediction:
        self.calls += 1
        if self.during:
            self.during()
        return Prediction(boxes=self.boxes, seconds=0.25)


def frame() -> Frame:
    return Frame(np.zeros((300, 400), np.uint16), "MONOCHROME2", 12)


def install(monkeypatch: pytest.MonkeyPatch, detector: FakeDetector) -> FakeDetector:
    """Make it the detector of this process, and any film readable."""
    monkeypatch.setattr(engine, "detector_for", lambda version: detector)
    monkeypatch.setattr(execute.pixels, "load", lambda image: frame())
    return detector
