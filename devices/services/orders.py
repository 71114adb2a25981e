"""Work orders: from the request to the verified signature, one guarded step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices import checklist as steps_of
from devices.models import Alert, AlertNote, Device, WorkOrder, WorkOrderEvent
from devices.models.device import Lifecycle
from devices.models.maintenance import OrderState
from devices.models.twin import EventKind
from devices.order_steps import OPEN, PAST_TENSE, TRANSITIONS, possible
from devices.plain_text import clean
from twinhealth.errors import ConflictError, InvalidInputError, NotPermittedError

from .events import append, lock_twin

S = OrderState
AnyRequest = HttpRequest | Request | None

MAX_GRACE_DAYS = 365


@transaction.atomic
def create(
    *,
    actor: User,
    device: Device,
    title: str,
    description: str = "",
    due_on: date | None = None,
    grace_days: int = 0,
    checklist: Sequence[str] = (),
    assigned_to: User | None = None,
    alert: Alert | None = None,
    request: AnyRequest = None,
) -> WorkOrder:
    """A new order by hand.

    One by somebody who plans maintenance, or from an alert, is planned and may be started; any
    other is a request that a planner accepts.

    Raises:
        InvalidInputError: a text is missing or too long, `grace_out_of_range`, `cannot_assign`,
            `alert_of_another_device`.
        ConflictError: `device_retired`; `order_exists` where the alert has an open order.
    """
    title = clean(title, field="title", limit=200)
    description = clean(description, field="description", limit=4000, required=False)
    items = steps_of.blank(steps_of.steps(checklist))
    if not 0 <= grace_days <= MAX_GRACE_DAYS:
        raise InvalidInputError(
            "grace_out_of_range", f"The grace is 0 to {MAX_GRACE_DAYS} days.", limit=MAX_GRACE_DAYS
        )
    _check_assignee(assigned_to)
    if device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it gets no more work.")
    if alert is not None:
        _check_alert(alert, device)
    planned = alert is not None or may(actor, Can.MAINTENANCE_PLAN)
    order = WorkOrder.objects.create(
        device=device,
        alert=alert,
        title=title,
        description=description,
        state=S.PLANNED if planned else S.REQUESTED,
        due_on=due_on,
        grace_days=grace_days,
        checklist=items,
        assigned_to=assigned_to,
        created_by=actor,
        is_synthetic=device.is_synthetic,
    )
    WorkOrderEvent.objects.create(order=order, by=actor, to_state=order.state, note="created")
    if alert is not None:
        AlertNote.objects.create(alert=alert, by=actor, verb="ordered", text=str(order)[:1000])
    audit.record(actor=actor, verb="created", obj=order, request=request)
    return order


def create_from_alert(*, actor: User, alert: Alert, request: AnyRequest = None) -> WorkOrder:
    """An order to look after an alert, titled by what the alert says.

    Raises:
        ConflictError: `device_retired`, `order_exists`.
    """
    return create(
        actor=actor,
        device=alert.device,
        alert=alert,
        title=title_for(alert),
        request=request,
    )


def title_for(alert: Alert) -> str:
    """What an order from this alert is called unless somebody says otherwise."""
    return f"Look after: {alert.message}"[:200]


@transaction.atomic
def plan(*, order: WorkOrder, actor: User, request: AnyRequest = None) -> WorkOrder:
    """Requested -> planned: the request is accepted.

    Raises:
        ConflictError: `bad_transition`.
    """
    order, before = _step(order, "plan")
    return _finish(order, before, "plan", actor, request)


@transaction.atomic
def schedule(
    *,
    order: WorkOrder,
    actor: User,
    scheduled_for: datetime | None,
    assigned_to: User | None = None,
    request: AnyRequest = None,
) -> WorkOrder:
    """Planned or scheduled -> scheduled: it has a time and, where given, a person.

    Raises:
        ConflictError: `bad_transition`.
        InvalidInputError: `scheduled_for_missing`, `cannot_assign`.
    """
    order, before = _step(order, "schedule")
    if scheduled_for is None:
        raise InvalidInputError("scheduled_for_missing", "Choose the day and time first.")
    _check_assignee(assigned_to)
    order.scheduled_for = scheduled_for
    order.assigned_to = assigned_to or order.assigned_to
    local = timezone.localtime(scheduled_for)
    note = f"for {local:%Y-%m-%d %H:%M}"
    if assigned_to:
        note += f", {assigned_to}"
    return _finish(order, before, "schedule", actor, request, note=note)


@transaction.atomic
def start(*, order: WorkOrder, actor: User, request: AnyRequest = None) -> WorkOrder:
    """Planned or scheduled -> in progress; who starts an unassigned order has it.

    Raises:
        ConflictError: `bad_transition`.
    """
    order, before = _step(order, "start")
    order.started_at = timezone.now()
    order.assigned_to = order.assigned_to or actor
    return _finish(order, before, "start", actor, request)


@transaction.atomic
def hold(*, order: WorkOrder, actor: User, reason: str, request: AnyRequest = None) -> WorkOrder:
    """In progress -> on hold, with the reason.

    Raises:
        ConflictError: `bad_transition`.
        InvalidInputError: `reason_missing`, `reason_too_long`.
    """
    order, before = _step(order, "hold")
    order.hold_reason = clean(reason, field="reason", limit=300)
    return _finish(order, before, "hold", actor, request, note=order.hold_reason)


@transaction.atomic
def resume(*, order: WorkOrder, actor: User, request: AnyRequest = None) -> WorkOrder:
    """On hold -> in progress.

    Raises:
        ConflictError: `bad_transition`.
    """
    order, before = _step(order, "resume")
    order.hold_reason = ""
    return _finish(order, before, "resume", actor, request)


@transaction.atomic
def complete(
    *,
    order: WorkOrder,
    actor: User,
    signature: str,
    checklist: Sequence[Any] | None = None,
    request: AnyRequest = None,
) -> WorkOrder:
    """In progress -> done: every step answered, signed, and told to the machine's twin.

    Args:
        order: which.
        actor: who did it.
        signature: the name typed by the person who signs.
        checklist: answers as `devices.checklist.answer` takes them; those saved on the way count
            where it is left out.
        request: for the audit trail.

    Raises:
        ConflictError: `bad_transition`.
        InvalidInputError: `checklist_mismatch`, `checklist_incomplete` with the steps,
            `signature_missing`, `signature_too_long`.
    """
    lock_twin(order.device_id)  # before the order's row, as everywhere
    order, before = _step(order, "complete")
    if checklist is not None:
        order.checklist = steps_of.answer(order.checklist, checklist)
    missing = steps_of.unanswered(order.checklist)
    if missing:
        raise InvalidInputError(
            "checklist_incomplete",
            "Every step must be done, or have a note that says why not.",
            steps=missing,
        )
    order.signature = clean(signature, field="signature", limit=200)
    order.completed_at, order.completed_by = timezone.now(), actor
    order = _finish(order, before, "complete", actor, request, note=f"signed: {order.signature}")
    append(
        device=order.device,
        kind=EventKind.MAINTENANCE_DONE,
        at=order.completed_at,
        actor=actor,
        payload={"order_id": order.pk, "title": order.title, "plan_id": order.plan_id},
    )
    return order


@transaction.atomic
def verify(*, order: WorkOrder, actor: User, request: AnyRequest = None) -> WorkOrder:
    """Done -> verified, by another person than the one who completed it.

    Raises:
        ConflictError: `bad_transition`.
        NotPermittedError: `own_work`.
    """
    order, before = _step(order, "verify")
    if order.completed_by_id == actor.pk:
        raise NotPermittedError(
            "own_work", "Somebody else must verify: nobody checks the own work."
        )
    order.verified_at, order.verified_by = timezone.now(), actor
    return _finish(order, before, "verify", actor, request)


@transaction.atomic
def cancel(*, order: WorkOrder, actor: User, reason: str, request: AnyRequest = None) -> WorkOrder:
    """Anything not done -> cancelled, with the reason.

    Raises:
        ConflictError: `bad_transition`.
        InvalidInputError: `reason_missing`, `reason_too_long`.
    """
    order, before = _step(order, "cancel")
    order.cancel_reason = clean(reason, field="reason", limit=300)
    return _finish(order, before, "cancel", actor, request, note=order.cancel_reason)


@transaction.atomic
def save_checklist(*, order: WorkOrder, actor: User, checklist: Sequence[Any]) -> WorkOrder:
    """Keep answers while the work goes on; nothing is signed by it.

    Raises:
        ConflictError: `not_in_progress`.
        InvalidInputError: `checklist_mismatch`, `note_too_long`.
    """
    order = _locked(order)
    if order.state not in {S.IN_PROGRESS, S.ON_HOLD}:
        raise ConflictError(
            "not_in_progress",
            f"This order is {order.get_state_display()}; its checklist can't be changed.",
            state=order.state,
        )
    order.checklist = steps_of.answer(order.checklist, checklist)
    order.save(update_fields=["checklist"])
    return order


@transaction.atomic
def assign(
    *, order: WorkOrder, actor: User, assignee: User | None, request: AnyRequest = None
) -> WorkOrder:
    """Give an open order to somebody who may work on it, or to nobody.

    Raises:
        ConflictError: `order_closed`.
        InvalidInputError: `cannot_assign`.
    """
    _check_assignee(assignee)
    order = _locked(order)
    if order.state not in OPEN:
        raise ConflictError(
            "order_closed", f"This order is {order.get_state_display()}.", state=order.state
        )
    order.assigned_to = assignee
    order.save(update_fields=["assigned_to"])
    note = f"assigned to {assignee or 'nobody'}"
    return _note(order, actor, note, "assigned", request)


@transaction.atomic
def comment(*, order: WorkOrder, actor: User, text: str, request: AnyRequest = None) -> WorkOrder:
    """Add a remark to the time line, in any state.

    Raises:
        InvalidInputError: `comment_missing`, `comment_too_long`.
    """
    text = clean(text, field="comment", limit=1000)
    return _note(_locked(order), actor, text, "commented", request)


def _note(order: WorkOrder, actor: User, note: str, verb: str, request: AnyRequest) -> WorkOrder:
    WorkOrderEvent.objects.create(
        order=order, by=actor, from_state=order.state, to_state=order.state, note=note
    )
    audit.record(actor=actor, verb=verb, obj=order, request=request)
    return order


def _locked(order: WorkOrder) -> WorkOrder:
    """The row as it is now, held until the transaction ends."""
    return WorkOrder.objects.select_for_update(no_key=True).get(pk=order.pk)


def _step(order: WorkOrder, step: str) -> tuple[WorkOrder, str]:
    """The locked row, already in its new state (not saved), and the state before."""
    order = _locked(order)
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


def _finish(
    order: WorkOrder,
    before: str,
    step: str,
    actor: User,
    request: AnyRequest,
    *,
    note: str = "",
) -> WorkOrder:
    order.save()
    WorkOrderEvent.objects.create(
        order=order, by=actor, from_state=before, to_state=order.state, note=note[:1000]
    )
    audit.record(
        actor=actor,
        verb=PAST_TENSE[step],
        obj=order,
        request=request,
        detail={"from": before, "to": order.state},
    )
    return order


def _check_assignee(person: User | None) -> None:
    if person is not None and not may(person, Can.ORDER_WORK):
        raise InvalidInputError("cannot_assign", "This person's role doesn't work on orders.")


def _check_alert(alert: Alert, device: Device) -> None:
    if alert.device_id != device.pk:
        raise InvalidInputError("alert_of_another_device", "This alert is of another machine.")
    lock_twin(device.pk)  # two people making the alert's order: the second sees the first's
    other = WorkOrder.objects.filter(alert=alert, state__in=OPEN).first()
    if other is not None:
        raise ConflictError(
            "order_exists", f"This alert has an open order already: WO-{other.pk}.", order=other.pk
        )
