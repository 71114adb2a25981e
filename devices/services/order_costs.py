"""What an order took: minutes of people, and money. Rows are only added; a credit corrects."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from accounts.models import User
from accounts.permissions import Can, may
from devices.models import Cost, Labour, WorkOrder
from devices.models.maintenance import OrderState
from devices.plain_text import clean
from twinhealth.errors import ConflictError, InvalidInputError

from .order_changes import AnyRequest, locked, remark

MAX_MINUTES = 1_440
MAX_AMOUNT = Decimal(10_000_000)
MAX_ROWS = 200  # of each, per order


@transaction.atomic
def add_labour(
    *,
    order: WorkOrder,
    actor: User,
    minutes: int,
    person: User | None = None,
    note: str = "",
    request: AnyRequest = None,
) -> Labour:
    """Minutes that somebody worked on the order; of who says it unless told.

    Raises:
        InvalidInputError: `minutes_out_of_range`, `cannot_assign`, `note_too_long`.
        ConflictError: `order_cancelled`, `too_many_rows`.
    """
    if not 1 <= minutes <= MAX_MINUTES:
        raise InvalidInputError(
            "minutes_out_of_range", f"1 to {MAX_MINUTES} minutes at a time.", limit=MAX_MINUTES
        )
    note = clean(note, field="note", limit=300, required=False)
    person = person or actor
    if not may(person, Can.ORDER_WORK):
        raise InvalidInputError("cannot_assign", "This person's role doesn't work on orders.")
    order = _open_to(order, order.labour.count())
    found = Labour.objects.create(order=order, person=person, minutes=minutes, note=note, by=actor)
    remark(order, actor, f"{person}: {minutes} min", "booked", request)
    return found


@transaction.atomic
def add_cost(
    *, order: WorkOrder, actor: User, what: str, amount: Decimal, request: AnyRequest = None
) -> Cost:
    """Money that the order took; a credit is negative.

    Raises:
        InvalidInputError: `what_missing`, `what_too_long`, `amount_out_of_range`.
        ConflictError: `order_cancelled`, `too_many_rows`.
    """
    what = clean(what, field="what", limit=300)
    if not amount.is_finite() or not 0 < abs(amount) <= MAX_AMOUNT:
        raise InvalidInputError(
            "amount_out_of_range", f"An amount up to {MAX_AMOUNT:,}, and not 0."
        )
    order = _open_to(order, order.costs.count(), credit=amount < 0)
    found = Cost.objects.create(
        order=order, what=what, amount=amount.quantize(Decimal("0.01")), by=actor
    )
    remark(order, actor, f"{what}: {found.amount}", "booked", request)
    return found


def _open_to(order: WorkOrder, rows: int, *, credit: bool = False) -> WorkOrder:
    """Bills come after the signature too, but not to work that never was; credits come to both."""
    order = locked(order)
    if order.state == OrderState.CANCELLED and not credit:
        raise ConflictError("order_cancelled", "This order is cancelled; nothing is booked on it.")
    if rows >= MAX_ROWS:
        raise ConflictError("too_many_rows", f"At most {MAX_ROWS} entries.", limit=MAX_ROWS)
    return order
