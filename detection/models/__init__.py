"""Runs of the reader over an image, what it found, and what people said of it."""

from .apart import Purpose, ReadingState, VersionReading
from .dataset import (
    DatasetExport,
    DatasetFilm,
    DatasetVersion,
    ExportState,
    PatientSplit,
    Split,
)
from .evidence import TEST, VAL, EvidenceFilm, EvidenceSet
from .finding import Finding, Label
from .promotion import Promotion
from .reread import ReRead, ReReadEvent, ReReadList, ReReadResult, ReReadState, ReReadWhy
from .review import Claim, Conclusion, RejectReason, Review, Signature, Verdict
from .run import DetectionRun, RunState, Trust
from .trust import TrustCause, TrustChange, TrustCursor
from .upload import UploadState, WeightsUpload
from .version import DetectorVersion, VersionState
from .worklist import UrgencySet, WorklistItem

__all__ = [
    "TEST",
    "VAL",
    "Claim",
    "Conclusion",
    "DatasetExport",
    "DatasetFilm",
    "DatasetVersion",
    "DetectionRun",
    "DetectorVersion",
    "EvidenceFilm",
    "EvidenceSet",
    "ExportState",
    "Finding",
    "Label",
    "PatientSplit",
    "Promotion",
    "Purpose",
    "ReRead",
    "ReReadEvent",
    "ReReadList",
    "ReReadResult",
    "ReReadState",
    "ReReadWhy",
    "ReadingState",
    "RejectReason",
    "Review",
    "RunState",
    "Signature",
    "Split",
    "Trust",
    "TrustCause",
    "TrustChange",
    "TrustCursor",
    "UploadState",
    "UrgencySet",
    "Verdict",
    "VersionReading",
    "VersionState",
    "WeightsUpload",
    "WorklistItem",
]
