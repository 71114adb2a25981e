"""What an alert's end means for the orders that wait to see whether their work held."""

from __future__ import annotations

from accounts.models import User
from devices.models import Alert, WorkOrder, WorkOrderEvent
from devices.models.maintenance import Evidence


def let_go(alert: Alert, actor: User | None) -> None:
    """The alert is resolved without evidence: nothing is waited for. The caller holds the twin."""
    waiting = WorkOrder.objects.filter(alert=alert, evidence=Evidence.WAITING)
    who = (
        f"{actor} resolved the" if actor else "resolved with its machine, the"
    )  # nobody: its machine was retired
    for order in waiting.select_for_update(no_key=True):
        order.evidence = Evidence.PERSON
        order.evidence_text = f"{who} alert: {alert.get_resolve_reason_display()}"
        order.save(update_fields=["evidence", "evidence_text"])
        WorkOrderEvent.objects.create(
            order=order,
            by=actor,
            from_state=order.state,
            to_state=order.state,
            note=order.evidence_text,
        )
