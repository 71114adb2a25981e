"""Sessions while they are drafts: begun, saved, moved to a newer version, thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices.models import Device, WorkOrder
from devices.models.device import Lifecycle
from devices.models.maintenance import OrderState
from devices.order_steps import OPEN
from devices.plain_text import clean
from devices.services import orders
from devices.services.order_changes import AnyRequest
from quality.models import Protocol, QASession, SessionState
from quality.tests_of import MAX_VALUES
from twinhealth.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
)

from .protocols import covers

MAX_TYPED = 64  # characters of one value
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)


def check_rights(actor: User) -> None:
    """Who works on orders does sessions.

    Raises:
        NotPermittedError: `permission_denied`.
    """
    if not may(actor, Can.ORDER_WORK):
        raise NotPermittedError("permission_denied", "Your role doesn't do tests of machines.")


@transaction.atomic
def begin(
    *,
    actor: User,
    device: Device,
    protocol: Protocol,
    order: WorkOrder | None = None,
    performed_at: datetime | None = None,
    request: AnyRequest = None,
) -> QASession:
    """A draft. Of an order it is the one draft; asked for again, that one goes on.

    An order that is only planned is started.

    Args:
        actor: who measures.
        device: which machine.
        protocol: which; the draft is of its present version.
        order: that asks for it, or that it belongs to.
        performed_at: when it was measured; now unless told.
        request: for the audit trail.

    Raises:
        InvalidInputError: `protocol_of_another_machine`, `order_of_another_machine`, `in_future`,
            `too_long_ago`.
        ConflictError: `device_retired`, `protocol_retired`, `order_closed`.
        NotPermittedError: `permission_denied`.
    """
    check_rights(actor)
    protocol = Protocol.objects.select_related("current").get(pk=protocol.pk)
    if not covers(protocol, device):
        raise InvalidInputError(
            "protocol_of_another_machine", "This protocol is of other machines."
        )
    if device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it needs no more tests.")
    if protocol.retired_at is not None or protocol.current is None:
        raise ConflictError("protocol_retired", "This protocol is retired.")
    if order is not None:
        draft = _of_order(order, device, actor, request)
        if draft is not None:
            return draft
    session = QASession.objects.create(
        device=device,
        protocol=protocol,
        version=protocol.current,
        order=order,
        performed_by=actor,
        performed_at=checked_moment(performed_at or timezone.now()),
        is_synthetic=device.is_synthetic,
    )
    audit.record(actor=actor, verb="begun", obj=session, request=request)
    return session


def _of_order(
    order: WorkOrder, device: Device, actor: User, request: AnyRequest
) -> QASession | None:
    """The order's draft; the order is started where it wasn't."""
    if order.device_id != device.pk:
        raise InvalidInputError("order_of_another_machine", "This order is of another machine.")
    order = WorkOrder.objects.select_for_update(no_key=True).get(pk=order.pk)
    if order.state not in OPEN or order.state == OrderState.REQUESTED:
        raise ConflictError(
            "order_closed", f"This order is {order.get_state_display()}.", state=order.state
        )
    if order.state in {OrderState.PLANNED, OrderState.SCHEDULED}:
        orders.start(order=order, actor=actor, request=request)
    return QASession.objects.filter(order=order, state=SessionState.DRAFT).first()


@transaction.atomic
def correct(
    *, session: QASession, actor: User, reason: str, request: AnyRequest = None
) -> QASession:
    """A draft that will take a signed session's place, with that one's values to begin with.

    Raises:
        InvalidInputError: `reason_missing`, `reason_too_long`.
        ConflictError: `not_signed`, `already_superseded` with the other session.
        NotPermittedError: `permission_denied`.
    """
    check_rights(actor)
    reason = clean(reason, field="reason", limit=300)
    old = locked(session)
    if not old.is_signed:
        raise ConflictError("not_signed", "A draft is changed, not corrected.")
    try:
        with transaction.atomic():
            draft = QASession.objects.create(
                device=old.device,
                protocol=old.protocol,
                version=old.version,
                order=old.order,
                supersedes=old,
                supersede_reason=reason,
                performed_by=old.performed_by,
                performed_at=old.performed_at,
                answers=old.answers,
                instrument=old.instrument,
                instrument_reason=old.instrument_reason,
                comment=old.comment,
                is_synthetic=old.is_synthetic,
            )
    except IntegrityError:
        other = QASession.objects.filter(supersedes=old).first()
        raise ConflictError(
            "already_superseded",
            "Another correction of this session, or of its order, is there already.",
            session=other.pk if other else None,
        ) from None
    audit.record(
        actor=actor, verb="correction_begun", obj=draft, request=request, detail={"of": old.pk}
    )
    return draft


@transaction.atomic
def save(
    *,
    session: QASession,
    actor: User,
    answers: Mapping[str, Any] | None = None,
    seen: int | None = None,
    request: AnyRequest = None,
    **fields: Any,
) -> QASession:
    """Keep a draft as it was typed; nothing is judged by it.

    Args:
        session: which.
        actor: who.
        answers: by the tests' keys; tests that aren't named keep theirs.
        seen: revision that the person looked at.
        request: for the audit trail.
        fields: any of `performed_at`, `instrument`, `instrument_reason`, `comment`.

    Raises:
        InvalidInputError: `unknown_test`, `too_many_values`, `answer_invalid`, `in_future`,
            `too_long_ago`, or a
            text's own code.
        ConflictError: `already_signed`, `session_changed`.
        NotPermittedError: `permission_denied`.
    """
    check_rights(actor)
    session = locked_draft(session, seen)
    known = {row["key"]: row for row in session.version.tests}
    kept = dict(session.answers)
    for key, answer in (answers or {}).items():
        if key not in known:
            raise InvalidInputError("unknown_test", "This protocol has no such test.", key=key[:64])
        kept[key] = _typed(answer)
    session.answers = kept
    _set(session, fields)
    session.revision += 1
    session.save()
    return session


def _set(session: QASession, fields: Mapping[str, Any]) -> None:
    unknown = fields.keys() - {"performed_at", "instrument", "instrument_reason", "comment"}
    if unknown:
        raise TypeError(f"a session has no {sorted(unknown)}")
    if (at := fields.get("performed_at")) is not None:
        session.performed_at = checked_moment(at)
    if "instrument" in fields:
        session.instrument = fields["instrument"]
    for name, limit in (("instrument_reason", 300), ("comment", 4000)):
        if name in fields:
            setattr(session, name, clean(fields[name], field=name, limit=limit, required=False))


def _typed(answer: Any) -> dict[str, Any]:
    """An answer as it may be kept."""
    if not isinstance(answer, Mapping):
        raise InvalidInputError("answer_invalid", "An answer has values, a choice or passed.")
    values = answer.get("values") or []
    if not isinstance(values, list) or len(values) > MAX_VALUES:
        raise InvalidInputError(
            "too_many_values", f"At most {MAX_VALUES} values of a test.", limit=MAX_VALUES
        )
    passed = answer.get("passed")
    if passed is not None and not isinstance(passed, bool):
        raise InvalidInputError("answer_invalid", "It passed or it didn't: true or false.")

    def text(name: str, given: Any, limit: int) -> str:
        if isinstance(given, bool) or not isinstance(given, str | int | float | None):
            raise InvalidInputError("answer_invalid", f"The {name} can't be read.")
        shown = "" if given is None else str(given)
        return clean(shown, field=name, limit=limit, required=False)

    return {
        "values": [text("value", each, MAX_TYPED) for each in values],
        "unit": text("unit", answer.get("unit"), 32),
        "choice": text("choice", answer.get("choice"), 120),
        "passed": passed,
        "note": text("note", answer.get("note"), 500),
    }


@transaction.atomic
def renew(*, session: QASession, actor: User, request: AnyRequest = None) -> QASession:
    """Move a draft to the protocol's present version; answers to tests that are gone go too.

    Raises:
        ConflictError: `already_signed`.
        NotPermittedError: `permission_denied`.
    """
    check_rights(actor)
    session = locked_draft(session, None)
    current = Protocol.objects.select_related("current").get(pk=session.protocol_id).current
    if current is not None and current.pk != session.version_id:
        session.version = current
        kinds = {row["key"]: row["kind"] for row in current.tests}
        session.answers = {key: a for key, a in session.answers.items() if key in kinds}
        session.revision += 1
        session.save()
        audit.record(
            actor=actor,
            verb="moved_to_version",
            obj=session,
            request=request,
            detail={"version": current.number},
        )
    return session


@transaction.atomic
def discard(*, session: QASession, actor: User, request: AnyRequest = None) -> None:
    """Throw a draft away; one that has files stays, since they are evidence of something.

    Raises:
        ConflictError: `already_signed`, `draft_has_files`.
        NotPermittedError: `permission_denied`.
    """
    check_rights(actor)
    session = locked_draft(session, None)
    if session.files.exists():
        raise ConflictError("draft_has_files", "This draft has files; sign it instead.")
    audit.record(actor=actor, verb="discarded", obj=session, request=request)
    session.delete()


def checked_moment(at: datetime) -> datetime:
    """When it was measured isn't ahead of us, nor before there were such machines.

    Raises:
        InvalidInputError: `in_future`, `too_long_ago`.
    """
    if at > timezone.now():
        raise InvalidInputError("in_future", "That moment is still to come.")
    if at < EARLIEST:
        raise InvalidInputError("too_long_ago", f"Nothing before {EARLIEST:%Y} can be entered.")
    return at


def locked(session: QASession) -> QASession:
    """The row as it is now, held until the transaction ends.

    Raises:
        NotFoundError: `session_not_found` where it was thrown away meanwhile.
    """
    found = (
        QASession.objects.select_for_update(no_key=True, of=("self",))
        .select_related("device__model", "protocol__rule", "version", "instrument", "signed_by")
        .filter(pk=session.pk)
        .first()
    )
    if found is None:
        raise NotFoundError("session_not_found", "There is no such session.")
    return found


def locked_draft(session: QASession, seen: int | None) -> QASession:
    """As `locked`, while nobody signed it.

    Raises:
        ConflictError: `already_signed` by whom, `session_changed` beyond revision `seen`.
    """
    found = locked(session)
    if found.is_signed:
        raise ConflictError(
            "already_signed", f"{found.signed_by} signed this session.", session=found.pk
        )
    if seen is not None and found.revision != seen:
        raise ConflictError(
            "session_changed",
            "Somebody else saved this session meanwhile; load it again.",
            revision=found.revision,
        )
    return found
