"""Runs of the reader over an image, what it found, and what people said of it."""

from .apart import Purpose, ReadingState, VersionReading
from .evidence import TEST, VAL, EvidenceFilm, EvidenceSet
from .finding import Finding, Label
from .review import Claim, Conclusion, Review, Signature, Verdict
from .run import DetectionRun, RunState, Trust
from .trust import TrustCursor
from .upload import UploadState, WeightsUpload
from .version import DetectorVersion, Promotion, PromotionKind, VersionState
from .worklist import WorklistItem

__all__ = [
    "TEST",
    "VAL",
    "Claim",
    "Conclusion",
    "DetectionRun",
    "DetectorVersion",
    "EvidenceFilm",
    "EvidenceSet",
    "Finding",
    "Label",
    "Promotion",
    "PromotionKind",
    "Purpose",
    "ReadingState",
    "Review",
    "RunState",
    "Signature",
    "Trust",
    "TrustCursor",
    "UploadState",
    "Verdict",
    "VersionReading",
    "VersionState",
    "WeightsUpload",
    "WorklistItem",
]
