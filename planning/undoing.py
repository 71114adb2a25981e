"""The last moves written from here, kept in the session so that they can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone

from maintenance.views_week import UNDO_FOR

from .services.moves import MoveFate

KEY = "planning_moves"
MOST_SAID = 8


def remember(request: HttpRequest, fates: Sequence[MoveFate]) -> None:
    """Keep what was moved, and say what became of each order."""
    moved = [each.undo for each in fates if each.undo is not None]
    if moved:
        request.session[KEY] = {"at": timezone.now().isoformat(), "moves": moved}
    say(request, fates, "Moved")


def say(request: HttpRequest, fates: Sequence[MoveFate], verb: str) -> None:
    """A line for those that went well, and one for each that didn't."""
    good = [f"WO-{each.order}" for each in fates if not each.code]
    bad = [each for each in fates if each.code]
    if good:
        more = f" and {len(good) - MOST_SAID} more" if len(good) > MOST_SAID else ""
        messages.success(request, f"{verb}: {', '.join(good[:MOST_SAID])}{more}.")
    for each in bad[:MOST_SAID]:
        messages.error(request, f"WO-{each.order} stays where it is: {each.message}")
    if len(bad) > MOST_SAID:
        messages.error(request, f"{len(bad) - MOST_SAID} more orders stay where they are.")


def kept(request: HttpRequest) -> dict[str, Any] | None:
    """The moves that can still be taken back."""
    found = request.session.get(KEY)
    if not found or datetime.fromisoformat(found["at"]) < timezone.now() - UNDO_FOR:
        return None
    return cast("dict[str, Any]", found)
