"""Days on which nothing becomes due; orders that nobody touched move with them."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.blackouts import LONGEST, shifted
from devices.models import Blackout, MaintenancePlan, WorkOrder, WorkOrderEvent
from devices.models.maintenance import OrderState
from devices.plain_text import clean
from twinhealth.errors import InvalidInputError, NotFoundError

from .order_changes import AnyRequest
from .plan_orders import spans_of


def get(pk: int) -> Blackout:
    """One of them.

    Raises:
        NotFoundError: `blackout_not_found`.
    """
    found = Blackout.objects.select_related("plan").filter(pk=pk).first()
    if found is None:
        raise NotFoundError("blackout_not_found", "There are no such days.")
    return found


@transaction.atomic
def create(
    *,
    actor: User,
    starts_on: date,
    ends_on: date,
    reason: str,
    yearly: bool = False,
    plan: MaintenancePlan | None = None,
    request: AnyRequest = None,
    now: datetime | None = None,
) -> Blackout:
    """Nothing becomes due on these days: of one plan, or of the hospital.

    A due date on them moves to the next allowed day within its grace, else before them.

    Raises:
        InvalidInputError: `reason_missing`, `ends_before_start`, `blackout_too_long`.
    """
    reason = clean(reason, field="reason", limit=300)
    if ends_on < starts_on:
        raise InvalidInputError("ends_before_start", "The last day comes after the first.")
    if (ends_on - starts_on).days >= LONGEST - 1:
        raise InvalidInputError("blackout_too_long", "At most a year; nothing would be due at all.")
    found = Blackout.objects.create(
        plan=plan,
        starts_on=starts_on,
        ends_on=ends_on,
        yearly=yearly,
        reason=reason,
        created_by=actor,
    )
    audit.record(actor=actor, verb="created", obj=found, request=request)
    _move(actor, plan, now)
    return found


@transaction.atomic
def delete(
    *, blackout: Blackout, actor: User, request: AnyRequest = None, now: datetime | None = None
) -> None:
    """Work may be due on these days again; what had moved for them moves back."""
    plan = blackout.plan
    audit.record(actor=actor, verb="deleted", obj=blackout, request=request)
    blackout.delete()
    _move(actor, plan, now)


def _move(actor: User, plan: MaintenancePlan | None, now: datetime | None) -> None:
    """Orders ahead that nobody scheduled or took go where the days that are left send them."""
    today = timezone.localdate(now)
    orders = (
        WorkOrder.objects.select_for_update(no_key=True, of=("self",))
        .select_related("plan")
        .filter(
            Q(occurs_on__gte=today) | Q(due_on__gte=today) & ~Q(due_on=F("occurs_on")),
            state=OrderState.PLANNED,
            scheduled_for=None,
            assigned_to=None,
            occurs_on__isnull=False,
        )
    )
    if plan is not None:
        orders = orders.filter(plan=plan)
    listed = list(orders.order_by("plan", "occurs_on"))
    spans = spans_of([order.plan_id or 0 for order in listed])
    live = WorkOrder.objects.exclude(state=OrderState.CANCELLED)
    for order in listed:
        of, day = order.plan, order.occurs_on
        if of is None or day is None:
            continue
        due_on = shifted(day, of.grace_days, [*spans[None], *spans[of.pk]], today)
        if due_on == order.due_on or live.filter(plan=of, due_on=due_on).exists():
            continue
        order.due_on = due_on
        order.grace_days = max(0, of.grace_days - (due_on - day).days)
        order.save(update_fields=["due_on", "grace_days"])
        WorkOrderEvent.objects.create(
            order=order,
            by=actor,
            from_state=order.state,
            to_state=order.state,
            note=f"due on {due_on:%Y-%m-%d} now: days without maintenance were changed",
        )
