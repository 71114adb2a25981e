"""Kinds that follow from an order's due date: coming, due today, overdue, escalated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from accounts.permissions import Can, Role
from devices import notice_kinds
from devices.models import WorkOrder
from devices.models.maintenance import OrderState
from devices.notice_kinds import Happening, Kind, Section, Span, Told, Way
from devices.order_steps import FINISHED, OPEN
from devices.selectors_due import AddDays

_LATE_AFTER = AddDays(F("due_on"), F("grace_days"))
OPEN_STATES = frozenset(OPEN)


class Row:
    """What is read of an order, and no more."""

    FIELDS = (
        "pk", "title", "state", "due_on", "grace_days", "assigned_to_id", "completed_at",
        "is_synthetic", "device__name", "device__location",
    )  # fmt: skip
    __slots__ = ("due_on", "last_day", "person", "pk", "room", "synthetic", "title", "until")

    def __init__(self, values: Sequence[Any]) -> None:
        pk, title, state, due_on, grace, person, completed, synthetic, machine, room = values
        self.pk: int = pk
        self.title = f"WO-{pk} {title} · {machine}"
        self.due_on: date = due_on
        self.last_day: date = due_on + timedelta(days=grace)
        self.person: int | None = person
        self.until: datetime | None = completed if state in FINISHED else None
        self.room: str = room
        self.synthetic: bool = synthetic

    def happening(self, at: datetime, key: str, words: str, **more: Any) -> Happening | None:
        """What is told of it; `None` where it was done by then."""
        if self.until is not None and self.until <= at:
            return None
        return Happening(
            at=at,
            subject=self.pk,
            key=key,
            title=f"{self.title}: {words}",
            path=f"/maintenance/orders/{self.pk}/",
            people=(self.person,) if self.person is not None else (),
            room=self.room,
            synthetic=self.synthetic,
            **more,
        )


def _rows(span: Span, where: Q) -> Iterator[Row]:
    """Orders that were open at some moment of the span, in one query."""
    was_open = Q(state__in=OPEN) | Q(state__in=FINISHED, completed_at__gt=span.since)
    found = WorkOrder.objects.filter(was_open, where, due_on__isnull=False).order_by()
    return (Row(values) for values in found.values_list(*Row.FIELDS).iterator(chunk_size=5000))


def _told(found: Iterable[Happening | None]) -> list[Happening]:
    return [each for each in found if each is not None]


def days_text(count: int) -> str:
    """`1 day`, `7 days`."""
    return f"{count} day{'' if count == 1 else 's'}"


def coming(span: Span) -> list[Happening]:
    """So many days before the due date, for each number of days that somebody asked for."""
    if not span.ahead:
        return []
    first, last = span.days
    near = Q(
        due_on__gte=first + timedelta(days=min(span.ahead)),
        due_on__lte=last + timedelta(days=max(span.ahead)),
    )
    found = []
    for row in _rows(span, near):
        words = f"due on {row.due_on:%Y-%m-%d}"
        for days, at in span.before(row.due_on, span.ahead):
            found.append(row.happening(at, f"{row.due_on}:{days}", words, ahead=days))
    return _told(found)


def due(span: Span) -> list[Happening]:
    """On the due date's morning."""
    first, last = span.days
    near = Q(due_on__gte=first, due_on__lte=last)
    return _told(
        row.happening(at, f"{row.due_on}", f"due on {row.due_on:%Y-%m-%d}")
        for row in _rows(span, near)
        if span.has(at := span.morning(row.due_on))
    )


def overdue(span: Span) -> list[Happening]:
    """On the first morning beyond due date and grace, and each seventh after it."""
    found = []
    for row in _rows(span, Q(LessThan(_LATE_AFTER, span.days[1]))):
        words = f"overdue since {row.last_day:%Y-%m-%d}"
        for number, at in span.weekly(row.last_day + timedelta(days=1)):
            found.append(row.happening(at, f"{row.due_on}:{number}", words))
    return _told(found)


def escalated(span: Span) -> list[Happening]:
    """So many days after the last day in time as the house settled."""
    first, last = (day - timedelta(days=span.escalate_days) for day in span.days)
    late = Q(GreaterThanOrEqual(_LATE_AFTER, first)) & Q(
        LessThan(_LATE_AFTER, last + timedelta(days=1))
    )
    words = f"overdue by {days_text(span.escalate_days)}, nobody finished it"
    found = []
    for row in _rows(span, late):
        at = span.morning(row.last_day + timedelta(days=span.escalate_days))
        if span.has(at):
            found.append(row.happening(at, f"{row.due_on}", words))
    return _told(found)


def _over(told: Sequence[Told], span: Span, kind: str) -> dict[int, str]:
    """Why notices about dates are no longer true, in one query."""
    today = span.day_of(span.until)
    known = {
        pk: (state, due_on, grace, person)
        for pk, state, due_on, grace, person in WorkOrder.objects.filter(
            pk__in={each.subject for each in told}
        ).values_list("pk", "state", "due_on", "grace_days", "assigned_to_id")
    }
    found = {}
    for each in told:
        if each.subject not in known:
            found[each.id] = "the order is gone"
            continue
        state, due_on, grace, person = known[each.subject]
        why = closed(state)
        if not why and each.by_name and person != each.user_id:
            why = "somebody else has the order"
        if not why:
            why = _other_date(kind, each.key, due_on, grace, today)
        if why:
            found[each.id] = why
    return found


def _other_date(kind: str, key: str, due_on: date | None, grace: int, today: date) -> str:
    """Why an open order's date is not what was told; empty where it is."""
    if due_on is None or str(due_on) != key.partition(":")[0]:
        return "it has another due date"
    late = due_on + timedelta(days=grace) < today
    if kind == "order_coming":
        return "it is due by now" if due_on <= today else ""
    if kind == "order_due":
        return "it is overdue by now" if late else ""
    return "" if late else "it is in time again"


def closed(state: str) -> str:
    """Why there is nothing to do about an order; empty while there is."""
    if state == OrderState.CANCELLED:
        return "the order was cancelled"
    return "" if state in OPEN_STATES else "the order is done"


def _over_of(kind: str) -> Any:
    def over(told: Sequence[Told], span: Span) -> Mapping[int, str]:
        return _over(told, span, kind)

    return over


def connect() -> None:
    """Have them told; called once, when the room is ready."""
    for key, label, section, happened, defaults, more in (
        (
            "order_coming", "an order is due soon", Section.COMING, coming,
            {Role.ENGINEER: Way.IN_APP, Role.ADMIN: Way.OFF}, {"watched": True},
        ),
        (
            "order_due", "an order is due today", Section.DUE, due,
            {Role.ENGINEER: Way.IN_APP, Role.ADMIN: Way.DIGEST}, {"watched": True},
        ),
        (
            "order_overdue", "an order is overdue (weekly while it is)", Section.OVERDUE, overdue,
            {Role.ENGINEER: Way.EMAIL, Role.ADMIN: Way.DIGEST}, {"watched": True},
        ),
        (
            "order_escalated", "an overdue order is escalated", Section.OVERDUE, escalated,
            {Role.ADMIN: Way.EMAIL, Role.ENGINEER: Way.OFF},
            {
                "duty": Can.MAINTENANCE_PLAN, "needs": Can.MAINTENANCE_PLAN, "urgent": True,
                "always": frozenset({Role.ADMIN}),
            },
        ),
    ):  # fmt: skip
        notice_kinds.register(
            Kind(
                key=key, label=label, section=section, happened=happened, over=_over_of(key),
                defaults=defaults, **more,
            )
        )  # fmt: skip
