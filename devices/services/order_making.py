"""New work orders: by hand, and from an alert."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import transaction

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices import checklist as steps_of
from devices.checklist_steps import Step, steps
from devices.models import Alert, AlertNote, Device, WorkOrder, WorkOrderEvent
from devices.models.device import Lifecycle
from devices.models.maintenance import OrderState as S
from devices.order_steps import OPEN
from devices.plain_text import clean
from twinhealth.errors import ConflictError, InvalidInputError

from .events import lock_twin
from .order_changes import AnyRequest, changes, check_assignee

MAX_GRACE_DAYS = 365


@transaction.atomic
def create(
    *,
    actor: User,
    device: Device,
    title: str,
    description: str = "",
    due_on: date | None = None,
    grace_days: int = 0,
    checklist: Sequence[Step] = (),
    assigned_to: User | None = None,
    alert: Alert | None = None,
    request: AnyRequest = None,
) -> WorkOrder:
    """A new order by hand.

    One by somebody who plans maintenance, or from an alert, is planned and may be started; any
    other is a request that a planner accepts.

    Raises:
        InvalidInputError: a text is missing or too long, `grace_out_of_range`, `cannot_assign`,
            `alert_of_another_device`.
        ConflictError: `device_retired`; `order_exists` where the alert has an open order.
    """
    title = clean(title, field="title", limit=200)
    description = clean(description, field="description", limit=4000, required=False)
    items = steps_of.blank(steps(checklist))
    if not 0 <= grace_days <= MAX_GRACE_DAYS:
        raise InvalidInputError(
            "grace_out_of_range", f"The grace is 0 to {MAX_GRACE_DAYS} days.", limit=MAX_GRACE_DAYS
        )
    check_assignee(assigned_to)
    if device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it gets no more work.")
    if alert is not None:
        _check_alert(alert, device)
    planned = alert is not None or may(actor, Can.MAINTENANCE_PLAN)
    order = WorkOrder.objects.create(
        device=device,
        alert=alert,
        title=title,
        description=description,
        state=S.PLANNED if planned else S.REQUESTED,
        due_on=due_on,
        grace_days=grace_days,
        checklist=items,
        assigned_to=assigned_to,
        created_by=actor,
        is_synthetic=device.is_synthetic,
    )
    WorkOrderEvent.objects.create(
        order=order,
        by=actor,
        to_state=order.state,
        note="created",
        detail=changes(order, None, None),
    )
    if alert is not None:
        AlertNote.objects.create(alert=alert, by=actor, verb="ordered", text=str(order)[:1000])
    audit.record(actor=actor, verb="created", obj=order, request=request)
    return order


def create_from_alert(*, actor: User, alert: Alert, request: AnyRequest = None) -> WorkOrder:
    """An order to look after an alert, titled by what the alert says.

    Raises:
        ConflictError: `device_retired`, `order_exists`.
    """
    return create(
        actor=actor,
        device=alert.device,
        alert=alert,
        title=title_for(alert),
        request=request,
    )


def title_for(alert: Alert) -> str:
    """What an order from this alert is called unless somebody says otherwise."""
    return f"Look after: {alert.message}"[:200]


def _check_alert(alert: Alert, device: Device) -> None:
    if alert.device_id != device.pk:
        raise InvalidInputError("alert_of_another_device", "This alert is of another machine.")
    lock_twin(device.pk)  # two people making the alert's order: the second sees the first's
    other = WorkOrder.objects.filter(alert=alert, state__in=OPEN).first()
    if other is not None:
        raise ConflictError(
            "order_exists", f"This alert has an open order already: WO-{other.pk}.", order=other.pk
        )
