"""What this room adds to pages of the rooms below."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Can, may
from devices.models import Device, MaintenancePlan, ModelPlan, WorkOrder
from devices.models.maintenance import OrderState
from twinhealth.web import panels

from . import selectors, selectors_needs
from .models import CandidateState, RecallCandidate, Warranty


def connect() -> None:
    """Have it shown; called once, when the room is ready."""
    for label, name, icon in (
        ("Parts", "parts", "box"),
        ("Contracts", "contracts", "document"),
        ("Recalls", "recalls", "act"),
        ("MDS2", "mds2-list", "lock"),
        ("Audit files", "audit-files", "shield"),
    ):
        panels.register_link(
            "devices:maintenance",
            panels.Link(
                label, f"inventory:{name}", icon, lambda user: may(user, Can.MAINTENANCE_READ)
            ),
        )
    panels.register_link(
        "devices:maintenance",
        panels.Link(
            "Tables", "inventory:imports", "upload", lambda user: may(user, Can.MAINTENANCE_PLAN)
        ),
    )
    panels.register("devices:order", "inventory/order_parts.html", _order)
    panels.register("devices:device", "inventory/device_section.html", _device)
    panels.register("devices:plan", "inventory/plan_parts.html", _plan)
    panels.register("devices:model-plan", "inventory/plan_parts.html", _plan)


def _cover(device: Device) -> dict[str, Any]:
    """What pays for a machine's repair now."""
    today = timezone.localdate()
    contracts = selectors.contracts_of(device, today)
    warranties: list[Warranty] = list(
        selectors.warranties().filter(device=device, until__gte=today)
    )
    return {
        "contracts": contracts,
        "holding": [row for row in contracts if row.starts_on <= today],
        "warranties": warranties,
        "today": today,
    }


def _order(request: HttpRequest, order: WorkOrder) -> dict[str, Any] | None:
    """Parts of an order; before one is taken, who would pay for it."""
    if not may(request.user, Can.MAINTENANCE_READ):
        return None
    open_to = may(request.user, Can.ORDER_WORK) and order.state != OrderState.CANCELLED
    issues = selectors.issued_to(order)
    return {
        "order": order,
        "issues": issues,
        "needs": selectors_needs.of_order(order, issues),
        "fitting": selectors.fitting(order.device) if open_to else [],
        "can_issue": open_to,
        "can_return": may(request.user, Can.ORDER_WORK),
        "recalls": list(order.recalls.select_related("recall")),
        **_cover(order.device),
    }


def _plan(request: HttpRequest, plan: MaintenancePlan | ModelPlan) -> dict[str, Any] | None:
    """Parts that each order of a plan needs."""
    if not may(request.user, Can.MAINTENANCE_READ):
        return None
    can_plan = may(request.user, Can.MAINTENANCE_PLAN)
    if isinstance(plan, ModelPlan):
        address, rows = "model-plan-need", selectors_needs.of_plan(plan)
    else:
        address, rows = "plan-need", selectors_needs.for_plan(plan)
    return {
        "action": reverse(f"inventory:{address}", args=[plan.pk]),
        # what the model's plan names is changed there
        "rows": [(row, address == "plan-need" and row.plan_id is None) for row in rows],
        "can_plan": can_plan,
        "parts": list(selectors.parts().filter(active=True).order_by("number")) if can_plan else [],
    }


def _device(request: HttpRequest, device: Device) -> dict[str, Any] | None:
    """Contracts, warranty and recalls of a machine."""
    if not may(request.user, Can.MAINTENANCE_READ):
        return None
    found = RecallCandidate.objects.filter(device=device).exclude(state=CandidateState.REJECTED)
    return {
        "device": device,
        "recalls": list(found.select_related("recall", "order").order_by("-pk")),
        "can_plan": may(request.user, Can.MAINTENANCE_PLAN),
        **_cover(device),
    }
