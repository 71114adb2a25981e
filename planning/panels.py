"""What this room adds to pages of the rooms below."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from accounts.permissions import Can, may
from devices.models import Device, WorkOrder
from devices.order_steps import possible
from maintenance.selectors_week import Week
from twinhealth.web import panels


def connect() -> None:
    """Have it shown; called once, when the room is ready."""
    for label, name in (("What if", "what-if"), ("Suggestion", "suggestion")):
        panels.register_link(
            "devices:maintenance",
            panels.Link(
                label, f"planning:{name}", "gauge", lambda user: may(user, Can.MAINTENANCE_PLAN)
            ),
        )
    panels.register("maintenance:week", "planning/week_panel.html", _week)
    panels.register("devices:order", "planning/order_panel.html", _order)
    panels.register("devices:device", "planning/device_panel.html", _device)


def _week(request: HttpRequest, week: Week) -> dict[str, Any] | None:
    """The orders of the week that can be moved, to be tried on another day."""
    if not may(request.user, Can.MAINTENANCE_PLAN):
        return None
    orders = [
        order
        for lane in week.lanes
        for day in lane.days
        for order in day.orders
        if "schedule" in possible(order.state)
    ]
    return {"orders": orders, "day": max(week.first, timezone.localdate())}


def _order(request: HttpRequest, order: WorkOrder) -> dict[str, Any] | None:
    can = may(request.user, Can.MAINTENANCE_PLAN) and "schedule" in possible(order.state)
    return {"order": order} if can else None


def _device(request: HttpRequest, device: Device) -> dict[str, Any] | None:
    return {"device": device} if may(request.user, Can.MAINTENANCE_READ) else None
