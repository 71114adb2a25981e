"""Maintenance plans, and the orders that their due dates ask for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices import schedule
from devices.checklist_steps import Step, steps
from devices.models import Device, MaintenancePlan, Metric, ModelPlan
from devices.models.device import Lifecycle
from devices.models.maintenance import Timing
from devices.plain_text import clean, clean_skills
from twinhealth.errors import ConflictError, InvalidInputError

from . import plan_orders, plan_timing
from .order_changes import AnyRequest
from .plan_orders import CHANGED, MAX_AT_ONCE, PAUSED, materialise_due_orders

MAX_GRACE_DAYS = 365
MAX_LEAD_DAYS = 90
MAX_METER = 1e12

__all__ = [
    "CHANGED",
    "MAX_AT_ONCE",
    "PAUSED",
    "create",
    "deactivate",
    "materialise_due_orders",
    "reactivate",
    "update",
]


@transaction.atomic
def create(
    *,
    actor: User | None,
    device: Device,
    title: str,
    starts_on: date,
    rrule: str = "",
    timing: str = Timing.FIXED,
    meter: Metric | None = None,
    meter_every: float | None = None,
    grace_days: int = 7,
    lead_days: int = 14,
    checklist: Sequence[Step] = (),
    verify_required: bool = False,
    skills: Sequence[str] = (),
    model_plan: ModelPlan | None = None,
    request: AnyRequest = None,
    now: datetime | None = None,
) -> MaintenancePlan:
    """A plan for one machine, with the orders that are due within its lead at once.

    A start in the past asks for the latest due date, not for all that were before the plan.

    Args:
        actor: who; `None` for the system.
        device: which machine.
        title: what is to be done.
        starts_on: from where the rule counts; floating: the first due date.
        rrule: how often (RFC 5545); none for a plan by use.
        timing: `Timing`.
        meter: the counter of a plan by use.
        meter_every: so much of it.
        grace_days: late only after so many days.
        lead_days: the order is made so many days before.
        checklist: steps, as `checklist_steps.steps` takes them.
        verify_required: another person looks at the finished work.
        skills: what whoever works on it must be able to do.
        model_plan: the make's plan that it comes from.
        request: for the audit trail.
        now: the present unless told.

    Raises:
        InvalidInputError: `rrule_invalid`, `rrule_never`, `starts_on_out_of_range`,
            `grace_out_of_range`, `lead_out_of_range`, `meter_…`, or a text's own code.
        ConflictError: `device_retired`.
    """
    if device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it needs no more plans.")
    plan = MaintenancePlan(
        device=device,
        created_by=actor,
        is_synthetic=device.is_synthetic,
        starts_on=starts_on,
        timing=_checked_timing(timing),
        model_plan=model_plan,
    )
    plan.rrule = _checked_rule(plan, rrule, starts_on)
    _set_meter(plan, meter, meter_every)
    _set_words(
        plan,
        title=title,
        grace_days=grace_days,
        lead_days=lead_days,
        checklist=checklist,
        verify_required=verify_required,
        skills=skills,
    )
    now = now or timezone.now()
    if plan.timing == Timing.METER:
        plan.created_at = now
        plan_timing.begin_counting(plan, now)
    plan.next_due_on = plan_timing.first_due(plan, now)
    plan.save()
    audit.record(
        actor=actor, verb="created", obj=plan, request=request, detail={"rrule": plan.rrule}
    )
    plan_orders.materialise([plan], now)
    return plan


@transaction.atomic
def update(
    *,
    plan: MaintenancePlan,
    actor: User | None,
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
        changes: any of `create`'s but the machine; a plan by use stays one.

    Raises:
        InvalidInputError: as `create`.
    """
    plan = plan_timing.locked(plan.pk)
    before = {name: getattr(plan, name) for name in changes}
    when = (plan.timing, plan.rrule, plan.starts_on, plan.meter_id, plan.meter_every)
    plan.timing = _checked_timing(changes.pop("timing", plan.timing))
    if plan.timing != when[0] and Timing.METER in {plan.timing, when[0]}:
        raise InvalidInputError(
            "timing_fixed", "A plan by use stays one, and no other becomes one: make a new plan."
        )
    starts_on = changes.pop("starts_on", plan.starts_on)
    plan.rrule = _checked_rule(plan, changes.pop("rrule", plan.rrule), starts_on)
    plan.starts_on = starts_on
    _set_meter(plan, changes.pop("meter", plan.meter), changes.pop("meter_every", plan.meter_every))
    _set_words(plan, **changes)
    now = now or timezone.now()
    if when != (plan.timing, plan.rrule, plan.starts_on, plan.meter_id, plan.meter_every):
        plan_orders.withdraw(plan, timezone.localdate(now), actor, CHANGED)
        if plan.meter_id != when[3]:
            plan_timing.begin_counting(plan, now)
        plan.next_due_on = plan_timing.next_due(plan, now)
    plan.save()
    plan_orders.tell_orders(plan, actor)
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
    plan_orders.materialise([plan], now)
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
    plan = plan_timing.locked(plan.pk)
    if not plan.active:
        raise ConflictError(
            "bad_transition", "This plan is paused already.", **{"from": "paused", "to": "paused"}
        )
    plan.active = False
    plan.save(update_fields=["active"])
    plan_orders.withdraw(plan, timezone.localdate(now), actor, PAUSED)
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
    plan = plan_timing.locked(plan.pk)
    if plan.active:
        raise ConflictError(
            "bad_transition", "This plan runs already.", **{"from": "active", "to": "active"}
        )
    if plan.device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it needs no more plans.")
    now = now or timezone.now()
    plan.active = True
    plan.next_due_on = plan_timing.next_due(plan, now)
    plan.save(update_fields=["active", "next_due_on"])
    audit.record(actor=actor, verb="reactivated", obj=plan, request=request)
    plan_orders.materialise([plan], now)
    return plan


