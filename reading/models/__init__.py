"""What the reading room keeps."""

from .addendum import Addendum
from .critical import CriticalAttempt, CriticalResult, CriticalState
from .on_call import OnCallList, OnCallStep

__all__ = [
    "Addendum",
    "CriticalAttempt",
    "CriticalResult",
    "CriticalState",
    "OnCallList",
    "OnCallStep",
]
