"""What this room adds to pages of the rooms below: the second count of the bell, and links."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.models import User
from accounts.permissions import Can, may
from twinhealth.web import badges, panels

from .selectors import unread

BELL = "devices:notifications"


def connect() -> None:
    """Have it shown; called once, when the room is ready."""
    badges.register(BELL, unread, one="unread notice", many="unread notices", part="notices")
    panels.register(BELL, "notices/bell.html", _unread)
    for place, label, name in (
        (BELL, "Notices of maintenance", "list"),
        ("devices:maintenance", "Notices", "list"),
    ):
        panels.register_link(
            place,
            panels.Link(
                label, f"notices:{name}", "bell", lambda user: may(user, Can.MAINTENANCE_READ)
            ),
        )


def _unread(request: HttpRequest, subject: object) -> dict[str, Any] | None:
    """How many wait, on the page of alerts' notifications."""
    assert isinstance(request.user, User)  # noqa: S101 - nobody else sees the page
    count = unread(request.user).count()
    return {"count": count} if count else None
