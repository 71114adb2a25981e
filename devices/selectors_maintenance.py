"""Reads of orders and downtime: one function per page or list; `selectors_plans` has the plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Q, QuerySet

from accounts.models import User
from accounts.permissions import TABLE, Can
from twinhealth.errors import NotFoundError

from .models import Device, Downtime, WorkOrder
from .models.device import Lifecycle
from .models.maintenance import OrderState
from .order_steps import FINISHED, OPEN
from .selectors_due import VIEWS, finished_q, on_time_q, preventive_q

BOARD: dict[str, tuple[str, ...]] = {
    "planned": (OrderState.REQUESTED, OrderState.PLANNED, OrderState.SCHEDULED),
    "in progress": (OrderState.IN_PROGRESS,),
    "on hold": (OrderState.ON_HOLD,),
    "done": FINISHED,
}


BOARD_CARDS = 30


ORDERINGS = {
    "due": "due_on",
    "number": "pk",
    "title": "title",
    "machine": "device__name",
    "state": "state",
    "assignee": "assigned_to__username",
    "completed": "completed_at",
}


def orders() -> QuerySet[WorkOrder]:
    """All orders with what a row shows."""
    return WorkOrder.objects.select_related("device", "plan", "assigned_to", "completed_by")


def order(pk: int) -> WorkOrder:
    """One order with all that its page shows.

    Raises:
        NotFoundError: `order_not_found`.
    """
    found = (
        orders()
        .select_related(
            "alert__rule__metric", "alert__rule__current", "created_by", "verified_by", "follows"
        )
        .prefetch_related(
            "events__by", "downtimes__created_by", "files__by", "labour__person", "costs__by"
        )
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise NotFoundError("order_not_found", "There is no such work order.")
    return found


def downtime(pk: int) -> Downtime:
    """One downtime.

    Raises:
        NotFoundError: `downtime_not_found`.
    """
    found = Downtime.objects.select_related("device", "order").filter(pk=pk).first()
    if found is None:
        raise NotFoundError("downtime_not_found", "There is no such downtime.")
    return found


def downtimes() -> QuerySet[Downtime]:
    """All downtimes, those that last first, then the newest."""
    return Downtime.objects.select_related("device", "order", "created_by").order_by(
        F("ends_at").desc(nulls_first=True), "-starts_at", "-pk"
    )


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What the page can be narrowed by; empty means all."""

    show: str = ""  # a key of `VIEWS`; open orders unless a state is asked for
    machine: int | None = None
    assignee: str = ""  # a user's number, or `nobody`
    state: str = ""
    plan: int | None = None
    on: date | None = None  # due or scheduled on this day

    def q(self, today: date) -> Q:
        """The rows."""
        show = self.show if self.show in VIEWS else "all" if self.state or self.on else "open"
        found = VIEWS[show][1](today)
        if self.machine is not None:
            found &= Q(device_id=self.machine)
        if self.assignee == "nobody":
            found &= Q(assigned_to=None)
        elif self.assignee.isdecimal():
            found &= Q(assigned_to_id=int(self.assignee[:18]))
        if self.state in OrderState.values:
            found &= Q(state=self.state)
        if self.plan is not None:
            found &= Q(plan_id=self.plan)
        if self.on is not None:
            found &= Q(scheduled_for__date=self.on) | Q(scheduled_for=None, due_on=self.on)
        return found

    def narrows(self) -> Q:
        """Machine and assignee alone: what the board and the calendar can be narrowed by."""
        only = OrderFilter(show="all", machine=self.machine, assignee=self.assignee)
        return only.q(date.min)


def order_table(chosen: OrderFilter, *, ordering: str, today: date) -> QuerySet[WorkOrder]:
    """Rows of the table; orders without a date come last.

    Args:
        chosen: the filters.
        ordering: a key of `ORDERINGS`, `-` in front for descending; by due date unless known.
        today: in the hospital's zone.
    """
    field = F(ORDERINGS.get(ordering.removeprefix("-"), "due_on"))
    down = ordering.startswith("-")
    by = field.desc(nulls_last=True) if down else field.asc(nulls_last=True)
    return orders().filter(chosen.q(today)).order_by(by, "pk")


@dataclass(frozen=True, slots=True)
class Kpis:
    """The numbers on top; each is the count of a view's rows."""

    overdue: int
    due: int
    in_progress: int
    on_hold: int
    done: int
    on_time: int
    preventive: int
    preventive_done: int

    @property
    def on_time_percent(self) -> int | None:
        """Of plans' orders done in 90 days or overdue now, the share done within their grace.

        Unknown while nothing was done: no evidence is not 0 %.
        """
        if not self.preventive_done:
            return None
        return round(100 * self.on_time / self.preventive)


def kpis(today: date) -> Kpis:
    """All of them in one query."""
    wanted: dict[str, Q] = {
        name: VIEWS[name][1](today) for name in ("overdue", "due", "in_progress", "on_hold", "done")
    }
    wanted["on_time"] = on_time_q(today)
    wanted["preventive"] = preventive_q(today)
    wanted["preventive_done"] = preventive_q(today) & finished_q(today)
    recent = WorkOrder.objects.filter(Q(state__in=OPEN) | finished_q(today))
    return Kpis(**recent.aggregate(**{k: Count("pk", filter=q) for k, q in wanted.items()}))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the board: the first cards of all its orders."""

    name: str
    cards: list[WorkOrder]
    count: int


def board(chosen: OrderFilter, today: date) -> list[Column]:
    """Planned, in progress, on hold, done in 90 days."""
    found = WorkOrder.objects.filter(chosen.narrows())
    rows = {name: Q(state__in=states) for name, states in BOARD.items()}
    rows["done"] = finished_q(today)
    keys = {name: name.replace(" ", "_") for name in rows}
    counts = found.aggregate(**{keys[name]: Count("pk", filter=q) for name, q in rows.items()})
    columns = []
    for name, q in rows.items():
        by = F("completed_at").desc() if name == "done" else F("due_on").asc(nulls_last=True)
        cards = orders().filter(chosen.narrows() & q).order_by(by, "pk")[:BOARD_CARDS]
        columns.append(Column(name=name, cards=list(cards), count=counts[keys[name]]))
    return columns


def workers() -> QuerySet[User]:
    """Who may be given an order."""
    roles = [role for role, may in TABLE.items() if Can.ORDER_WORK in may]
    return User.objects.filter(is_active=True, role__in=roles).order_by("username")


def machines() -> QuerySet[Device]:
    """Machines that can get work."""
    return Device.objects.exclude(lifecycle=Lifecycle.RETIRED).order_by("name", "pk")
