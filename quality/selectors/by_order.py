"""Which protocol a work order asks for, and whether it was done."""

from __future__ import annotations

from django.db.models import Q

from devices.models import WorkOrder
from quality.models import Protocol, ProtocolPlan
from quality.selectors.standing import signed
from quality.services.protocols import covers
from twinhealth.errors import ConflictError


def asked_by(order: WorkOrder) -> Protocol | None:
    """The protocol of the order's plan, or of the model's plan behind it."""
    if order.plan_id is None:
        return None
    wanted = Q(plan=order.plan_id)
    wanted |= Q(model_plan__isnull=False, model_plan__plans=order.plan_id)
    links = ProtocolPlan.objects.filter(wanted, protocol__retired_at=None)
    found = [
        link.protocol
        for link in links.select_related("protocol").order_by("plan", "pk")
        if covers(link.protocol, order.device)
    ]
    # a machine's own plan before the model's; NULL sorts differently in the two databases
    own = links.filter(plan=order.plan_id).first()
    return own.protocol if own and own.protocol in found else next(iter(found), None)


def concerned(order: WorkOrder) -> Protocol | None:
    """As `asked_by`; else the protocol whose failure the order looks after."""
    found = asked_by(order)
    if found is None and order.alert is not None:
        found = Protocol.objects.filter(rule=order.alert.rule_id, retired_at=None).first()
    return found


def guard(order: WorkOrder) -> None:
    """An order with a protocol isn't completed without a signed session of it.

    Raises:
        ConflictError: `qa_session_missing`.
    """
    protocol = asked_by(order)
    if protocol is None:
        return
    # one begun again by the system needs a new one: what was measured before didn't hold
    since = (
        order.events.filter(from_state__in=["done", "verified"], to_state="in_progress")
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    done = signed().filter(order=order, protocol=protocol)
    if since is not None:
        done = done.filter(signed_at__gte=since)
    if not done.exists():
        raise ConflictError(
            "qa_session_missing",
            f"This order asks for a signed session of {protocol.name}; do and sign that first.",
            protocol=protocol.pk,
        )
