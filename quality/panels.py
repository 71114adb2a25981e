"""What this room adds to the rooms below: sections, links, a guard, an ear."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.permissions import Can, may
from devices.models import Device, WorkOrder
from devices.models.device import Lifecycle
from devices.order_steps import OPEN
from devices.services import order_guards
from devices.signals import degraded_changed
from twinhealth.web import panels

from . import hearing
from .models import QASession
from .selectors import by_order, overview


def connect() -> None:
    """Called once, when the room is ready."""
    order_guards.register("quality", by_order.guard)
    degraded_changed.connect(hearing.mark_changed, dispatch_uid="quality")
    panels.register_link(
        "devices:maintenance",
        panels.Link(
            "Quality", "quality:index", "gauge", lambda user: may(user, Can.MAINTENANCE_READ)
        ),
    )
    panels.register("devices:device", "quality/device_panel.html", _of_device)
    panels.register("devices:order", "quality/order_panel.html", _of_order)


def _of_device(request: HttpRequest, device: Device) -> dict[str, Any] | None:
    """Protocols of the machine with their last verdict and what is due."""
    if not may(request.user, Can.MAINTENANCE_READ) or device.lifecycle == Lifecycle.RETIRED:
        return None
    return {
        "device": device,
        "rows": overview.rows(device=device.pk),
        "can_work": may(request.user, Can.ORDER_WORK),
    }


def _of_order(request: HttpRequest, order: WorkOrder) -> dict[str, Any] | None:
    """The protocol that the order asks for, or whose failure it looks after."""
    protocol = by_order.concerned(order)
    sessions = list(
        QASession.objects.filter(order=order).defer("content", "answers").order_by("pk")
    )
    if protocol is None:
        if not sessions:
            return None
        protocol = sessions[-1].protocol
    return {
        "order": order,
        "protocol": protocol,
        "sessions": sessions,
        "asked": by_order.asked_by(order) is not None,
        "missing": not any(session.is_signed for session in sessions),
        "may_start": may(request.user, Can.ORDER_WORK)
        and order.state in OPEN
        and order.state != "requested"
        and protocol.retired_at is None
        and all(session.is_signed for session in sessions),
    }
