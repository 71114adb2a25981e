"""What of this room waits for somebody, on the left rail."""

from __future__ import annotations

from detection import selectors_rereads
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
    badges.register(
        "reading:re-reads",
        selectors_rereads.waiting_for,
        one="film to re-read",
        many="films to re-read",
    )
