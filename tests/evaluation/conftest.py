"""The tiny annotated set, as the detector's tests have it."""

from __future__ import annotations

from tests.detectors.conftest import coco_set

__all__ = ["coco_set"]
