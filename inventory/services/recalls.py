"""Recalls: kept from a list; candidates confirmed or ruled out by a person, and worked off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import WorkOrder
from devices.models.device import Lifecycle
from devices.models.maintenance import OrderState
from devices.plain_text import clean
from devices.services import orders
from inventory.models import CandidateState, Recall, RecallCandidate, RecallStep, Severity
from twinhealth.errors import ConflictError, InvalidInputError

from . import AnyRequest, edited

_TEXTS = {
    "reference": (64, True),
    "manufacturer": (200, True),
    "model_text": (2_000, True),
    "serials": (20_000, False),
    "software": (300, False),
    "action": (4_000, False),
}
EARLIEST = date(1970, 1, 1)
# days until the order of a confirmed recall is due: 21 CFR 7.3(m), class I is the dangerous one
DUE_DAYS = {Severity.I: 2, Severity.II: 14, Severity.III: 60, Severity.NOTICE: 30}


@transaction.atomic
def save(
    *, actor: User | None, recall: Recall | None = None, request: AnyRequest = None, **given: Any
) -> tuple[Recall, edited.Changes]:
    """A new recall, or changes of one; its candidates are `recall_matching`'s.

    Args:
        actor: who.
        recall: the one to change.
        request: for the audit trail.
        given: columns of `Recall`.

    Returns:
        The recall, and what changed: column -> [before, after].

    Raises:
        InvalidInputError: `unknown_severity`, `issued_on_out_of_range`, and those of `clean`.
        ConflictError: `recall_exists`.
    """
    row = (
        Recall()
        if recall is None
        else Recall.objects.select_for_update(no_key=True).get(pk=recall.pk)
    )
    if recall is None:
        given = {"reference": "", "manufacturer": "", "model_text": "", **given}
    wanted = dict(given)
    for name, (limit, required) in _TEXTS.items():
        if name in given:
            wanted[name] = clean(given[name], field=name, limit=limit, required=required)
    if wanted.get("severity", Severity.NOTICE) not in Severity.values:
        raise InvalidInputError(
            "unknown_severity", "Choose I, II, III or notice.", field="severity"
        )
    issued = wanted.get("issued_on")
    if issued and not EARLIEST <= issued <= timezone.localdate() + timedelta(days=366):
        raise InvalidInputError(
            "issued_on_out_of_range", "This isn't when a notice came.", field="issued_on"
        )
    if recall is None:
        wanted["imported_by"] = actor
    changes = edited.save(row, wanted, actor=actor, taken="recall_exists", request=request)
    changes.pop("imported_by", None)
    return row, changes


def _locked(candidate: RecallCandidate) -> RecallCandidate:
    return (
        RecallCandidate.objects.select_related("recall", "device")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=candidate.pk)
    )


def _decide(
    candidate: RecallCandidate,
    state: CandidateState,
    actor: User,
    reason: str,
    request: AnyRequest,
) -> RecallCandidate:
    row = _locked(candidate)
    if row.state != CandidateState.OPEN:
        raise ConflictError(
            "decided_already",
            f"This candidate is {row.get_state_display()} already, by {row.decided_by}.",
            state=row.state,
        )
    row.state, row.decided_by, row.decided_at = state, actor, timezone.now()
    row.decision = reason
    row.save()
    return _told(row, str(state), actor, reason, request)


def _told(
    row: RecallCandidate, verb: str, actor: User, text: str, request: AnyRequest
) -> RecallCandidate:
    RecallStep.objects.create(candidate=row, by=actor, verb=verb, text=text[:1_000])
    audit.record(actor=actor, verb=verb, obj=row, request=request)
    return row


@transaction.atomic
def confirm(
    *, candidate: RecallCandidate, actor: User, reason: str = "", request: AnyRequest = None
) -> RecallCandidate:
    """Open -> confirmed: the notice concerns this machine.

    Raises:
        InvalidInputError: `reason_too_long`.
        ConflictError: `decided_already`.
    """
    reason = clean(reason, field="reason", limit=300, required=False)
    return _decide(candidate, CandidateState.CONFIRMED, actor, reason, request)


@transaction.atomic
def reject(
    *, candidate: RecallCandidate, actor: User, reason: str, request: AnyRequest = None
) -> RecallCandidate:
    """Open -> rejected: it doesn't concern this machine, and why.

    Raises:
        InvalidInputError: `reason_missing`, `reason_too_long`.
        ConflictError: `decided_already`.
    """
    reason = clean(reason, field="reason", limit=300)
    return _decide(candidate, CandidateState.REJECTED, actor, reason, request)


@transaction.atomic
def reopen(
    *, candidate: RecallCandidate, actor: User, reason: str, request: AnyRequest = None
) -> RecallCandidate:
    """Confirmed without an order, or rejected -> open: the decision was a mistake.

    Raises:
        InvalidInputError: `reason_missing`, `reason_too_long`.
        ConflictError: `not_decided`, `has_order`.
    """
    reason = clean(reason, field="reason", limit=300)
    row = _locked(candidate)
    if row.state == CandidateState.OPEN:
        raise ConflictError("not_decided", "Nobody has decided this yet.")
    if row.order_id is not None:
        raise ConflictError("has_order", "Its work order is made; cancel or finish that one.")
    row.state, row.decided_by, row.decided_at = CandidateState.OPEN, None, None
    row.decision = ""
    row.save()
    return _told(row, "reopened", actor, reason, request)


@transaction.atomic
def make_order(*, candidate: RecallCandidate, actor: User, request: AnyRequest = None) -> WorkOrder:
    """The work that a confirmed recall asks for; another one where the first was cancelled.

    Raises:
        ConflictError: `not_confirmed`, `order_exists` with `extra.order`, `device_retired`.
    """
    row = _locked(candidate)
    if row.state != CandidateState.CONFIRMED:
        raise ConflictError("not_confirmed", "Confirm first that it concerns this machine.")
    if row.order is not None and row.order.state != OrderState.CANCELLED:
        raise ConflictError(
            "order_exists", f"There is WO-{row.order_id} already.", order=row.order_id
        )
    if row.device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it gets no more work.")
    recall = row.recall
    days = DUE_DAYS[Severity(recall.severity)]
    order = orders.create(
        actor=actor,
        device=row.device,
        title=f"Recall {recall.reference}: {recall.model_text}"[:200],
        description=f"{recall.manufacturer}, {recall.get_severity_display()}. "
        f"{recall.action or 'Do as the notice says.'}"[:4_000],
        due_on=timezone.localdate() + timedelta(days=days),
        checklist=("Read the notice", "Do what it asks for", "Tell the manufacturer"),
        request=request,
    )
    if order.state == OrderState.REQUESTED:  # a recall waits for nobody's planning
        order = orders.plan(order=order, actor=actor, request=request)
    row.order = order
    row.save(update_fields=["order"])
    _told(row, "ordered", actor, str(order), request)
    return order
