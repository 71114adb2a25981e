"""What the reading room keeps beside verdicts and signatures."""

from .addendum import Addendum
from .critical import CriticalAttempt, CriticalResult, CriticalState
from .critical_email import CriticalEmail
from .double import Adjudication, Choice, DoubleReading, IndependentRead
from .first_impression import FirstImpression
from .line import HelpRequest, Skip
from .on_call import OnCallList, OnCallStep
from .policy import ReadingPolicy, Twice
from .reading_group import ReadingGroup, ReadingGroupMember
from .report import Report, ReportDraft
from .saved_view import SavedView
from .second_look import SecondLook
from .text_block import TextBlock

__all__ = [
    "Addendum",
    "Adjudication",
    "Choice",
    "CriticalAttempt",
    "CriticalEmail",
    "CriticalResult",
    "CriticalState",
    "DoubleReading",
    "FirstImpression",
    "HelpRequest",
    "IndependentRead",
    "OnCallList",
    "OnCallStep",
    "ReadingGroup",
    "ReadingGroupMember",
    "ReadingPolicy",
    "Report",
    "ReportDraft",
    "SavedView",
    "SecondLook",
    "Skip",
    "TextBlock",
    "Twice",
]
