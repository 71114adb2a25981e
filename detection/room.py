"""What this room asks of the reading room, which stands above it and so can't be imported."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from django.db.models import QuerySet

from accounts.models import User
from detection import priority
from imaging.models import Image


class ReadingRoom(Protocol):
    """Answers of the room above."""

    def ceiling(self) -> timedelta:
        """How long a film may wait before no later one overtakes it; one query."""

    def refuse_reader(self, *, image: Image, user: User) -> None:
        """Raise a `ConflictError` if this reader may not act on the locked film."""

    def read_first(self, user: User) -> QuerySet[Any] | None:
        """Numbers of the films that a reader who reads blind has given a first impression of.

        `None` of one who reads with the model.
        """


class _Nobody:
    def ceiling(self) -> timedelta:
        return priority.CEILING

    def refuse_reader(self, *, image: Image, user: User) -> None:
        pass

    def read_first(self, user: User) -> QuerySet[Any] | None:
        return None


_room: ReadingRoom = _Nobody()


def connect(room: ReadingRoom) -> None:
    """Have these questions answered; called once, when the room above is ready."""
    global _room  # noqa: PLW0603
    _room = room


def ceiling() -> timedelta:
    """The house's ceiling now."""
    return _room.ceiling()


def refuse_reader(image: Image, user: User) -> None:
    """Raise if the room above says that this reader may not act on a film that isn't signed.

    Raises:
        ConflictError: with what the room above says.
    """
    _room.refuse_reader(image=image, user=user)


def read_first(user: User) -> QuerySet[Any] | None:
    """As `ReadingRoom.read_first`; one query."""
    return _room.read_first(user)
