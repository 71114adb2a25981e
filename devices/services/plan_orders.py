"""The orders that plans' due dates ask for: made, told of changes, withdrawn."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from devices import checklist as steps_of
from devices import schedule
from devices.blackouts import Span, shifted
from devices.models import Blackout, MaintenancePlan, WorkOrder, WorkOrderEvent
from devices.models.device import Lifecycle
from devices.models.maintenance import OrderState, Timing
from devices.order_steps import OPEN
from devices.selectors.meters import counts
from twinhealth.errors import DomainError

from .plan_timing import COUNTED, rule_of

logger = structlog.get_logger(__name__)

# orders made for one plan in one go; the rest follow in the next round
MAX_AT_ONCE = 100
CHUNK = 500  # plans in one transaction
# why the system withdrew an untouched order; such a due date may get a new one
PAUSED = "The plan was paused."
CHANGED = "The plan was changed."
WITHDRAWN = (PAUSED, CHANGED, COUNTED)


def materialise_due_orders(*, now: datetime | None = None) -> int:
    """Make the order of every due date within its plan's lead that has none yet.

    Twice, or twice at once, makes the same rows: plans are worked under their rows' locks, and the
    database holds one live order per plan and occurrence. Each transaction takes some plans to
    their end, so that an end in between leaves nothing half. One plan that fails doesn't stop the
    rest.

    Returns:
        Orders made.
    """
    now = now or timezone.now()
    today = timezone.localdate(now)
    running = MaintenancePlan.objects.filter(active=True).exclude(
        device__lifecycle=Lifecycle.RETIRED
    )
    by_use = running.filter(timing=Timing.METER).order_by("pk").values_list("pk", flat=True)
    for ids in _chunks(list(by_use)):
        _read_meters(ids, now)
    due = running.filter(next_due_on__isnull=False)
    within = Q(pk=None)
    for lead in due.order_by().values_list("lead_days", flat=True).distinct():
        within |= Q(lead_days=lead, next_due_on__lte=today + timedelta(days=lead))
    made = 0
    for ids in _chunks(list(due.filter(within).order_by("pk").values_list("pk", flat=True))):
        with transaction.atomic():
            made += materialise(_locked(ids), now)
    return made


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _locked(ids: list[int]) -> list[MaintenancePlan]:
    """Always in one order, so that two jobs wait for each other instead of both failing."""
    plans = MaintenancePlan.objects.select_for_update(no_key=True, of=("self",))
    return list(plans.select_related("meter").filter(pk__in=ids).order_by("pk"))


@transaction.atomic
def _read_meters(ids: list[int], now: datetime) -> None:
    """The day of plans by use whose order isn't open, by what their counters show now."""
    plans = _locked(ids)
    busy = set(
        WorkOrder.objects.filter(plan__in=ids, state__in=OPEN).values_list("plan_id", flat=True)
    )
    read = counts(plans, now)
    changed = []
    for plan in plans:
        found = read.get(plan.pk)
        if found is None or plan.pk in busy:
            continue
        due_on = found.due_on(plan.meter_every or 0.0, timezone.localdate(now))
        if due_on != plan.next_due_on:
            plan.next_due_on = due_on
            changed.append(plan)
    MaintenancePlan.objects.bulk_update(changed, ["next_due_on"], batch_size=CHUNK)


def materialise(plans: Sequence[MaintenancePlan], now: datetime) -> int:
    """Make what is due within the lead and move `next_due_on` on; the plans' rows are locked."""
    today = timezone.localdate(now)
    wanted: dict[int, list[date]] = {}
    following: dict[int, date | None] = {}
    for plan in plans:
        try:
            found = _wanted(plan, today)
        except DomainError as error:  # a rule that was written past the service
            logger.error("plan_not_followed", plan_id=plan.pk, code=error.code)  # noqa: TRY400
            continue
        if found is not None:
            wanted[plan.pk], following[plan.pk] = found
    if not wanted:
        return 0
    spans = spans_of(list(wanted))
    moved = [plan for plan in plans if plan.pk in wanted]
    due = {
        plan.pk: {
            day: shifted(day, plan.grace_days, [*spans[None], *spans[plan.pk]], today)
            for day in wanted[plan.pk]
        }
        for plan in moved
    }
    taken = _taken(due)
    orders = []
    for plan in moved:
        occurrences, due_dates = taken[plan.pk]
        for day, due_on in due[plan.pk].items():
            # a day moved onto one that has its order: one look serves both
            if day not in occurrences and due_on not in due_dates:
                due_dates.add(due_on)
                orders.append(_order(plan, day, due_on))
        plan.next_due_on = following[plan.pk]
    WorkOrder.objects.bulk_create(orders, batch_size=CHUNK)
    WorkOrderEvent.objects.bulk_create(
        [
            WorkOrderEvent(order=order, to_state=OrderState.PLANNED, note=_why(order))
            for order in orders
        ],
        batch_size=CHUNK,
    )
    MaintenancePlan.objects.bulk_update(moved, ["next_due_on"], batch_size=CHUNK)
    return len(orders)


