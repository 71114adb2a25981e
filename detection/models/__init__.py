"""Runs of the reader over an image, what it found, and what people said of it."""

from .finding import Finding
from .review import Claim, Review, Signature
from .run import DetectionRun, RunState
from .version import DetectorVersion

__all__ = [
    "Claim",
    "DetectionRun",
    "DetectorVersion",
    "Finding",
    "Review",
    "RunState",
    "Signature",
]
