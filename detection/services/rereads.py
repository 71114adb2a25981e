"""People work a re-read list off: give films out, say what came of looking again, take it back.

Every step locks its films in the order of their numbers, so that of two who press at once one is
told what the other did. What a changed report says stands in an addendum, which the room above
writes in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from detection.models import ReRead, ReReadEvent, ReReadList, ReReadResult, ReReadState
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

MAX_NOTE = 1000
MAX_AT_ONCE = 1000
_WAITING = {ReReadState.OPEN, ReReadState.ASSIGNED}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the films that were named: how many changed, how many were left alone."""

    changed: int
    skipped: int


@transaction.atomic
def assign(
    *,
    list_id: int,
    item_ids: Sequence[int],
    assignee: User | None,
    user: User,
    request: HttpRequest | None = None,
) -> Outcome:
    """Give films that aren't done to a reader; `None` takes them back. Done ones are skipped.

    Raises:
        NotFoundError: `no_such_re_read`.
        InvalidInputError: `nothing_chosen`, `too_many`, `not_a_reader`.
        ConflictError: `degraded_withdrawn`.
    """
    if assignee is not None and not may(assignee, Can.FINDING_REVIEW):
        raise InvalidInputError("not_a_reader", f"{assignee} doesn't read films.")
    held = _held(list_id, item_ids)
    state = ReReadState.ASSIGNED if assignee else ReReadState.OPEN
    wanted = assignee.pk if assignee else None
    todo = [i for i in held if i.state in _WAITING and i.assigned_to_id != wanted]
    _some(todo).update(state=state, assigned_to=assignee)
    _tell(todo, user, "assigned", str(assignee) if assignee else "nobody")
    audit.record(
        actor=user,
        verb="assigned",
        obj=held[0].list,
        request=request,
        detail={"items": [i.pk for i in todo], "to": wanted},
    )
    return Outcome(len(todo), len(held) - len(todo))


@transaction.atomic
def finish(
    *,
    list_id: int,
    item_ids: Sequence[int],
    result: str,
    user: User,
    note: str = "",
    request: HttpRequest | None = None,
) -> Outcome:
    """Say what came of films: re-read and unchanged, changed, or done without re-reading.

    Several at once may be unchanged or not re-read; what changed is said film by film. Of several,
    those that are done already are skipped.

    Args:
        list_id: of which list.
        item_ids: the films.
        result: a value of `ReReadResult`.
        user: who says so.
        note: what changed, or why it wasn't re-read; else a remark, which may be empty.
        request: for the audit trail.

    Raises:
        NotFoundError: `no_such_re_read`.
        InvalidInputError: `nothing_chosen`, `too_many`, `bad_result`, `note_missing`,
            `note_too_long`, `one_by_one`.
        ConflictError: `re_read_done` of one film, with who and when; `re_read_dropped`;
            `degraded_withdrawn`.
    """
    note = note.strip()
    if result not in ReReadResult.values:
        raise InvalidInputError("bad_result", "Choose one.", allowed=list(ReReadResult.values))
    if len(note) > MAX_NOTE:
        raise InvalidInputError("note_too_long", f"At most {MAX_NOTE} characters.", limit=MAX_NOTE)
    if not note and result != ReReadResult.UNCHANGED:
        raise InvalidInputError(
            "note_missing",
            "Say what changed."
            if result == ReReadResult.CHANGED
            else "Say why it need not be re-read.",
        )
    if result == ReReadResult.CHANGED and len(set(item_ids)) > 1:
        raise InvalidInputError("one_by_one", "Say of each film by itself what changed.")
    held = _held(list_id, item_ids)
    if len(held) == 1:
        _refuse_over(held[0])
    todo = [item for item in held if item.state in _WAITING]
    _some(todo).update(
        state=ReReadState.DONE, result=result, note=note, done_by=user, done_at=timezone.now()
    )
    _tell(todo, user, result, note)
    details: dict[int, dict[str, Any]] = {}
    for item in todo:
        patient = item.image.series.study.patient_id
        row = details.setdefault(patient, {"result": result, "films": []})
        row["films"].append(item.image_id)
    audit.record_patients(
        actor=user, verb="re_read", obj=held[0].list, details=details, request=request
    )
    return Outcome(len(todo), len(held) - len(todo))


