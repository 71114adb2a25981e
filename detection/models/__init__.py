"""Runs of the reader over an image, what it found, and what people said of it."""

from .dataset import (
    DatasetExport,
    DatasetItem,
    DatasetKey,
    DatasetSplit,
    DatasetVersion,
    ExportState,
    Split,
)
from .finding import Finding, Label
from .review import Claim, Conclusion, Review, Signature, Verdict
from .run import DetectionRun, RunState, Trust
from .trust import TrustCursor
from .version import DetectorVersion, VersionState
from .worklist import WorklistItem

__all__ = [
    "Claim",
    "Conclusion",
    "DatasetExport",
    "DatasetItem",
    "DatasetKey",
    "DatasetSplit",
    "DatasetVersion",
    "DetectionRun",
    "DetectorVersion",
    "ExportState",
    "Finding",
    "Label",
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
