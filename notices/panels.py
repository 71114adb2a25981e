"""What this room adds to pages of the rooms below: the second count of the bell, and links."""

from __future__ import annotations

from accounts.permissions import Can, may
from twinhealth.web import badges, panels

from .selectors import unread

BELL = "devices:notifications"


def connect() -> None:
    """Have it shown; called once, when the room is ready."""
    badges.register(BELL, unread, one="unread notice", many="unread notices", part="notices")
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
