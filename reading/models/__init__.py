"""What the reading room keeps beside verdicts and signatures."""

from .addendum import Addendum
from .critical import CriticalAttempt, CriticalResult, CriticalState
from .first_impression import FirstImpression
from .line import HelpRequest, Skip
from .on_call import OnCallList, OnCallStep
from .reading_group import ReadingGroup, ReadingGroupMember
from .saved_view import SavedView
from .second_look import SecondLook

__all__ = [
    "Addendum",
    "CriticalAttempt",
    "CriticalResult",
    "CriticalState",
    "FirstImpression",
    "HelpRequest",
    "OnCallList",
    "OnCallStep",
    "ReadingGroup",
    "ReadingGroupMember",
    "SavedView",
    "SecondLook",
    "Skip",
]
