"""Moving an order to another time or person, with the reason kept in its history, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from accounts.services import audit
from devices.models import WorkOrder, WorkOrderEvent
from devices.plain_text import clean
from devices.selectors_due import late_after
from devices.services import orders
from devices.services.order_changes import changes
from twinhealth.errors import ConflictError, NotFoundError

from . import AnyRequest


@dataclass(frozen=True, slots=True)
class Place:
    """Where an order stood."""

    state: str
    scheduled_for: datetime | None
    assigned_to: int | None

    @classmethod
    def of(cls, order: WorkOrder) -> Place:
        """Now."""
        return cls(order.state, order.scheduled_for, order.assigned_to_id)

    def kept(self) -> list[Any]:
        """As a session or a stored row keeps it."""
        at = self.scheduled_for.isoformat() if self.scheduled_for else None
        return [self.state, at, self.assigned_to]

    @classmethod
    def of_kept(cls, kept: Sequence[Any]) -> Place:
        """What `kept` gave."""
        state, at, person = kept
        return cls(state, parse_datetime(at) if at else None, person)


@transaction.atomic
def move(
    *,
    order: WorkOrder,
    actor: User,
    scheduled_for: datetime | None,
    reason: str,
    assigned_to: User | None = None,
    beyond_grace: bool = False,
    override: str = "",
    request: AnyRequest = None,
) -> tuple[WorkOrder, Place]:
    """Another time, and another person where given; the due date stays.

    Args:
        order: as the person saw it: one moved by somebody else meanwhile is refused.
        actor: who moves it.
        scheduled_for: when.
        reason: why; kept in the order's history.
        assigned_to: who has it now; stays unless given.
        beyond_grace: the person knows that the day lies after due date and grace.
        override: why the person gets it without a skill that it asks for; admins alone.
        request: for the audit trail.

    Returns:
        The order, and where it stood before.

    Raises:
        InvalidInputError: `reason_missing`, `reason_too_long`, `scheduled_for_missing`,
            `cannot_assign`.
        NotPermittedError: `cannot_override`.
        ConflictError: `bad_transition`; `skills_missing`; `moved_meanwhile`; `beyond_grace` with
            the last day.
    """
    reason = clean(reason, field="reason", limit=300)
    now = _locked(order.pk)
    before = Place.of(now)
    if before != Place.of(order):
        raise ConflictError("moved_meanwhile", "Somebody changed this order: look at it again.")
    last = late_after(now)
    if scheduled_for is not None and last is not None and not beyond_grace:
        day = timezone.localdate(scheduled_for)
        if day > last:
            raise ConflictError(
                "beyond_grace",
                f"{day} lies after the due date and its grace, which end on {last}. The order "
                "will be overdue, and count as late. Maintenance of an imaging machine beyond the "
                "manufacturer's interval is not permitted (CMS S&C 14-07). Confirm to move it all "
                "the same.",
                last_day=last.isoformat(),
            )
    moved = orders.schedule(
        order=now,
        actor=actor,
        scheduled_for=scheduled_for,
        assigned_to=assigned_to,
        override=override,
        request=request,
    )
    at = before.scheduled_for
    came = f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else "no time"
    orders.comment(order=moved, actor=actor, text=f"moved from {came}: {reason}", request=request)
    return moved, before


@transaction.atomic
def undo(
    *, order: WorkOrder, actor: User, to: Place, after: Place, request: AnyRequest = None
) -> WorkOrder:
    """Back to where it stood, if nobody changed it since; the history keeps both moves.

    Raises:
        ConflictError: `moved_meanwhile`.
    """
    order = _locked(order.pk)
    if Place.of(order) != after:
        raise ConflictError("moved_meanwhile", "Somebody changed this order: look at it again.")
    order.scheduled_for, order.assigned_to_id = to.scheduled_for, to.assigned_to
    order.state = to.state
    order.save(update_fields=["scheduled_for", "assigned_to", "state"])
    WorkOrderEvent.objects.create(
        order=order,
        by=actor,
        from_state=after.state,
        to_state=to.state,
        note="move undone",
        detail=changes(order, after.assigned_to, after.scheduled_for),
    )
    audit.record(
        actor=actor,
        verb="move_undone",
        obj=order,
        request=request,
        detail={"from": after.state, "to": to.state},
    )
    return order


def _locked(pk: int) -> WorkOrder:
    found = WorkOrder.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if found is None:
        raise NotFoundError("order_not_found", "There is no such work order.")
    return found
