"""Answers that were kept on a phone and sent later: once per key, and over nobody's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from accounts.models import User
from devices import checklist as steps_of
from devices.checklist_merge import Change, merge
from devices.models import OrderAnswers, WorkOrder
from devices.models.maintenance import OrderState as S
from devices.order_steps import FINISHED
from twinhealth.errors import ConflictError, InvalidInputError

from .order_changes import AnyRequest, locked, remark

WORKING = frozenset({S.IN_PROGRESS, S.ON_HOLD})
MAX_CHANGES = 300  # three fields of each of 100 steps
_NOTE = 1000  # of one line of the time line


@dataclass(frozen=True, slots=True)
class Seen:
    """The order as the person saw it last.

    Attributes:
        state: its state.
        assigned_to: whose it was, by user name; `None`: nobody's.
        revision: where given, any other one is refused, though nobody changed the same fields.
    """

    state: str
    assigned_to: str | None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of answers.

    Attributes:
        order: as it is now.
        again: they had come before, and nothing changed.
        refused: fields whose value is none; the others are kept.
    """

    order: WorkOrder
    again: bool = False
    refused: list[dict[str, Any]] = field(default_factory=list)


@transaction.atomic
def send(
    *,
    order: WorkOrder,
    actor: User,
    key: UUID,
    seen: Seen,
    changes: Sequence[Change],
    request: AnyRequest = None,
) -> Sent:
    """Keep answers that were given on `seen`, where nobody changed the same fields since.

    Args:
        order: which.
        actor: who answered.
        key: made by the sender; the same answers under the same key are kept once.
        seen: the order as it was when the person answered.
        changes: field by field.
        request: for the audit trail.

    Raises:
        ConflictError: `order_changed` with both sides: `reasons` (`closed`, `not_begun`,
            `on_hold`, `given`, `steps_changed`, `answered`), `fields` as `Merged` has them, and how
            the order stands now. Nothing was kept. `key_used` for other answers under this key.
        InvalidInputError: `too_many_changes`.
    """
    order = locked(order)
    digest = _checked(changes, "answers")
    if _came(order, actor, key, digest):
        return Sent(order, again=True)
    found = merge(order.checklist, changes)
    reasons = _reasons(order, seen)
    if found.having("gone"):
        reasons.append(_reason("steps_changed", "Steps were changed or taken out."))
    if found.having("conflict"):
        reasons.append(_reason("answered", "Somebody else answered the same steps."))
    if reasons:
        raise changed(order, reasons, fields=found.fields)
    if found.items != order.checklist:
        order.checklist = found.items
        order.out_of_limits = bool(steps_of.out_of_limits(order.checklist))
        order.save(update_fields=["checklist", "out_of_limits"])
    OrderAnswers.objects.create(order=order, key=key, digest=digest, by=actor)
    return Sent(order, refused=found.having("refused"))


@transaction.atomic
def send_as_remark(
    *,
    order: WorkOrder,
    actor: User,
    key: UUID,
    changes: Sequence[Change],
    request: AnyRequest = None,
) -> Sent:
    """Put answers that can't be entered any more on the time line, so that they aren't lost.

    Raises:
        ConflictError: `key_used`.
        InvalidInputError: `too_many_changes`, `nothing_to_keep`.
    """
    order = locked(order)
    digest = _checked(changes, "remark")
    if _came(order, actor, key, digest):
        return Sent(order, again=True)
    lines = [f"{change.step}: {_said(change)}" for change in changes if change.mine != change.base]
    if not lines:
        raise InvalidInputError("nothing_to_keep", "There is nothing in it to keep.")
    text = "Written without network, not entered in the checklist. " + "; ".join(lines)
    for start in range(0, len(text), _NOTE):
        remark(order, actor, text[start : start + _NOTE], "commented", request)
    OrderAnswers.objects.create(order=order, key=key, digest=digest, by=actor)
    return Sent(order)


def note(order: WorkOrder, actor: User, answers: Sequence[Any]) -> None:
    """Who answered, where the sender made no key."""
    told = hashlib.sha256(json.dumps(list(answers), default=str).encode()).hexdigest()
    OrderAnswers.objects.create(order=order, key=uuid4(), digest=told, by=actor)


def changed(order: WorkOrder, reasons: list[dict[str, str]], **extra: Any) -> ConflictError:
    """That the order isn't what the person saw, with how it stands."""
    return ConflictError(
        "order_changed",
        "This order was changed meanwhile. " + " ".join(each["text"] for each in reasons),
        revision=order.revision,
        state=order.state,
        assigned_to=order.assigned_to.username if order.assigned_to else None,
        checklist=order.checklist,
        reasons=reasons,
        **extra,
    )


def _said(change: Change) -> str:
    if change.name == "done":
        return "done" if change.mine else "not done"
    return f"{'note ' if change.name == 'note' else ''}{change.mine or 'nothing'}"


def _checked(changes: Sequence[Change], what: str) -> str:
    """Their digest."""
    if len(changes) > MAX_CHANGES:
        raise InvalidInputError(
            "too_many_changes", f"At most {MAX_CHANGES} fields at once.", limit=MAX_CHANGES
        )
    told = json.dumps([what, *map(asdict, changes)], sort_keys=True, default=str)
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()


def _came(order: WorkOrder, actor: User, key: UUID, digest: str) -> bool:
    before = OrderAnswers.objects.filter(order=order, key=key).first()
    if before is not None and (before.by_id, before.digest) != (actor.pk, digest):
        raise ConflictError("key_used", "Other answers came under this key; make a new one.")
    return before is not None


def _reason(code: str, text: str) -> dict[str, str]:
    return {"code": code, "text": text}


def _reasons(order: WorkOrder, seen: Seen) -> list[dict[str, str]]:
    """Why answers can't just be put in, apart from the fields themselves."""
    reasons = []
    event = order.events.exclude(to_state=seen.state).last() if order.state != seen.state else None
    by = f" by {event.by}" if event and event.by else ""
    if order.state not in WORKING:
        label = order.get_state_display()
        code = "closed" if order.state in {*FINISHED, S.CANCELLED} else "not_begun"
        reasons.append(_reason(code, f"It is {label}{by}."))
    elif order.state == S.ON_HOLD and seen.state != S.ON_HOLD:
        reasons.append(_reason("on_hold", f"It was put on hold{by}: {order.hold_reason}"))
    name = order.assigned_to.username if order.assigned_to else None
    if name != seen.assigned_to:
        reasons.append(_reason("given", f"It was given to {name or 'nobody'}."))
    if seen.revision not in (None, order.revision):
        reasons.append(_reason("changed", "Look at both sides, then send again."))
    return reasons
