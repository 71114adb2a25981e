"""What plans need, and what an order of them still lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from devices.models import MaintenancePlan, ModelPlan, WorkOrder

from .models import Part, PlanPart, StockMovement


@dataclass(frozen=True, slots=True)
class Need:
    """One part of an order.

    Attributes:
        wanted: how many the plan names.
        taken: issued and not returned.
    """

    part: Part
    wanted: int
    taken: int

    @property
    def left(self) -> int:
        """Still to be issued."""
        return max(0, self.wanted - self.taken)

    @property
    def short(self) -> int:
        """How many of those aren't in stock."""
        return max(0, self.left - self.part.stock)


def of_plan(plan: MaintenancePlan | ModelPlan) -> list[PlanPart]:
    """What the plan itself names, by part number."""
    found = PlanPart.objects.select_related("part").filter(rows_of(plan))
    return list(found.order_by("part__number"))


def rows_of(plan: MaintenancePlan | ModelPlan) -> Q:
    """The rows that name it."""
    return Q(model_plan=plan) if isinstance(plan, ModelPlan) else Q(plan=plan)


def for_plan(plan: MaintenancePlan) -> list[PlanPart]:
    """What its orders need: its model's plan too; what the plan itself names of a part counts."""
    return _merged(
        PlanPart.objects.select_related("part").filter(
            Q(plan=plan) | Q(model_plan=plan.model_plan_id, model_plan__isnull=False)
        )
    )


def _merged(rows: Iterable[PlanPart]) -> list[PlanPart]:
    found: dict[int, PlanPart] = {}
    for row in sorted(rows, key=lambda row: row.plan_id is not None):
        found[row.part_id] = row
    return sorted(found.values(), key=lambda row: row.part.number)


def of_order(order: WorkOrder, issues: Iterable[StockMovement]) -> list[Need]:
    """What the order's plan needs, and how much of it was issued; one query.

    Args:
        order: with its plan.
        issues: as `selectors.issued_to` gives them.
    """
    if order.plan is None:
        return []
    taken: dict[int, int] = {}
    for issue in issues:
        left: Any = issue.left  # type: ignore[attr-defined]
        taken[issue.part_id] = taken.get(issue.part_id, 0) + left
    return [Need(row.part, row.amount, taken.get(row.part_id, 0)) for row in for_plan(order.plan)]
