"""What rooms above ask for before an order may be completed.

`devices` must not know who keeps test protocols; the room that does registers a guard here, as it
registers sections in `twinhealth.web.panels`.
"""

from __future__ import annotations

from collections.abc import Callable

from devices.models import WorkOrder

# raises a `DomainError` while something is missing; runs under the order's lock
Guard = Callable[[WorkOrder], None]

_guards: dict[str, Guard] = {}


def register(name: str, guard: Guard) -> None:
    """Have it asked at each completion; a second one of the same name replaces the first."""
    _guards[name] = guard


def check(order: WorkOrder) -> None:
    """Ask every guard.

    Raises:
        DomainError: as the guards say.
    """
    for guard in _guards.values():
        guard(order)
