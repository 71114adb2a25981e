"""What this room adds to the rooms below: sections, links, a guard, an ear."""

from __future__ import annotations

from devices.services import order_guards
from devices.signals import degraded_changed

from . import hearing
from .selectors import by_order


def connect() -> None:
    """Called once, when the room is ready."""
    order_guards.register("quality", by_order.guard)
    degraded_changed.connect(hearing.mark_changed, dispatch_uid="quality")
