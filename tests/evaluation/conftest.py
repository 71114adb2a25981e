"""Annotated sets on disk, as for the detector's own tests."""

from tests.detectors.conftest import coco_set

__all__ = ["coco_set"]
