"""Maintenance plans, and the orders that their due dates ask for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from accounts.models import User
from accounts.services import audit
from devices import checklist as steps_of
from devices import schedule
from devices.checklist_steps import Step, steps
from devices.models import Device, MaintenancePlan, WorkOrder, WorkOrderEvent
from devices.models.device import Lifecycle
from devices.models.maintenance import OrderState
from devices.plain_text import clean
from twinhealth.errors import ConflictError, DomainError, InvalidInputError

logger = structlog.get_logger(__name__)

AnyRequest = HttpRequest | Request | None

MAX_GRACE_DAYS = 365
MAX_LEAD_DAYS = 90
# orders made for one plan in one go; the rest follow in the next round
MAX_AT_ONCE = 100
# why the system withdrew an untouched order; such a due date may get a new one
PAUSED = "The plan was paused."
CHANGED = "The plan was changed."


@transaction.atomic
def create(
    *,
    actor: User | None,
    device: Device,
    title: str,
    rrule: str,
    starts_on: date,
    grace_days: int = 7,
    lead_days: int = 14,
    checklist: Sequence[Step] = (),
    request: AnyRequest = None,
    now: datetime | None = None,
) -> MaintenancePlan:
    """A plan for one machine, with the orders that are due within its lead at once.

    A start in the past asks for the latest due date, not for all that were before the plan.

    Raises:
        InvalidInputError: `rrule_invalid`, `rrule_never`, `starts_on_out_of_range`,
            `grace_out_of_range`, `lead_out_of_range`, or a text's own code.
        ConflictError: `device_retired`.
    """
    if device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it needs no more plans.")
    plan = MaintenancePlan(
        device=device,
        created_by=actor,
        is_synthetic=device.is_synthetic,
        starts_on=starts_on,
        rrule=str(_checked_rule(rrule, starts_on)),
    )
    _set_words(plan, title=title, grace_days=grace_days, lead_days=lead_days, checklist=checklist)
    today = timezone.localdate(now)
    plan.next_due_on = _first_due(plan, today)
    plan.save()
    audit.record(
        actor=actor, verb="created", obj=plan, request=request, detail={"rrule": plan.rrule}
    )
    _materialise(plan, today)
    return plan


@transaction.atomic
def update(
    *,
    plan: MaintenancePlan,
    actor: User,
    request: AnyRequest = None,
    now: datetime | None = None,
    **changes: Any,
) -> MaintenancePlan:
    """Change a plan.

    Orders not yet begun take over title, grace and checklist. With a new rule or start, those
    ahead that nobody scheduled are withdrawn, and the new rule's due dates from today on get
    theirs. Work that began stays as it is.

    Args:
        plan: which.
        actor: who.
        request: for the audit trail.
        now: the present unless told.
        changes: any of `title`, `rrule`, `starts_on`, `grace_days`, `lead_days`, `checklist`.

    Raises:
        InvalidInputError: as `create`.
    """
    plan = _locked(plan)
    before = {name: getattr(plan, name) for name in changes}
    rule = str(
        _checked_rule(changes.pop("rrule", plan.rrule), changes.get("starts_on") or plan.starts_on)
    )
    starts_on = changes.pop("starts_on", plan.starts_on)
    moved = (rule, starts_on) != (plan.rrule, plan.starts_on)
    plan.rrule, plan.starts_on = rule, starts_on
    _set_words(plan, **changes)
    today = timezone.localdate(now)
    if moved:
        _withdraw(plan, today, actor, CHANGED)
        plan.next_due_on = _next_due(plan, today)
    plan.save()
    _tell_orders(plan, actor)
    audit.record(
        actor=actor,
        verb="changed",
        obj=plan,
        request=request,
        detail={
            name: [_json(old), _json(getattr(plan, name))]
            for name, old in before.items()
            if old != getattr(plan, name)
        },
    )
    _materialise(plan, today)
    return plan


@transaction.atomic
def deactivate(
    *,
    plan: MaintenancePlan,
    actor: User,
    request: AnyRequest = None,
    now: datetime | None = None,
) -> MaintenancePlan:
    """Pause: no more orders, and those ahead that nobody touched are withdrawn.

    Raises:
        ConflictError: `bad_transition` where it is paused already.
    """
    plan = _locked(plan)
    if not plan.active:
        raise ConflictError(
            "bad_transition", "This plan is paused already.", **{"from": "paused", "to": "paused"}
        )
    plan.active = False
    plan.save(update_fields=["active"])
    _withdraw(plan, timezone.localdate(now), actor, PAUSED)
    audit.record(actor=actor, verb="paused", obj=plan, request=request)
    return plan


@transaction.atomic
def reactivate(
    *,
    plan: MaintenancePlan,
    actor: User,
    request: AnyRequest = None,
    now: datetime | None = None,
) -> MaintenancePlan:
    """Undo a pause: due dates from today on get their orders again.

    Raises:
        ConflictError: `bad_transition` where it runs; `device_retired`.
    """
    plan = _locked(plan)
    if plan.active:
        raise ConflictError(
            "bad_transition", "This plan runs already.", **{"from": "active", "to": "active"}
        )
    if plan.device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it needs no more plans.")
    today = timezone.localdate(now)
    plan.active = True
    plan.next_due_on = _next_due(plan, today)
    plan.save(update_fields=["active", "next_due_on"])
    audit.record(actor=actor, verb="reactivated", obj=plan, request=request)
    _materialise(plan, today)
    return plan


def materialise_due_orders(*, now: datetime | None = None) -> int:
    """Make the order of every due date within its plan's lead that has none yet.

    Twice, or twice at once, makes the same rows: each plan is worked under its row's lock, and
    the database holds one live order per plan and due date. One plan that fails doesn't stop the
    rest.

    Returns:
        Orders made.
    """
    today = timezone.localdate(now)
    running = MaintenancePlan.objects.filter(active=True, next_due_on__isnull=False).exclude(
        device__lifecycle=Lifecycle.RETIRED
    )
    within = Q(pk=None)
    for lead in running.order_by().values_list("lead_days", flat=True).distinct():
        within |= Q(lead_days=lead, next_due_on__lte=today + timedelta(days=lead))
    made = 0
    for pk in list(
        running.filter(within).order_by("next_due_on", "pk").values_list("pk", flat=True)
    ):
        try:
            with transaction.atomic():
                plan = MaintenancePlan.objects.select_for_update(no_key=True).get(pk=pk)
                made += _materialise(plan, today)
        except DomainError as error:  # a rule that was written past the service
            logger.error("plan_not_followed", plan_id=pk, code=error.code)  # noqa: TRY400
    return made


def _locked(plan: MaintenancePlan) -> MaintenancePlan:
    """The row as it is now, held until the transaction ends; the job waits for it."""
    return MaintenancePlan.objects.select_for_update(no_key=True).get(pk=plan.pk)


def _checked_rule(rrule: str, starts_on: date) -> schedule.Rule:
    return schedule.validate(rrule, starts_on, zone=timezone.get_default_timezone())


def _rule(plan: MaintenancePlan) -> schedule.Rule:
    return schedule.parse(plan.rrule, zone=timezone.get_default_timezone())


def _set_words(plan: MaintenancePlan, **words: Any) -> None:
    """Title, grace, lead and steps, checked; unknown names are a defect of the caller."""
    unknown = words.keys() - {"title", "grace_days", "lead_days", "checklist"}
    if unknown:
        raise TypeError(f"a plan has no {sorted(unknown)}")
    if "title" in words:
        plan.title = clean(words["title"], field="title", limit=200)
    for name, top in (("grace_days", MAX_GRACE_DAYS), ("lead_days", MAX_LEAD_DAYS)):
        if name in words:
            if not 0 <= words[name] <= top:
                short = name.removesuffix("_days")
                raise InvalidInputError(
                    f"{short}_out_of_range", f"The {short} is 0 to {top} days.", limit=top
                )
            setattr(plan, name, words[name])
    if "checklist" in words:
        plan.checklist = steps(words["checklist"])


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _first_due(plan: MaintenancePlan, today: date) -> date | None:
    """Where a new plan begins: at its latest due date, or at the first to come."""
    rule = _rule(plan)
    latest = schedule.last_until(rule, plan.starts_on, today)
    return latest or schedule.next_after(rule, plan.starts_on, today)


def _next_due(plan: MaintenancePlan, today: date) -> date | None:
    return schedule.next_from(_rule(plan), plan.starts_on, today)


def _untouched(plan: MaintenancePlan, today: date) -> Q:
    return Q(
        plan=plan,
        state=OrderState.PLANNED,
        due_on__gte=today,
        scheduled_for=None,
        assigned_to=None,
    )


def _tell_orders(plan: MaintenancePlan, actor: User) -> None:
    """Orders not yet begun follow their plan's words."""
    words = (plan.title, plan.grace_days, plan.checklist)
    orders = WorkOrder.objects.select_for_update(no_key=True).filter(
        plan=plan, state__in=[OrderState.PLANNED, OrderState.SCHEDULED]
    )
    for order in orders:
        asked = steps_of.templates(order.checklist)
        if words == (order.title, order.grace_days, asked):
            continue
        order.title, order.grace_days = plan.title, plan.grace_days
        order.checklist = steps_of.blank(plan.checklist)
        order.save(update_fields=["title", "grace_days", "checklist"])
        WorkOrderEvent.objects.create(
            order=order, by=actor, from_state=order.state, to_state=order.state, note=CHANGED
        )


