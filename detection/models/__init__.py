"""Runs of the reader over an image, what it found, and what people said of it."""

from .dataset import (
    DatasetExport,
    DatasetFilm,
    DatasetVersion,
    ExportState,
    PatientSplit,
    Split,
)
from .finding import Finding, Label
from .promotion import Promotion
from .review import Claim, Conclusion, Review, Signature, Verdict
from .run import DetectionRun, RunState, Trust
from .trust import TrustCursor
from .version import DetectorVersion, VersionState
from .worklist import WorklistItem

__all__ = [
    "Claim",
    "Conclusion",
    "DatasetExport",
    "DatasetFilm",
    "DatasetVersion",
    "DetectionRun",
    "DetectorVersion",
    "ExportState",
    "Finding",
    "Label",
    "PatientSplit",
    "Promotion",
    "Review",
    "RunState",
    "Signature",
    "Split",
    "Trust",
    "TrustCursor",
    "Verdict",
    "VersionState",
    "WorklistItem",
]