def _wanted(plan: MaintenancePlan, today: date) -> tuple[list[date], date | None] | None:
    """Due dates that ask for an order now, and the one after; `None` where there is none."""
    start, until = plan.next_due_on, today + timedelta(days=plan.lead_days)
    if not plan.active or start is None or start > until:
        return None
    if plan.timing != Timing.FIXED:
        return [start], None
    found = schedule.occurrences(rule_of(plan), plan.starts_on, since=start)
    ahead = (day for day in found if day >= start)
    due = list(itertools.islice(ahead, MAX_AT_ONCE + 1))
    wanted = [day for day in due[:MAX_AT_ONCE] if day <= until]
    return wanted, due[len(wanted)] if len(due) > len(wanted) else None


def _taken(due: dict[int, dict[date, date]]) -> dict[int, tuple[set[date], set[date]]]:
    """Per plan: occurrences decided already, and days on which a live order is due.

    Args:
        due: by plan, the due date of each occurrence asked for; of earlier ones nothing is told.
    """
    found: dict[int, tuple[set[date], set[date]]] = {pk: (set(), set()) for pk in due}
    asked = [day for days in due.values() for pair in days.items() for day in pair]
    if not asked:
        return found
    first = min(asked)
    rows = (
        WorkOrder.objects.annotate(occurrence=Coalesce("occurs_on", "due_on"))
        .filter(Q(occurs_on__gte=first) | Q(due_on__gte=first), plan__in=due)
        # withdrawn by the system: may come back; cancelled by a person: decided
        .exclude(state=OrderState.CANCELLED, cancel_reason__in=WITHDRAWN)
    )
    for plan_id, occurrence, due_on, state in rows.values_list(
        "plan_id", "occurrence", "due_on", "state"
    ):
        occurrences, due_dates = found[plan_id or 0]
        occurrences.add(occurrence)
        if state != OrderState.CANCELLED and due_on is not None:
            due_dates.add(due_on)
    return found


def spans_of(plan_ids: Sequence[int]) -> dict[int | None, list[Span]]:
    """Blackouts by plan; under `None` those of the hospital."""
    found: dict[int | None, list[Span]] = defaultdict(list)
    rows = Blackout.objects.filter(Q(plan=None) | Q(plan__in=plan_ids))
    for plan_id, first, last, yearly in rows.values_list(
        "plan_id", "starts_on", "ends_on", "yearly"
    ):
        found[plan_id].append(Span(first, last, yearly))
    return found


def _order(plan: MaintenancePlan, day: date, due_on: date) -> WorkOrder:
    return WorkOrder(
        device_id=plan.device_id,
        plan=plan,
        title=plan.title,
        state=OrderState.PLANNED,
        occurs_on=day,
        due_on=due_on,
        grace_days=max(0, plan.grace_days - (due_on - day).days),  # late when it ever was
        checklist=steps_of.blank(plan.checklist),
        verify_required=plan.verify_required,
        skills=plan.skills,
        is_synthetic=plan.is_synthetic,
    )


def _why(order: WorkOrder) -> str:
    if order.due_on == order.occurs_on:
        return "due by its plan"
    return f"due by its plan on {order.occurs_on:%Y-%m-%d}, moved by a blackout"


def untouched(plan: MaintenancePlan, today: date) -> Q:
    """Orders ahead that nobody scheduled or took."""
    ahead = Q() if plan.timing != Timing.FIXED else Q(due_on__gte=today)
    return ahead & Q(plan=plan, state=OrderState.PLANNED, scheduled_for=None, assigned_to=None)


def tell_orders(plan: MaintenancePlan, actor: User | None) -> None:
    """Orders not yet begun follow their plan's words."""
    orders = WorkOrder.objects.select_for_update(no_key=True).filter(
        plan=plan, state__in=[OrderState.PLANNED, OrderState.SCHEDULED]
    )
    for order in orders:
        told = _order(plan, order.occurs_on or order.due_on, order.due_on)  # type: ignore[arg-type]
        names = ("title", "grace_days", "verify_required", "skills")
        asked = steps_of.templates(order.checklist)
        if asked == plan.checklist and all(
            getattr(order, name) == getattr(told, name) for name in names
        ):
            continue
        for name in names:
            setattr(order, name, getattr(told, name))
        order.checklist = told.checklist
        order.save(update_fields=[*names, "checklist"])
        WorkOrderEvent.objects.create(
            order=order, by=actor, from_state=order.state, to_state=order.state, note=CHANGED
        )


def withdraw(plan: MaintenancePlan, today: date, actor: User | None, reason: str) -> None:
    """Cancel the orders ahead that nobody touched."""
    orders = WorkOrder.objects.select_for_update(no_key=True).filter(untouched(plan, today))
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
