"""What the room below asks of this one (`detection.room`)."""

from __future__ import annotations

from datetime import timedelta

from detection import room
from reading.selectors_policy import policy_now


class Answers:
    """This room's answers."""

    def ceiling(self) -> timedelta:
        """Of the policy that holds now."""
        return policy_now().ceiling


def connect() -> None:
    """Answer from now on; called once, when the room is ready."""
    room.connect(Answers())
