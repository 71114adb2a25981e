"""What this room adds to pages of the rooms below."""

from __future__ import annotations

from accounts.permissions import Can, may
from twinhealth.web import panels


def connect() -> None:
    """Have it shown; called once, when the room is ready."""
    for label, name, icon in (("Figures", "figures", "gauge"),):
        panels.register_link(
            "devices:maintenance",
            panels.Link(
                label, f"maintenance:{name}", icon, lambda user: may(user, Can.MAINTENANCE_READ)
            ),
        )
