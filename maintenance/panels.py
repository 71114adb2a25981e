"""What this room adds to pages of the rooms below."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.permissions import Can, may
from devices.models import WorkOrder
from devices.order_steps import possible
from twinhealth.web import panels


def connect() -> None:
    """Have it shown; called once, when the room is ready."""
    for label, name, icon in (
        ("Week", "week", "calendar"),
        ("Figures", "figures", "gauge"),
        ("Calendar feeds", "feeds", "calendar"),
    ):
        panels.register_link(
            "devices:maintenance",
            panels.Link(
                label, f"maintenance:{name}", icon, lambda user: may(user, Can.MAINTENANCE_READ)
            ),
        )
    panels.register("devices:order", "maintenance/order_move.html", _move)


def _move(request: HttpRequest, order: WorkOrder) -> dict[str, Any] | None:
    """The link to another time, while the order can have one."""
    can = may(request.user, Can.ORDER_WORK) and "schedule" in possible(order.state)
    return {"order": order} if can else None
