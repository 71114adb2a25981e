"""What of this room waits for somebody, on the left rail."""

from __future__ import annotations

from reading.selectors_critical import waiting_for
from twinhealth.web import badges


def connect() -> None:
    """Have them counted; called once, when the room is ready."""
    badges.register(
        "reading:critical",
        waiting_for,
        one="critical result waits for you",
        many="critical results wait for you",
    )
