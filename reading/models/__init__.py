"""What the reading room keeps beside verdicts and signatures."""

from .addendum import Addendum
from .critical import CriticalAttempt, CriticalResult, CriticalState
from .double import Adjudication, Choice, DoubleReading, IndependentRead
from .line import HelpRequest, Skip
from .on_call import OnCallList, OnCallStep
from .policy import ReadingPolicy, Twice
from .saved_view import SavedView
from .second_look import SecondLook

__all__ = [
    "Addendum",
    "Adjudication",
    "Choice",
    "CriticalAttempt",
    "CriticalResult",
    "CriticalState",
    "DoubleReading",
    "HelpRequest",
    "IndependentRead",
    "OnCallList",
    "OnCallStep",
    "ReadingPolicy",
    "SavedView",
    "SecondLook",
    "Skip",
    "Twice",
]
