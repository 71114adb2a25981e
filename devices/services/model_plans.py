"""Plans of a make: every machine of it has its own plan made from them, but for the exceptions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Any

import structlog
from dateutil.relativedelta import relativedelta
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices import schedule
from devices.checklist_steps import Step
from devices.checklist_steps import steps as clean_steps
from devices.models import Device, DeviceModel, ModelPlan, ModelPlanException
from devices.models.device import Lifecycle
from devices.models.maintenance import Timing
from devices.plain_text import clean, clean_skills
from twinhealth.errors import ConflictError, DomainError, InvalidInputError, NotFoundError

from . import plans
from .order_changes import AnyRequest

logger = structlog.get_logger(__name__)

MAX_MONTHS = 120
_LOOKED_AT = 60  # occurrences between which the longest interval is looked for
_WORDS = (
    "title", "rrule", "timing", "starts_on", "grace_days", "lead_days", "checklist",
    "verify_required", "skills",
)  # fmt: skip


def get(pk: int) -> ModelPlan:
    """One plan of a make.

    Raises:
        NotFoundError: `model_plan_not_found`.
    """
    found = ModelPlan.objects.select_related("device_model", "created_by").filter(pk=pk).first()
    if found is None:
        raise NotFoundError("model_plan_not_found", "There is no such plan of a model.")
    return found


@transaction.atomic
def create(
    *,
    actor: User,
    device_model: DeviceModel,
    title: str,
    rrule: str,
    starts_on: date,
    timing: str = Timing.FIXED,
    grace_days: int = 7,
    lead_days: int = 14,
    checklist: Sequence[Step] = (),
    verify_required: bool = False,
    skills: Sequence[str] = (),
    longest_months: int | None = None,
    request: AnyRequest = None,
) -> ModelPlan:
    """A plan for every machine of a make, those that come later included.

    All but `longest_months` is as `plans.create` takes it. That is the longest interval which the
    manufacturer allows: the make's own (`maintenance_months`) unless told, else the rule's.

    Raises:
        InvalidInputError: as `plans.create`; `longest_out_of_range`, `beyond_manufacturer`.
    """
    if longest_months is None:
        longest_months = device_model.maintenance_months
    made = ModelPlan(
        device_model=device_model,
        title=title,
        rrule=rrule,
        timing=timing,
        starts_on=starts_on,
        grace_days=grace_days,
        lead_days=lead_days,
        checklist=list(checklist),
        verify_required=verify_required,
        skills=list(skills),
        longest_months=longest_months,
        created_by=actor,
    )
    _check(made)
    made.save()
    audit.record(
        actor=actor, verb="created", obj=made, request=request, detail={"rrule": made.rrule}
    )
    spread(made, actor=actor)
    return made


def _check(model_plan: ModelPlan) -> None:
    """All of its values as they are to be saved; with no machine yet nothing else looks at them."""
    if model_plan.timing == Timing.METER:
        raise InvalidInputError(
            "unknown_timing", "A plan by use is made machine by machine: their counters differ."
        )
    longest = model_plan.longest_months
    if longest is not None and not 1 <= longest <= MAX_MONTHS:
        raise InvalidInputError(
            "longest_out_of_range", f"The longest interval is 1 to {MAX_MONTHS} months."
        )
    zone = timezone.get_default_timezone()
    rule = schedule.validate(model_plan.rrule, model_plan.starts_on, zone=zone)
    model_plan.rrule = str(rule)
    _check_interval(model_plan, rule)
    model_plan.title = clean(model_plan.title, field="title", limit=200)
    model_plan.checklist = clean_steps(model_plan.checklist)
    model_plan.skills = clean_skills(model_plan.skills)
    for name, top in (("grace_days", plans.MAX_GRACE_DAYS), ("lead_days", plans.MAX_LEAD_DAYS)):
        if not 0 <= getattr(model_plan, name) <= top:
            short = name.removesuffix("_days")
            raise InvalidInputError(
                f"{short}_out_of_range", f"The {short} is 0 to {top} days.", limit=top
            )


@transaction.atomic
def spread(model_plan: ModelPlan, *, actor: User | None = None) -> int:
    """Give the plan to every machine that lacks it and is no exception; how many got it.

    Raises:
        InvalidInputError: as `plans.create`.
    """
    model_plan = ModelPlan.objects.select_for_update(no_key=True).get(pk=model_plan.pk)
    if not model_plan.active:
        return 0
    left_out = model_plan.exceptions.filter(rrule="").values("device")
    others = dict(model_plan.exceptions.exclude(rrule="").values_list("device", "rrule"))
    lacking = (
        Device.objects.filter(model=model_plan.device_model_id)
        .exclude(lifecycle=Lifecycle.RETIRED)
        .exclude(plans__model_plan=model_plan)
        .exclude(pk__in=left_out)
    )
    count = 0
    for device in lacking.order_by("pk"):
        values = {name: getattr(model_plan, name) for name in _WORDS}
        values["rrule"] = others.get(device.pk, model_plan.rrule)
        plans.create(actor=actor, device=device, model_plan=model_plan, **values)
        count += 1
    return count


def spread_to(device: Device, *, actor: User | None) -> None:
    """A machine that was just registered gets the plans of its make at once.

    One that can't be given doesn't stop the registration; the job tries it again.
    """
    for found in ModelPlan.objects.filter(device_model=device.model_id, active=True).order_by("pk"):
        try:
            with transaction.atomic():
                spread(found, actor=actor)
        except DomainError as error:
            logger.warning("model_plan_not_given", model_plan=found.pk, code=error.code)


def spread_all() -> int:
    """Machines that came past the registration get their make's plans; the job's first step."""
    return sum(spread(found) for found in ModelPlan.objects.filter(active=True).order_by("pk"))


@transaction.atomic
def update(
    *, model_plan: ModelPlan, actor: User, request: AnyRequest = None, **changes: Any
) -> ModelPlan:
    """Change the plan of every machine; those with another interval keep it.

    Raises:
        InvalidInputError: as `create`.
    """
    model_plan = ModelPlan.objects.select_for_update(no_key=True).get(pk=model_plan.pk)
    unknown = changes.keys() - {*_WORDS, "longest_months"}
    if unknown:
        raise TypeError(f"a model's plan has no {sorted(unknown)}")
    for name, value in changes.items():
        setattr(model_plan, name, value)
    _check(model_plan)
    model_plan.save()
    others = set(model_plan.exceptions.exclude(rrule="").values_list("device", flat=True))
    told = {name: getattr(model_plan, name) for name in changes if name in _WORDS}
    for plan in model_plan.plans.select_related("device").order_by("pk"):
        own = {k: v for k, v in told.items() if k != "rrule" or plan.device_id not in others}
        if own:
            plans.update(plan=plan, actor=actor, **own)
    audit.record(
        actor=actor,
        verb="changed",
        obj=model_plan,
        request=request,
        detail={"changed": sorted(changes)},
    )
    return model_plan


@transaction.atomic
def except_machine(
    *,
    model_plan: ModelPlan,
    device: Device,
    actor: User,
    reason: str,
    rrule: str = "",
    request: AnyRequest = None,
) -> ModelPlanException:
    """Leave a machine out, or give it another interval that the manufacturer allows.

    Args:
        model_plan: which plan.
        device: of its make.
        actor: who.
        reason: why; kept for the inspector.
        rrule: the other interval; empty: left out.
        request: for the audit trail.

    Raises:
        InvalidInputError: `reason_missing`, `device_of_another_model`, `rrule_…`,
            `beyond_manufacturer`.
    """
    if device.model_id != model_plan.device_model_id:
        raise InvalidInputError("device_of_another_model", "This machine is of another model.")
    reason = clean(reason, field="reason", limit=300)
    if rrule:
        rule = schedule.validate(rrule, model_plan.starts_on, zone=timezone.get_default_timezone())
        _check_interval(model_plan, rule)
        rrule = str(rule)
    found, _ = ModelPlanException.objects.update_or_create(
        model_plan=model_plan,
        device=device,
        defaults={"rrule": rrule, "reason": reason, "by": actor},
    )
    plan = model_plan.plans.filter(device=device).first()
    if plan is not None and not rrule and plan.active:
        plans.deactivate(plan=plan, actor=actor)
    elif plan is not None and rrule:
        plans.update(plan=plan, actor=actor, rrule=rrule)
    spread(model_plan, actor=actor)
    audit.record(
        actor=actor,
        verb="excepted",
        obj=found,
        request=request,
        detail={"device": device.pk, "rrule": rrule, "reason": reason},
    )
    return found


@transaction.atomic
def end_exception(
    *, exception: ModelPlanException, actor: User, request: AnyRequest = None
) -> None:
    """The machine has the make's own plan again.

    Raises:
        ConflictError: `device_retired`.
    """
    model_plan, device = exception.model_plan, exception.device
    if device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it needs no more plans.")
    audit.record(actor=actor, verb="exception_ended", obj=exception, request=request)
    exception.delete()
    plan = model_plan.plans.filter(device=device).first()
    if plan is not None:
        plan = plans.update(plan=plan, actor=actor, rrule=model_plan.rrule)
        if not plan.active:
            plans.reactivate(plan=plan, actor=actor)
    spread(model_plan, actor=actor)


def _check_interval(model_plan: ModelPlan, rule: schedule.Rule) -> None:
    """An interval beyond the manufacturer's is not permitted (CMS S&C 14-07, imaging devices).

    Where the manufacturer's isn't known, none may be longer than the plan's own.
    """
    start = model_plan.starts_on
    days = list(itertools.islice(schedule.occurrences(rule, start), _LOOKED_AT))
    pairs = list(itertools.pairwise(days))
    if model_plan.longest_months is not None:
        step = relativedelta(months=model_plan.longest_months)
        if all(later <= earlier + step for earlier, later in pairs):
            return
        allowed = f"{model_plan.longest_months} months"
    else:
        own = schedule.parse(model_plan.rrule, zone=timezone.get_default_timezone())
        base = list(itertools.islice(schedule.occurrences(own, start), _LOOKED_AT))
        longest = max((b - a for a, b in itertools.pairwise(base)), default=None)
        if longest is None or all(later - earlier <= longest for earlier, later in pairs):
            return
        allowed = f"{longest.days} days, the plan's own"
    raise InvalidInputError(
        "beyond_manufacturer",
        f"Not permitted: the manufacturer's interval is at most {allowed}.",
        longest_months=model_plan.longest_months,
    )
