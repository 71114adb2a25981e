"""What this room asks of the reading room, which stands above it and so can't be imported."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from detection import priority


class ReadingRoom(Protocol):
    """Answers of the room above."""

    def ceiling(self) -> timedelta:
        """How long a film may wait before no later one overtakes it; one query."""


class _Nobody:
    def ceiling(self) -> timedelta:
        return priority.CEILING


_room: ReadingRoom = _Nobody()


def connect(room: ReadingRoom) -> None:
    """Have these questions answered; called once, when the room above is ready."""
    global _room  # noqa: PLW0603
    _room = room


def ceiling() -> timedelta:
    """The house's ceiling now."""
    return _room.ceiling()
