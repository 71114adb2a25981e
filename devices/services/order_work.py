"""The work of an order: its checklist, the signature, and the second person's look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from devices import checklist as steps_of
from devices.models import MaintenancePlan, WorkOrder
from devices.models.maintenance import OrderState as S
from devices.models.twin import EventKind
from devices.plain_text import clean
from devices.selectors.order_people import worked_on
from twinhealth.errors import ConflictError, InvalidInputError, NotPermittedError

from . import closed_loop, order_answers, order_guards, plan_timing, skills
from .events import append, lock_twin
from .order_changes import AnyRequest, finish, locked, step


@transaction.atomic
def complete(
    *,
    order: WorkOrder,
    actor: User,
    signature: str,
    checklist: Sequence[Any] | None = None,
    counts_for: MaintenancePlan | None = None,
    revision: int | None = None,
    request: AnyRequest = None,
) -> WorkOrder:
    """In progress -> done: every step answered, signed, and told to the machine's twin.

    Args:
        order: which.
        actor: who did it.
        signature: the name typed by the person who signs.
        checklist: answers as `devices.checklist.answer` takes them; those saved on the way count
            where it is left out.
        counts_for: a floating plan, or one by use, that is counted from this extra check.
        revision: of the order that the person saw; another one is refused.
        request: for the audit trail.

    Raises:
        ConflictError: `bad_transition`, `skills_missing`, or what a room above asks for first
            (`order_guards`); `order_changed` with both sides.
        InvalidInputError: `checklist_mismatch`, `checklist_incomplete` with the steps,
            `signature_missing`, `signature_too_long`, `counts_for_…`.
    """
    lock_twin(order.device_id)  # before the order's row, as everywhere
    order, before = step(order, "complete")
    expect(order, revision, checklist)
    skills.check(order, actor)
    if checklist is not None:
        order.checklist = steps_of.answer(order.checklist, checklist)
    missing = steps_of.unanswered(order.checklist)
    if missing:
        raise InvalidInputError(
            "checklist_incomplete",
            "Every step must be done, or have a note that says why not; "
            "a number beyond its limits needs a note as well.",
            steps=missing,
        )
    order_guards.check(order)
    order.out_of_limits = bool(steps_of.out_of_limits(order.checklist))
    order.signature = clean(signature, field="signature", limit=200)
    completed_at = timezone.now()
    order.completed_at, order.completed_by = completed_at, actor
    if counts_for is not None:
        plan_timing.check_counts_for(order, counts_for)
        order.counts_for = counts_for
    closed_loop.begin(order)
    order = finish(
        order,
        before,
        "complete",
        actor,
        request,
        note=f"signed: {order.signature}",
        detail={"checklist": order.checklist, "signature": order.signature},
    )
    plan_timing.done(order, completed_at)
    append(
        device=order.device,
        kind=EventKind.MAINTENANCE_DONE,
        at=completed_at,
        actor=actor,
        payload={"order_id": order.pk, "title": order.title, "plan_id": order.plan_id},
    )
    return order


@transaction.atomic
def verify(*, order: WorkOrder, actor: User, request: AnyRequest = None) -> WorkOrder:
    """Done -> verified, by a person who neither completed it nor worked on it.

    Raises:
        ConflictError: `bad_transition`.
        NotPermittedError: `own_work`, `cannot_verify`.
    """
    order, before = step(order, "verify")
    if not may(actor, Can.ORDER_WORK):
        raise NotPermittedError("cannot_verify", "This person's role doesn't verify work.")
    if actor.pk in worked_on(order):
        raise NotPermittedError(
            "own_work", "Somebody else must verify: nobody checks the own work."
        )
    order.verified_at, order.verified_by = timezone.now(), actor
    return finish(order, before, "verify", actor, request)


@transaction.atomic
def save_checklist(
    *, order: WorkOrder, actor: User, checklist: Sequence[Any], revision: int | None = None
) -> WorkOrder:
    """Keep answers while the work goes on; nothing is signed by it.

    Raises:
        ConflictError: `not_in_progress`; `order_changed` with both sides where `revision` is given
            and isn't the order's any more.
        InvalidInputError: `checklist_mismatch`, `note_too_long`.
    """
    order = locked(order)
    if order.state not in {S.IN_PROGRESS, S.ON_HOLD}:
        raise ConflictError(
            "not_in_progress",
            f"This order is {order.get_state_display()}; its checklist can't be changed.",
            state=order.state,
        )
    expect(order, revision, checklist)
    answers = steps_of.answer(order.checklist, checklist)
    if answers == order.checklist:
        return order
    order.checklist = answers
    order.out_of_limits = bool(steps_of.out_of_limits(order.checklist))
    order.save(update_fields=["checklist", "out_of_limits"])
    order_answers.note(order, actor, checklist)
    return order


def expect(order: WorkOrder, revision: int | None, given: Sequence[Any] | None = None) -> None:
    """That the locked order is still the one that the person saw.

    Raises:
        ConflictError: `order_changed`, with what stands there now and what was sent.
    """
    if revision is None or revision == order.revision:
        return
    reason = {"code": "changed", "text": "Look at both sides, then send again."}
    raise order_answers.changed(order, [reason], mine=list(given or []))
