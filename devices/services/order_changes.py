"""What every change of a work order does: its row locked, the table asked, the event written."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices.models import WorkOrder, WorkOrderEvent
from devices.order_steps import PAST_TENSE, TRANSITIONS, possible
from twinhealth.errors import ConflictError, InvalidInputError

AnyRequest = HttpRequest | Request | None


def remark(order: WorkOrder, actor: User, note: str, verb: str, request: AnyRequest) -> WorkOrder:
    """A line of the time line that moves nothing."""
    WorkOrderEvent.objects.create(
        order=order, by=actor, from_state=order.state, to_state=order.state, note=note
    )
    audit.record(actor=actor, verb=verb, obj=order, request=request)
    return order


def locked(order: WorkOrder) -> WorkOrder:
    """The row as it is now, held until the transaction ends."""
    return WorkOrder.objects.select_for_update(no_key=True).get(pk=order.pk)


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
        detail=detail or {},
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
