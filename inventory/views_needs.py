"""Parts that the orders of a plan need."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from devices.models import MaintenancePlan, ModelPlan

from . import selectors
from .services import needs
from .views_base import actor, first_id, step


def _set(request: HttpRequest, plan: MaintenancePlan | ModelPlan, default: str) -> HttpResponse:
    part_id = first_id(request.POST.get("part", ""))
    part = selectors.one(selectors.parts(), part_id or 0, "part_not_found")
    text = request.POST.get("amount", "")[:8]
    amount = int(text) if text.isascii() and text.isdecimal() else -1
    return step(
        request,
        lambda: needs.need(
            plan=plan, part=part, amount=amount, actor=actor(request), request=request
        ),
        said=f"{part} is {'needed' if amount else 'no longer needed'}.",
        default=default,
        pk=plan.pk,
    )


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def plan_need(request: HttpRequest, pk: int) -> HttpResponse:
    """Of one machine's plan."""
    plan = selectors.one(MaintenancePlan.objects.all(), pk, "plan_not_found")
    return _set(request, plan, "devices:plan")


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def model_plan_need(request: HttpRequest, pk: int) -> HttpResponse:
    """Of a model's plan."""
    plan = selectors.one(ModelPlan.objects.all(), pk, "plan_not_found")
    return _set(request, plan, "devices:model-plan")
