"""Plans of a make with their machines and exceptions; blackout dates."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from devices.models import Blackout, MaintenancePlan, ModelPlan


def listed() -> QuerySet[ModelPlan]:
    """All of them, with how many machines have each and how many are excepted."""
    return (
        ModelPlan.objects.select_related("device_model", "created_by")
        .prefetch_related("exceptions__device", "exceptions__by")
        .annotate(machines=Count("plans", filter=Q(plans__active=True)))
        .order_by("device_model__manufacturer", "device_model__name", "title", "pk")
    )


def blackouts(plan: MaintenancePlan | None = None) -> QuerySet[Blackout]:
    """Those of the hospital and of plans, by their first day; of one plan: its own and those."""
    found = Blackout.objects.select_related("plan__device", "created_by")
    return found if plan is None else found.filter(Q(plan=plan) | Q(plan=None))
