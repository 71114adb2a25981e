"""Which parts the work of a plan needs."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from accounts.services import audit
from devices.models import MaintenancePlan, ModelPlan
from inventory.models import Part, PlanPart
from inventory.models.plan_part import MOST
from inventory.selectors_needs import rows_of
from twinhealth.errors import ConflictError

from . import AnyRequest, edited

MOST_PARTS = 50  # of one plan


@transaction.atomic
def need(
    *,
    plan: MaintenancePlan | ModelPlan,
    part: Part,
    amount: int,
    actor: User,
    request: AnyRequest = None,
) -> PlanPart | None:
    """Each order of the plan needs so many of a part; 0: none any more.

    Raises:
        InvalidInputError: `amount_out_of_range`.
        ConflictError: `part_inactive`, `too_many_parts`.
    """
    amount = edited.whole(amount, field="amount", high=MOST)
    # the plan's row is locked, so that two people don't name one part twice
    if isinstance(plan, ModelPlan):
        ModelPlan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    else:
        MaintenancePlan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    named = PlanPart.objects.filter(rows_of(plan))
    row = named.filter(part=part).first()
    if amount == 0:
        if row is not None:
            row.delete()
            _told(plan, part, 0, actor, request)
        return None
    if row is None:
        if not part.active:
            raise ConflictError("part_inactive", "This part is no longer kept.")
        if named.count() >= MOST_PARTS:
            raise ConflictError(
                "too_many_parts", f"A plan names at most {MOST_PARTS} parts.", limit=MOST_PARTS
            )
        row = PlanPart(part=part)
        if isinstance(plan, ModelPlan):
            row.model_plan = plan
        else:
            row.plan = plan
    if row.amount != amount:
        row.amount = amount
        row.save()
        _told(plan, part, amount, actor, request)
    return row


def _told(
    plan: MaintenancePlan | ModelPlan, part: Part, amount: int, actor: User, request: AnyRequest
) -> None:
    audit.record(
        actor=actor,
        verb="part_needed",
        obj=plan,
        request=request,
        detail={"part": part.number, "amount": amount},
    )
