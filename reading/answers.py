"""What the room below asks of this one (`detection.room`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from detection import room
from imaging.models import Image
from reading.blinded import read_first
from reading.selectors_double import refuse_reader
from reading.selectors_policy import policy_now


class Answers:
    """This room's answers."""

    def ceiling(self) -> timedelta:
        """Of the policy that holds now."""
        return policy_now().ceiling

    def refuse_reader(self, *, image: Image, user: User) -> None:
        """Whose part in a double reading is done, and who can't settle a difference, only look."""
        refuse_reader(image=image, user=user)

    def read_first(self, user: User) -> QuerySet[Any] | None:
        """Of the blinded groups."""
        return read_first(user)


def connect() -> None:
    """Answer from now on; called once, when the room is ready."""
    room.connect(Answers())
