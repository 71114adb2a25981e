"""What the reading room keeps beside verdicts and signatures."""

from .addendum import Addendum
from .critical import CriticalAttempt, CriticalResult, CriticalState
from .line import HelpRequest, Skip
from .on_call import OnCallList, OnCallStep
from .report import Report, ReportDraft
from .saved_view import SavedView
from .second_look import SecondLook
from .text_block import TextBlock

__all__ = [
    "Addendum",
    "CriticalAttempt",
    "CriticalResult",
    "CriticalState",
    "HelpRequest",
    "OnCallList",
    "OnCallStep",
    "Report",
    "ReportDraft",
    "SavedView",
    "SecondLook",
    "Skip",
    "TextBlock",
]
