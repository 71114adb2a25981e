"""What the reading room keeps beside verdicts and signatures."""

from .addendum import Addendum
from .critical import CriticalAttempt, CriticalResult, CriticalState
from .critical_email import CriticalEmail
from .line import HelpRequest, Skip
from .on_call import OnCallList, OnCallStep
from .saved_view import SavedView
from .second_look import SecondLook

__all__ = [
    "Addendum",
    "CriticalAttempt",
    "CriticalEmail",
    "CriticalResult",
    "CriticalState",
    "HelpRequest",
    "OnCallList",
    "OnCallStep",
    "SavedView",
    "SecondLook",
    "Skip",
]
