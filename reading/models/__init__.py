"""What the reading room keeps beside verdicts and signatures."""

from .addendum import Addendum
from .critical import CriticalAttempt, CriticalResult, CriticalState
from .line import HelpRequest, Skip
from .on_call import OnCallList, OnCallStep
from .policy import ReadingPolicy, Twice
from .saved_view import SavedView
from .second_look import SecondLook

__all__ = [
    "Addendum",
    "CriticalAttempt",
    "CriticalResult",
    "CriticalState",
    "HelpRequest",
    "OnCallList",
    "OnCallStep",
    "ReadingPolicy",
    "SavedView",
    "SecondLook",
    "Skip",
    "Twice",
]
