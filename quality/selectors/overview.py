"""What is due, what fails, the last verdict: a row per machine and protocol, constant queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from devices.models import Device, MaintenancePlan, WorkOrder
from devices.models.device import Lifecycle
from devices.order_steps import OPEN
from quality.models import Protocol, ProtocolPlan, QASession, SessionState, Verdict

from .standing import signed

SOON = timedelta(days=14)
# shown in this order where a list is sorted by urgency
STATES = {
    "failing": "failing",
    "overdue": "overdue",
    "due": "due soon",
    "warning": "beyond tolerance",
    "never": "never done",
    "ok": "passed",
}


@dataclass(slots=True)
class Row:
    """One protocol on one machine.

    Attributes:
        last: newest signed session that stands.
        order: open order of a tied plan that is due first.
        due_on: that order's day, or the plan's next.
        late_after: last day on which the order isn't late.
        drafts: drafts begun.
        state: one of `STATES`.
    """

    device: Device
    protocol: Protocol
    last: QASession | None
    order: WorkOrder | None
    due_on: date | None
    late_after: date | None
    drafts: list[QASession]
    state: str

    def as_json(self) -> dict[str, Any]:
        """For REST."""
        last = self.last
        return {
            "device": self.device.pk,
            "protocol": self.protocol.pk,
            "protocol_name": self.protocol.name,
            "state": self.state,
            "verdict": last.verdict if last else None,
            "session": last.pk if last else None,
            "performed_at": last.performed_at if last else None,
            "due_on": self.due_on,
            "order": self.order.pk if self.order else None,
            "drafts": [draft.pk for draft in self.drafts],
        }


def rows(
    *,
    device: int | None = None,
    protocol: int | None = None,
    today: date | None = None,
) -> list[Row]:
    """Every protocol in use on every machine that isn't retired, the most urgent first.

    Args:
        device: of this machine alone.
        protocol: of this protocol alone.
        today: by the hospital's calendar.
    """
    today = today or timezone.localdate()
    protocols = Protocol.objects.filter(retired_at=None).select_related("current")
    if protocol is not None:
        protocols = protocols.filter(pk=protocol)
    machines = Device.objects.exclude(lifecycle=Lifecycle.RETIRED).select_related("model")
    if device is not None:
        machines = machines.filter(pk=device)
    pairs = _pairs(list(protocols), list(machines))
    if not pairs:
        return []
    ids = {each.pk for _, each in pairs}
    last = _last(ids, device)
    due = _due(ids, device)
    drafts = _drafts(ids, device)
    found = []
    for machine, each in pairs:
        key = (machine.pk, each.pk)
        order, due_on = due.get(key, (None, None))
        late_after = None
        if order is not None and order.due_on is not None:
            late_after = order.due_on + timedelta(days=order.grace_days)
        row = Row(machine, each, last.get(key), order, due_on, late_after, drafts.get(key, []), "")
        row.state = _state(row, today)
        found.append(row)
    places = list(STATES)
    found.sort(
        key=lambda r: (
            places.index(r.state),
            r.due_on or date.max,
            r.device.name.casefold(),
            r.protocol.name.casefold(),
            r.protocol.pk,
        )
    )
    return found


def _pairs(
    protocols: Iterable[Protocol], machines: Iterable[Device]
) -> list[tuple[Device, Protocol]]:
    of_model: dict[int, list[Protocol]] = defaultdict(list)
    of_machine: dict[int, list[Protocol]] = defaultdict(list)
    for protocol in protocols:
        if protocol.device_id is not None:
            of_machine[protocol.device_id].append(protocol)
        elif protocol.device_model_id is not None:
            of_model[protocol.device_model_id].append(protocol)
    return [
        (machine, protocol)
        for machine in machines
        for protocol in (*of_model[machine.model_id], *of_machine[machine.pk])
    ]


def _last(protocols: set[int], device: int | None) -> dict[tuple[int, int], QASession]:
    found = signed().filter(protocol__in=protocols)
    if device is not None:
        found = found.filter(device=device)
    newest = found.annotate(
        place=Window(
            RowNumber(),
            partition_by=[F("device"), F("protocol")],
            order_by=[F("performed_at").desc(), F("pk").desc()],
        )
    ).filter(place=1)
    sessions = newest.select_related("signed_by").defer("content", "answers")
    return {(each.device_id, each.protocol_id): each for each in sessions}


def _drafts(protocols: set[int], device: int | None) -> dict[tuple[int, int], list[QASession]]:
    rows_ = QASession.objects.filter(state=SessionState.DRAFT, protocol__in=protocols)
    if device is not None:
        rows_ = rows_.filter(device=device)
    found: dict[tuple[int, int], list[QASession]] = defaultdict(list)
    for each in rows_.select_related("performed_by").defer("answers"):
        found[each.device_id, each.protocol_id].append(each)
    return found


def plans_of(protocols: set[int]) -> dict[int, int]:
    """Plans that are tied, themselves or by their model's plan, and to which protocol."""
    links = ProtocolPlan.objects.filter(protocol__in=protocols)
    by_model = links.exclude(model_plan=None).values_list("model_plan__plans", "protocol")
    own = links.exclude(plan=None).values_list("plan", "protocol")
    found = {plan: protocol for plan, protocol in by_model if plan is not None}
    # its own goes before the model's
    return found | {plan: protocol for plan, protocol in own if plan is not None}


def _due(
    protocols: set[int], device: int | None
) -> dict[tuple[int, int], tuple[WorkOrder | None, date | None]]:
    """The open order that is due first; else the day for which the plan has none yet."""
    plans = plans_of(protocols)
    found: dict[tuple[int, int], tuple[WorkOrder | None, date | None]] = {}
    orders = WorkOrder.objects.filter(plan__in=plans, state__in=OPEN).order_by("due_on", "pk")
    ahead = MaintenancePlan.objects.filter(pk__in=plans, active=True).order_by("next_due_on")
    if device is not None:
        orders, ahead = orders.filter(device=device), ahead.filter(device=device)
    for order in orders:
        found.setdefault((order.device_id, plans[order.plan_id or 0]), (order, order.due_on))
    for plan in ahead.exclude(next_due_on=None):
        found.setdefault((plan.device_id, plans[plan.pk]), (None, plan.next_due_on))
    return found


def _state(row: Row, today: date) -> str:
    verdict = row.last.verdict if row.last else ""
    if verdict == Verdict.ACTION:
        return "failing"
    if row.late_after is not None and row.late_after < today:
        return "overdue"
    if row.due_on is not None and row.due_on <= today + SOON:
        return "due"
    if verdict == Verdict.TOLERANCE:
        return "warning"
    return "ok" if verdict else "never"
