"""What of this room waits for somebody, on the left rail."""

from __future__ import annotations

from reading.models import CriticalResult, CriticalState
from twinhealth.web import badges


def connect() -> None:
    """Have them counted; called once, when the room is ready."""
    badges.register(
        "reading:critical",
        lambda: CriticalResult.objects.filter(state=CriticalState.OPEN),
        one="open critical result",
        many="open critical results",
    )
