"""What every change of a work order does: its row locked, the table asked, the event written."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices.models import WorkOrder, WorkOrderEvent
from devices.order_steps import PAST_TENSE, TRANSITIONS, possible
from twinhealth.errors import ConflictError, InvalidInputError

AnyRequest = HttpRequest | Request | None
_WAS: Final = "_was"  # person and time of the row when it was locked


def changes(order: WorkOrder, person: int | None, scheduled_for: datetime | None) -> dict[str, Any]:
    """What an event says of a new person or time; nothing where neither is new.

    Args:
        order: as it is now.
        person: who had it.
        scheduled_for: when it was to be done.
    """
    found: dict[str, Any] = {}
    if order.assigned_to_id != person:
        found["assigned"] = {"from": person, "to": order.assigned_to_id}
    if order.scheduled_for != scheduled_for:
        was, now = scheduled_for, order.scheduled_for
        found["scheduled"] = {
            "from": was.isoformat() if was else None,
            "to": now.isoformat() if now else None,
            "person": order.assigned_to_id,
        }
    return found


def _changes_since_locked(order: WorkOrder) -> dict[str, Any]:
    """Against the row as `locked` read it; one that wasn't locked here has none."""
    was = getattr(order, _WAS, None)
    return changes(order, *was) if was else {}


def remark(order: WorkOrder, actor: User, note: str, verb: str, request: AnyRequest) -> WorkOrder:
    """A line of the time line that leaves the state."""
    WorkOrderEvent.objects.create(
        order=order,
        by=actor,
        from_state=order.state,
        to_state=order.state,
        note=note,
        detail=_changes_since_locked(order),
    )
    audit.record(actor=actor, verb=verb, obj=order, request=request)
    return order


def locked(order: WorkOrder) -> WorkOrder:
    """The row as it is now, held until the transaction ends."""
    found = WorkOrder.objects.select_for_update(no_key=True).get(pk=order.pk)
    setattr(found, _WAS, (found.assigned_to_id, found.scheduled_for))
    return found


def step(order: WorkOrder, step: str) -> tuple[WorkOrder, str]:
    """The locked row, already in its new state (not saved), and the state before."""
    order = locked(order)
    before = order.state
    target = TRANSITIONS.get((before, step))
    if target is None:
        raise ConflictError(
            "bad_transition",
            f"This order is {order.get_state_display()}; it can't be {PAST_TENSE[step]} now.",
            **{
                "from": before,
                "to": next(to for (_, name), to in TRANSITIONS.items() if name == step),
                "step": step,
                "possible": list(possible(before)),
            },
        )
    order.state = target
    return order, before


def finish(
    order: WorkOrder,
    before: str,
    step: str,
    actor: User | None,
    request: AnyRequest,
    *,
    note: str = "",
    detail: dict[str, Any] | None = None,
) -> WorkOrder:
    """Save the order with its event and the audit row; `actor` is `None` for the system."""
    order.save()
    WorkOrderEvent.objects.create(
        order=order,
        by=actor,
        from_state=before,
        to_state=order.state,
        note=note[:1000],
        detail={**(detail or {}), **_changes_since_locked(order)},
    )
    audit.record(
        actor=actor,
        verb=PAST_TENSE[step],
        obj=order,
        request=request,
        detail={"from": before, "to": order.state},
    )
    return order


def check_assignee(person: User | None) -> None:
    """Whoever gets an order must be one who works on orders.

    Raises:
        InvalidInputError: `cannot_assign`.
    """
    if person is not None and not may(person, Can.ORDER_WORK):
        raise InvalidInputError("cannot_assign", "This person's role doesn't work on orders.")
