"""What an order looks like today: late, due, soon, later, done. Derived, never stored.

`shown(order)` says it for one row and `SHOWN_Q` for a query; a test holds them together over one
row in every state. A day is a day of the hospital's zone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import DateField, F, Func, Q, TextChoices
from django.db.models.functions import TruncDate
from django.db.models.lookups import GreaterThan, LessThan, LessThanOrEqual
from django.utils import timezone

from .models import WorkOrder
from .models.maintenance import OrderState
from .order_steps import FINISHED, OPEN

SOON_DAYS = 14
LOOK_BACK_DAYS = 90


class Shown(TextChoices):
    """The one word about an order's date."""

    OVERDUE = "overdue", "overdue"  # beyond due date and grace
    DUE = "due", "due"  # the due date is here or past, the grace isn't
    DUE_SOON = "due_soon", "due soon"  # within two weeks
    LATER = "later", "later"
    UNDATED = "undated", "no due date"
    DONE = "done", "done"
    CANCELLED = "cancelled", "cancelled"


class AddDays(Func):
    """A date moved by a column's number of days, in both databases' words."""

    output_field = DateField()
    arity = 2

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """`date + integer`."""
        return self.as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" + ")

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """`date(due_on, '+' || days || ' days')`."""
        sql, params = self.as_sql(
            compiler, connection, template="%(expressions)s", arg_joiner=", '+' || "
        )
        return f"date({sql} || ' days')", params


def late_after(order: WorkOrder) -> date | None:
    """The last day on which the order is not overdue."""
    return order.due_on + timedelta(days=order.grace_days) if order.due_on else None


def shown(order: WorkOrder, today: date) -> Shown:  # noqa: PLR0911 - a table with a row each
    """The shown state of one order."""
    if order.state in FINISHED:
        return Shown.DONE
    if order.state == OrderState.CANCELLED:
        return Shown.CANCELLED
    last = late_after(order)
    if order.due_on is None or last is None:
        return Shown.UNDATED
    if last < today:
        return Shown.OVERDUE
    if order.due_on <= today:
        return Shown.DUE
    if order.due_on <= today + timedelta(days=SOON_DAYS):
        return Shown.DUE_SOON
    return Shown.LATER


_OPEN = Q(state__in=OPEN)
_LATE_AFTER = AddDays(F("due_on"), F("grace_days"))


def _soon(today: date) -> date:
    return today + timedelta(days=SOON_DAYS)


SHOWN_Q: dict[Shown, Callable[[date], Q]] = {
    Shown.OVERDUE: lambda today: _OPEN & Q(LessThan(_LATE_AFTER, today)),
    Shown.DUE: lambda today: _OPEN & Q(due_on__lte=today) & ~Q(LessThan(_LATE_AFTER, today)),
    Shown.DUE_SOON: lambda today: _OPEN & Q(due_on__gt=today, due_on__lte=_soon(today)),
    Shown.LATER: lambda today: _OPEN & Q(due_on__gt=_soon(today)),
    Shown.UNDATED: lambda _: _OPEN & Q(due_on=None),
    Shown.DONE: lambda _: Q(state__in=FINISHED),
    Shown.CANCELLED: lambda _: Q(state=OrderState.CANCELLED),
}


def look_back(today: date) -> datetime:
    """The moment at which the last 90 days begin."""
    return timezone.make_aware(datetime.combine(today - timedelta(days=LOOK_BACK_DAYS), time.min))


def finished_q(today: date) -> Q:
    """Done or verified within the last 90 days."""
    return Q(state__in=FINISHED, completed_at__gte=look_back(today))


def preventive_q(today: date) -> Q:
    """What the on-time share is taken of: plans' orders done in 90 days, or overdue now."""
    planned = Q(plan__isnull=False, due_on__isnull=False)
    return planned & (finished_q(today) | SHOWN_Q[Shown.OVERDUE](today))


def on_time_q(today: date) -> Q:
    """Of these, those that were done within due date and grace."""
    done_on = TruncDate("completed_at")
    return preventive_q(today) & finished_q(today) & Q(LessThanOrEqual(done_on, _LATE_AFTER))


def finished_late(order: WorkOrder) -> bool | None:
    """Whether the work was done after due date and grace; `None` where it isn't done or dated."""
    last = late_after(order)
    if last is None or order.completed_at is None:
        return None
    return timezone.localdate(order.completed_at) > last


def _late_q(today: date) -> Q:
    return finished_q(today) & Q(GreaterThan(TruncDate("completed_at"), _LATE_AFTER))


# the chips and the numbers on top of the page: name -> (label, rows)
VIEWS: dict[str, tuple[str, Callable[[date], Q]]] = {
    "open": ("open", lambda _: _OPEN),
    "overdue": ("overdue", SHOWN_Q[Shown.OVERDUE]),
    "due": (
        "due in 14 days",
        lambda today: SHOWN_Q[Shown.DUE](today) | SHOWN_Q[Shown.DUE_SOON](today),
    ),
    "in_progress": ("in progress", lambda _: Q(state=OrderState.IN_PROGRESS)),
    "on_hold": ("on hold", lambda _: Q(state=OrderState.ON_HOLD)),
    "to_verify": (
        "to verify",
        lambda _: Q(state=OrderState.DONE, verify_required=True),
    ),
    "done": ("done in 90 days", finished_q),
    "late": ("done late in 90 days", _late_q),
    "preventive": ("preventive, 90 days", preventive_q),
    "all": ("all", lambda _: Q()),
}
