"""Tables of `inventory`, one noun a file."""

from .audit_file import AuditFile, AuditFileState
from .contract import Contract, ContractKind, Warranty
from .import_job import Fate, ImportFate, ImportKind, ImportState, InventoryImport
from .mds2 import Answer, Mds2Answer, Mds2Sheet
from .part import MovementKind, Part, StockMovement
from .plan_part import PlanPart
from .recall import CandidateState, Recall, RecallCandidate, RecallStep, Severity, Sureness
from .vendor import Vendor

__all__ = [
    "Answer",
    "AuditFile",
    "AuditFileState",
    "CandidateState",
    "Contract",
    "ContractKind",
    "Fate",
    "ImportFate",
    "ImportKind",
    "ImportState",
    "InventoryImport",
    "Mds2Answer",
    "Mds2Sheet",
    "MovementKind",
    "Part",
    "PlanPart",
    "Recall",
    "RecallCandidate",
    "RecallStep",
    "Severity",
    "StockMovement",
    "Sureness",
    "Vendor",
    "Warranty",
]