def _checked_rule(plan: MaintenancePlan, rrule: str, starts_on: date) -> str:
    if plan.timing == Timing.METER:
        if rrule:
            raise InvalidInputError("rrule_invalid", "A plan by use has no rule.", part="meter")
        return ""
    rule = schedule.validate(rrule, starts_on, zone=timezone.get_default_timezone())
    if plan.timing == Timing.FLOATING:
        schedule.check_floating(rule)
    return str(rule)


def _checked_timing(timing: str) -> str:
    if timing not in Timing.values:
        raise InvalidInputError(
            "unknown_timing", "Choose from where it is counted.", known=list(Timing.values)
        )
    return timing


def _set_meter(plan: MaintenancePlan, meter: Metric | None, every: float | None) -> None:
    """Which counter a plan by use follows, and how much of it.

    Raises:
        InvalidInputError: `meter_missing`, `meter_of_another_model`, `meter_every_out_of_range`.
    """
    if plan.timing != Timing.METER:
        if meter is not None or every is not None:
            raise InvalidInputError("meter_not_used", "Only a plan by use has a counter.")
        return
    if meter is None:
        raise InvalidInputError("meter_missing", "Choose the counter that it goes by.")
    if meter.device_model_id != plan.device.model_id:
        raise InvalidInputError("meter_of_another_model", "This machine has no such counter.")
    if every is None or not 0 < every <= MAX_METER:
        raise InvalidInputError(
            "meter_every_out_of_range", "Say after how much use; more than 0.", limit=MAX_METER
        )
    plan.meter, plan.meter_every = meter, every


def _set_words(plan: MaintenancePlan, **words: Any) -> None:
    """Title, grace, lead and steps, checked; unknown names are a defect of the caller."""
    unknown = words.keys() - {
        "title", "grace_days", "lead_days", "checklist", "verify_required", "skills",
    }  # fmt: skip
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
    if "verify_required" in words:
        plan.verify_required = words["verify_required"]
    if "skills" in words:
        plan.skills = clean_skills(words["skills"])


def _json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value.key if isinstance(value, Metric) else value