@transaction.atomic
def reopen(*, item_id: int, user: User, reason: str, request: HttpRequest | None = None) -> ReRead:
    """Take back what was said of one film; an addendum that was written stays.

    Raises:
        NotFoundError: `no_such_re_read`.
        InvalidInputError: `reason_missing`, `note_too_long`.
        ConflictError: `re_read_not_done`, `degraded_withdrawn`.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidInputError("reason_missing", "Say why it is open again.")
    if len(reason) > MAX_NOTE:
        raise InvalidInputError("note_too_long", f"At most {MAX_NOTE} characters.", limit=MAX_NOTE)
    item = get(item_id)
    (item,) = _held(item.list_id, [item.pk])
    if item.state != ReReadState.DONE:
        raise ConflictError("re_read_not_done", "This film isn't done.", state=item.state)
    item.state = ReReadState.ASSIGNED if item.assigned_to_id else ReReadState.OPEN
    item.result, item.note, item.done_by, item.done_at = "", "", None, None
    item.save(update_fields=["state", "result", "note", "done_by", "done_at"])
    _tell([item], user, "reopened", reason)
    audit.record(
        actor=user,
        verb="reopened",
        obj=item,
        patient_id=item.image.series.study.patient_id,
        request=request,
    )
    return item


def get(item_id: int) -> ReRead:
    """One film of a list.

    Raises:
        NotFoundError: `no_such_re_read`.
    """
    found = ReRead.objects.select_related("list__span").filter(pk=item_id).first()
    if found is None:
        raise NotFoundError("no_such_re_read", "There is no such film on a list.")
    return found


def _held(list_id: int, item_ids: Sequence[int]) -> list[ReRead]:
    """The films, locked; all of them are of the list."""
    wanted = sorted(set(item_ids))
    if not wanted:
        raise InvalidInputError("nothing_chosen", "Choose at least one film.")
    if len(wanted) > MAX_AT_ONCE:
        raise InvalidInputError("too_many", f"At most {MAX_AT_ONCE} at once.", limit=MAX_AT_ONCE)
    locked = ReRead.objects.select_for_update(of=("self",), no_key=True).filter(
        list=list_id, pk__in=wanted
    )
    held = list(locked.select_related("list__span", "image__series__study").order_by("pk"))
    if len(held) < len(wanted):
        raise NotFoundError("no_such_re_read", "A film isn't on this list.")
    if held[0].list.span.withdrawn_at is not None:
        raise ConflictError(
            "degraded_withdrawn", "The mark was withdrawn: nothing has to be re-read."
        )
    return held


def _some(items: list[ReRead]) -> QuerySet[ReRead]:
    return ReRead.objects.filter(pk__in=[item.pk for item in items])


def _refuse_over(item: ReRead) -> None:
    if item.state == ReReadState.DONE:
        raise ConflictError(
            "re_read_done",
            f"{item.done_by} has done this film already.",
            by=str(item.done_by),
            at=item.done_at.isoformat() if item.done_at else None,
        )
    if item.state == ReReadState.DROPPED:
        raise ConflictError("re_read_dropped", "This film isn't concerned any more.")


def _tell(items: list[ReRead], user: User, verb: str, text: str) -> None:
    now = timezone.now()
    ReReadEvent.objects.bulk_create(
        ReReadEvent(item=item, at=now, by=user, verb=verb, text=text) for item in items
    )


def list_of(list_id: int) -> ReReadList:
    """One list with its mark and machine.

    Raises:
        NotFoundError: `no_such_list`.
    """
    joined = ReReadList.objects.select_related("span__device", "span__by", "span__alert__rule")
    found = joined.filter(pk=list_id).first()
    if found is None:
        raise NotFoundError("no_such_list", "There is no such re-read list.")
    return found
