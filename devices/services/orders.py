"""Work orders: from the request to the verified signature, one guarded step at a time.

The door to all of them: making stands in `order_making`, the work itself in `order_work`.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from devices.models import WorkOrder
from devices.order_steps import OPEN
from devices.plain_text import clean
from twinhealth.errors import ConflictError, InvalidInputError

from . import plan_timing, skills
from .order_changes import AnyRequest, check_assignee, finish, locked, remark, step
from .order_making import create, create_from_alert, title_for
from .order_work import complete, save_checklist, verify

__all__ = [
    "assign",
    "cancel",
    "comment",
    "complete",
    "create",
    "create_from_alert",
    "hold",
    "plan",
    "resume",
    "save_checklist",
    "schedule",
    "start",
    "title_for",
    "verify",
]


@transaction.atomic
def plan(*, order: WorkOrder, actor: User, request: AnyRequest = None) -> WorkOrder:
    """Requested -> planned: the request is accepted.

    Raises:
        ConflictError: `bad_transition`.
    """
    order, before = step(order, "plan")
    return finish(order, before, "plan", actor, request)


@transaction.atomic
def schedule(
    *,
    order: WorkOrder,
    actor: User,
    scheduled_for: datetime | None,
    assigned_to: User | None = None,
    override: str = "",
    request: AnyRequest = None,
) -> WorkOrder:
    """Planned or scheduled -> scheduled: it has a time and, where given, a person.

    Raises:
        ConflictError: `bad_transition`, `skills_missing` (`override`: why all the same).
        InvalidInputError: `scheduled_for_missing`, `cannot_assign`.
        NotPermittedError: `cannot_override`.
    """
    order, before = step(order, "schedule")
    if scheduled_for is None:
        raise InvalidInputError("scheduled_for_missing", "Choose the day and time first.")
    check_assignee(assigned_to)
    if assigned_to is not None:
        skills.check(order, assigned_to, actor=actor, override=override)
    order.scheduled_for = scheduled_for
    order.assigned_to = assigned_to or order.assigned_to
    local = timezone.localtime(scheduled_for)
    note = f"for {local:%Y-%m-%d %H:%M}"
    if assigned_to:
        note += f", {assigned_to}"
    return finish(order, before, "schedule", actor, request, note=note)


@transaction.atomic
def start(
    *, order: WorkOrder, actor: User, override: str = "", request: AnyRequest = None
) -> WorkOrder:
    """Planned or scheduled -> in progress; who starts an unassigned order has it.

    Raises:
        ConflictError: `bad_transition`, `skills_missing` (`override`: why all the same).
        NotPermittedError: `cannot_override`.
    """
    order, before = step(order, "start")
    skills.check(order, actor, actor=actor, override=override)
    order.started_at = timezone.now()
    order.assigned_to = order.assigned_to or actor
    return finish(order, before, "start", actor, request)


@transaction.atomic
def hold(*, order: WorkOrder, actor: User, reason: str, request: AnyRequest = None) -> WorkOrder:
    """In progress -> on hold, with the reason.

    Raises:
        ConflictError: `bad_transition`.
        InvalidInputError: `reason_missing`, `reason_too_long`.
    """
    order, before = step(order, "hold")
    order.hold_reason = clean(reason, field="reason", limit=300)
    return finish(order, before, "hold", actor, request, note=order.hold_reason)


@transaction.atomic
def resume(*, order: WorkOrder, actor: User, request: AnyRequest = None) -> WorkOrder:
    """On hold -> in progress.

    Raises:
        ConflictError: `bad_transition`, `skills_missing`.
    """
    order, before = step(order, "resume")
    skills.check(order, actor)
    order.hold_reason = ""
    return finish(order, before, "resume", actor, request)


@transaction.atomic
def cancel(*, order: WorkOrder, actor: User, reason: str, request: AnyRequest = None) -> WorkOrder:
    """Anything not done -> cancelled, with the reason.

    Raises:
        ConflictError: `bad_transition`.
        InvalidInputError: `reason_missing`, `reason_too_long`.
    """
    order, before = step(order, "cancel")
    order.cancel_reason = clean(reason, field="reason", limit=300)
    order = finish(order, before, "cancel", actor, request, note=order.cancel_reason)
    plan_timing.skipped(order, timezone.now())
    return order


@transaction.atomic
def assign(
    *,
    order: WorkOrder,
    actor: User,
    assignee: User | None,
    override: str = "",
    request: AnyRequest = None,
) -> WorkOrder:
    """Give an open order to somebody who may work on it, or to nobody.

    Raises:
        ConflictError: `order_closed`, `skills_missing` (`override`: why all the same).
        InvalidInputError: `cannot_assign`.
        NotPermittedError: `cannot_override`.
    """
    check_assignee(assignee)
    order = locked(order)
    if order.state not in OPEN:
        raise ConflictError(
            "order_closed", f"This order is {order.get_state_display()}.", state=order.state
        )
    if assignee is not None:
        skills.check(order, assignee, actor=actor, override=override)
    order.assigned_to = assignee
    order.save(update_fields=["assigned_to"])
    note = f"assigned to {assignee or 'nobody'}"
    return remark(order, actor, note, "assigned", request)


@transaction.atomic
def comment(*, order: WorkOrder, actor: User, text: str, request: AnyRequest = None) -> WorkOrder:
    """Add a remark to the time line, in any state.

    Raises:
        InvalidInputError: `comment_missing`, `comment_too_long`.
    """
    text = clean(text, field="comment", limit=1000)
    return remark(locked(order), actor, text, "commented", request)
