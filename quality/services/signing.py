"""A draft is signed: judged, frozen with its hash, and all that follows, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices.models import MaintenancePlan, WorkOrder
from devices.models.device import Lifecycle
from devices.models.maintenance import OrderState
from devices.plain_text import clean
from devices.services import orders, plan_timing
from devices.services.events import lock_twin
from devices.services.order_changes import AnyRequest
from quality import certificate
from quality.models import QAResult, QASession, SessionState
from quality.tests_of import ProtocolTest, Result, from_json, result
from quality.tolerance import worst
from twinhealth.errors import ConflictError, InvalidInputError
from twinhealth.web.canonical import sha256

from . import consequences
from .sessions import check_rights, locked_draft

Judged = list[tuple[ProtocolTest, Result]]


@transaction.atomic
def sign(
    *,
    session: QASession,
    actor: User,
    signature: str,
    seen: int | None = None,
    keep_version: bool = False,
    counts_for: MaintenancePlan | None = None,
    close_order: bool = False,
    request: AnyRequest = None,
) -> QASession:
    """Draft -> signed. From then on it never changes; a correction is another session.

    What follows, in the same transaction: the alert of a failure, the marks as degraded, evidence
    for orders that wait for it (`consequences`).

    Args:
        session: which.
        actor: who signs.
        signature: the name typed by that person.
        seen: revision that the person looked at.
        keep_version: sign although the protocol has a newer version.
        counts_for: of an extra check: a floating plan, or one by use, that is counted from it.
        close_order: complete the order with the same signature.
        request: for the audit trail.

    Raises:
        InvalidInputError: `tests_unanswered` with them, `instrument_out_of_date`,
            `signature_missing`, `signature_too_long`, `counts_for_…`, or as `tests_of.result`.
        ConflictError: `already_signed`, `session_changed`, `protocol_changed`, `device_retired`,
            `already_superseded`, or as `devices.services.orders.complete`.
        NotPermittedError: `permission_denied`.
    """
    check_rights(actor)
    lock_twin(session.device_id)  # before any other row, as everywhere
    session = locked_draft(session, seen)
    signature = clean(signature, field="signature", limit=200)
    _check(session, keep_version=keep_version)
    judged = judge(session)
    order = session.order
    if counts_for is not None:
        order = session.order = _extra_order(session, actor, counts_for, request)
    session.state = SessionState.SIGNED
    session.signed_by, session.signed_at = actor, timezone.now()
    session.signature = signature
    session.verdict = worst([found.verdict for _, found in judged])
    session.content = certificate.content(session, judged)
    session.sha256 = sha256(session.content)
    session.save()
    QAResult.objects.bulk_create(
        [
            QAResult(
                session=session,
                key=test.key,
                number=found.number,
                text=found.text,
                verdict=found.verdict,
            )
            for test, found in judged
        ]
    )
    audit.record(
        actor=actor,
        verb="signed",
        obj=session,
        request=request,
        detail={"verdict": session.verdict, "sha256": session.sha256},
    )
    consequences.follow(session=session, actor=actor, request=request)
    if order is not None and (close_order or counts_for is not None):
        orders.complete(
            order=order,
            actor=actor,
            signature=signature,
            counts_for=counts_for,
            request=request,
        )
    return session


def _check(session: QASession, *, keep_version: bool) -> None:
    if session.device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it needs no more tests.")
    current = session.protocol.current
    if current is not None and current.pk != session.version_id and not keep_version:
        raise ConflictError(
            "protocol_changed",
            f"The protocol has version {current.number} now: move the draft to it, or sign it by "
            f"version {session.version.number}.",
            version=current.number,
        )
    instrument = session.instrument
    on = timezone.localdate(session.performed_at)
    if (
        instrument is not None
        and instrument.calibrated_until < on
        and not session.instrument_reason
    ):
        raise InvalidInputError(
            "instrument_out_of_date",
            f"{instrument} was calibrated until {instrument.calibrated_until:%d %b %Y}: take "
            "another one, or say why it could be used.",
            calibrated_until=instrument.calibrated_until.isoformat(),
        )


def judge(session: QASession) -> Judged:
    """Every test with what its answer comes to.

    Raises:
        InvalidInputError: `tests_unanswered`, or as `tests_of.result`.
    """
    found: Judged = []
    missing: list[str] = []
    for row in session.version.tests:
        test = from_json(row)
        answer = result(test, session.answers.get(test.key, {}))
        if answer is None:
            missing.append(test.name)
        else:
            found.append((test, answer))
    if missing:
        raise InvalidInputError(
            "tests_unanswered",
            f"{_listed(missing)} still to be answered; every test of the protocol is done.",
            tests=missing,
        )
    return found


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    more = len(names) - 3
    return f"{shown} and {more} more are" if more > 0 else f"{shown}:"


def _extra_order(
    session: QASession, actor: User, plan: MaintenancePlan, request: AnyRequest
) -> WorkOrder:
    """The order that records an extra check, so that the plan can be counted from it."""
    if session.order_id is not None:
        raise InvalidInputError("counts_for_own", "This session is of an order already.")
    if timezone.localdate(session.performed_at) != timezone.localdate():
        raise InvalidInputError(
            "counts_for_late", "Only what was measured today counts for a plan from today on."
        )
    order = orders.create(
        actor=actor,
        device=session.device,
        title=f"Extra check: {session.protocol.name}"[:200],
        request=request,
    )
    plan_timing.check_counts_for(order, plan)
    if order.state == OrderState.REQUESTED and may(actor, Can.ORDER_WORK):
        order = orders.plan(order=order, actor=actor, request=request)
    return orders.start(order=order, actor=actor, request=request)
