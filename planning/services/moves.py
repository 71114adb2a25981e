"""Writing moves of a scenario or a suggestion into the orders, each with a fate of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import WorkOrder
from devices.services.order_changes import AnyRequest
from maintenance.services import rescheduling
from planning import guard
from planning.book import Book
from twinhealth.errors import DomainError, InvalidInputError

MORNING = time(8)  # of an order that had a day alone


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order and the day for it; `seen` is where it stood when that was thought of."""

    order: int
    day: date
    reason: str
    seen: Sequence[Any]


@dataclass(frozen=True, slots=True)
class MoveFate:
    """What became of one: moved, or why not."""

    order: int
    day: date
    code: str = ""
    message: str = ""
    undo: tuple[int, list[Any], list[Any]] | None = None  # order, before, after


def write(
    *,
    actor: User,
    wanted: Sequence[Wanted],
    book: Book,
    what: str,
    request: AnyRequest = None,
) -> list[MoveFate]:
    """Move each order through the reschedule service; one that can't be leaves the others alone.

    Args:
        actor: who moves them.
        wanted: at most one an order.
        book: the hospital as it is now, for the manufacturers' limits.
        what: the scenario or suggestion, for the audit trail.
        request: for the audit trail.

    Raises:
        InvalidInputError: `nothing_to_move`.
    """
    if not wanted:
        raise InvalidInputError("nothing_to_move", "Choose at least one order to move.")
    found = [_one(each, actor, book, request) for each in wanted]
    audit.record(
        actor=actor,
        verb="moves_applied",
        obj=WorkOrder,
        request=request,
        detail={
            "of": what[:200],
            "moved": [each.order for each in found if not each.code],
            "refused": {str(each.order): each.code for each in found if each.code},
        },
    )
    return found


def _one(each: Wanted, actor: User, book: Book, request: AnyRequest) -> MoveFate:
    place = book.place_of_order(each.order)
    if place is None or not book.orders[place].movable:
        return _refused(each, "order_not_movable", "It can't be moved any more.")
    row = book.orders[place]
    why = guard.refusal(row.limits, day=each.day, now=row.day)
    if why:
        return _refused(each, guard.CODE, why)
    order = WorkOrder.objects.filter(pk=each.order).first()
    if order is None:
        return _refused(each, "order_not_found", "There is no such work order.")
    if each.seen and rescheduling.Place.of(order) != rescheduling.Place.of_kept(each.seen):
        return _refused(
            each, "moved_meanwhile", "Somebody changed this order since: look at it again."
        )
    try:
        moved, before = rescheduling.move(
            order=order,
            actor=actor,
            scheduled_for=_at(order, each.day),
            reason=each.reason[:300],
            request=request,
        )
    except DomainError as error:
        return _refused(each, error.code, error.message)
    after = rescheduling.Place.of(moved)
    return MoveFate(each.order, each.day, undo=(moved.pk, before.kept(), after.kept()))


def place_kept(place: Any) -> list[Any]:
    """What a page sent back of where an order stood.

    Raises:
        ValueError: it isn't a place.
    """
    state, at, person = place
    if not isinstance(state, str) or not isinstance(at, str | None):
        raise ValueError("not a place")  # noqa: TRY004 - one kind of wrong for the caller
    if not isinstance(person, int | None):
        raise ValueError("not a place")  # noqa: TRY004
    return rescheduling.Place.of_kept((state, at, person)).kept()


def _refused(each: Wanted, code: str, message: str) -> MoveFate:
    return MoveFate(each.order, each.day, code, message)


def _at(order: WorkOrder, day: date) -> datetime:
    """The same time of day, or the morning."""
    clock = timezone.localtime(order.scheduled_for).time() if order.scheduled_for else MORNING
    return timezone.make_aware(datetime.combine(day, clock))


def undo(
    *, actor: User, kept: Sequence[Sequence[Any]], request: AnyRequest = None
) -> list[MoveFate]:
    """Each order back to where it stood, unless somebody changed it since."""
    found = []
    for pk, to, after in kept:
        before = rescheduling.Place.of_kept(to)
        day = timezone.localdate(before.scheduled_for) if before.scheduled_for else date.min
        order = WorkOrder.objects.filter(pk=pk).first()
        if order is None:
            found.append(MoveFate(pk, day, "order_not_found", "There is no such work order."))
            continue
        try:
            rescheduling.undo(
                order=order,
                actor=actor,
                to=before,
                after=rescheduling.Place.of_kept(after),
                request=request,
            )
        except DomainError as error:
            found.append(MoveFate(pk, day, error.code, error.message))
        else:
            found.append(MoveFate(pk, day))
    return found