def _withdraw(plan: MaintenancePlan, today: date, actor: User, reason: str) -> None:
    orders = WorkOrder.objects.select_for_update(no_key=True).filter(_untouched(plan, today))
    for order in orders:
        order.state, order.cancel_reason = OrderState.CANCELLED, reason
        order.save(update_fields=["state", "cancel_reason"])
        WorkOrderEvent.objects.create(
            order=order,
            by=actor,
            from_state=OrderState.PLANNED,
            to_state=OrderState.CANCELLED,
            note=reason,
        )


def _materialise(plan: MaintenancePlan, today: date) -> int:
    """Make what is due within the lead and move `next_due_on` on; the plan's row is locked."""
    if not plan.active or plan.next_due_on is None:
        return 0
    until = today + timedelta(days=plan.lead_days)
    if plan.next_due_on > until:
        return 0
    start = plan.next_due_on
    ahead = (day for day in schedule.occurrences(_rule(plan), plan.starts_on) if day >= start)
    due = list(itertools.islice(ahead, MAX_AT_ONCE + 1))
    wanted = [day for day in due[:MAX_AT_ONCE] if day <= until]
    taken = set(
        # withdrawn by the system: may come back; cancelled by a person: decided
        WorkOrder.objects.filter(plan=plan, due_on__in=wanted)
        .exclude(state=OrderState.CANCELLED, cancel_reason__in=[PAUSED, CHANGED])
        .values_list("due_on", flat=True)
    )
    for day in wanted:
        if day not in taken:
            _make_order(plan, day)
    plan.next_due_on = due[len(wanted)] if len(due) > len(wanted) else None
    plan.save(update_fields=["next_due_on"])
    return len(wanted) - len(taken)


def _make_order(plan: MaintenancePlan, due_on: date) -> None:
    order = WorkOrder.objects.create(
        device_id=plan.device_id,
        plan=plan,
        title=plan.title,
        state=OrderState.PLANNED,
        due_on=due_on,
        grace_days=plan.grace_days,
        checklist=steps_of.blank(plan.checklist),
        is_synthetic=plan.is_synthetic,
    )
    WorkOrderEvent.objects.create(order=order, to_state=OrderState.PLANNED, note="due by its plan")
