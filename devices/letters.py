"""Letters: what rooms write to people through the outbox, which knows nothing of their subjects.

A letter is composed when it is sent, not when it is queued: what is no longer true by then isn't
sent, and the delivery says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devices.models import Notification


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes into the e-mail; `html` may be empty."""

    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class Needless:
    """It isn't sent any more, and why."""

    why: str


Compose = Callable[["Notification", datetime], Letter | Needless]
_writers: dict[str, tuple[str, Compose]] = {}


def register(name: str, label: str, compose: Compose) -> None:
    """Have letters of a name written.

    Args:
        name: stands in the row; at most 32 characters.
        label: what it is, for people.
        compose: called by the worker outside any transaction, once a try.
    """
    _writers[name] = (label, compose)


def label_of(name: str) -> str:
    """What a letter is, for people."""
    return _writers[name][0] if name in _writers else name


def compose(row: Notification, now: datetime) -> Letter | Needless:
    """The letter as of now."""
    if row.letter not in _writers:
        return Needless("nobody writes such letters any more")
    return _writers[row.letter][1](row, now)
