"""What an alert's end means for the orders that wait to see whether their work held."""

from __future__ import annotations

from accounts.models import User
from devices.models import Alert, WorkOrder, WorkOrderEvent
from devices.models.maintenance import Evidence


def let_go(alert: Alert, actor: User) -> None:
    """A person resolved the alert: nothing is waited for any more. The caller holds the twin."""
    waiting = WorkOrder.objects.filter(alert=alert, evidence=Evidence.WAITING)
    for order in waiting.select_for_update(no_key=True):
        order.evidence = Evidence.PERSON
        order.evidence_text = f"{actor} resolved the alert: {alert.get_resolve_reason_display()}"
        order.save(update_fields=["evidence", "evidence_text"])
        WorkOrderEvent.objects.create(
            order=order,
            by=actor,
            from_state=order.state,
            to_state=order.state,
            note=order.evidence_text,
        )
