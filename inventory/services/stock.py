"""Movements of the stock: received, issued to an order, returned, counted.

Who changes a stock holds the part's row; who touches an order holds the order's row first. The
database refuses a stock below zero besides, whoever writes (migration 0002).
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from accounts.services import audit
from devices.models import WorkOrder
from devices.models.maintenance import OrderState
from devices.plain_text import clean
from devices.services import order_changes, order_costs
from inventory.models import MovementKind, Part, StockMovement
from twinhealth.errors import ConflictError

from . import AnyRequest, edited

MAX_AMOUNT = 100_000


def _amount(amount: int) -> int:
    return edited.whole(amount, field="amount", low=1, high=MAX_AMOUNT)


def _locked(part: Part) -> Part:
    return Part.objects.select_for_update(no_key=True).get(pk=part.pk)


def _told(
    movement: StockMovement, part: Part, actor: User | None, request: AnyRequest
) -> StockMovement:
    audit.record(
        actor=actor,
        verb=movement.get_kind_display(),
        obj=part,
        request=request,
        detail={"amount": movement.amount, "movement": movement.pk, "order": movement.order_id},
    )
    return movement


@transaction.atomic
def receive(
    *,
    part: Part,
    amount: int,
    actor: User | None,
    reason: str = "",
    request: AnyRequest = None,
) -> StockMovement:
    """Parts came in.

    Raises:
        InvalidInputError: `amount_out_of_range`, `reason_too_long`.
    """
    amount = _amount(amount)
    reason = clean(reason, field="reason", limit=300, required=False)
    part = _locked(part)
    made = StockMovement.objects.create(
        part=part,
        kind=MovementKind.RECEIPT,
        amount=amount,
        unit_price=part.price,
        reason=reason,
        by=actor,
    )
    return _told(made, part, actor, request)


@transaction.atomic
def issue(
    *,
    part: Part,
    order: WorkOrder,
    amount: int,
    actor: User,
    reason: str = "",
    request: AnyRequest = None,
) -> StockMovement:
    """Parts go to an order, which gets their cost where the price is known.

    Raises:
        InvalidInputError: `amount_out_of_range`, `reason_too_long`.
        ConflictError: `order_cancelled`, `part_inactive`, `too_many_rows`, `not_enough_stock`
            with `extra.stock`.
    """
    amount = _amount(amount)
    reason = clean(reason, field="reason", limit=300, required=False)
    order = order_changes.locked(order)
    if order.state == OrderState.CANCELLED:
        raise ConflictError("order_cancelled", "This order is cancelled; nothing is issued to it.")
    part = _locked(part)
    if not part.active:
        raise ConflictError("part_inactive", "This part is no longer kept.")
    if part.stock < amount:
        raise ConflictError(
            "not_enough_stock",
            f"There {'is' if part.stock == 1 else 'are'} only {part.stock} {part.unit} in stock.",
            stock=part.stock,
        )
    made = StockMovement.objects.create(
        part=part,
        kind=MovementKind.ISSUE,
        amount=-amount,
        order=order,
        unit_price=part.price,
        reason=reason,
        by=actor,
    )
    _book(made, part, order, actor, request)
    return _told(made, part, actor, request)


@transaction.atomic
def give_back(
    *,
    movement: StockMovement,
    actor: User,
    amount: int | None = None,
    reason: str = "",
    request: AnyRequest = None,
) -> StockMovement:
    """Parts of an issue come back: all that is left of it, unless told; the order gets a credit.

    Raises:
        InvalidInputError: `amount_out_of_range`, `reason_too_long`.
        ConflictError: `not_an_issue`, `returned_already` with `extra.left`, `too_many_rows`.
    """
    reason = clean(reason, field="reason", limit=300, required=False)
    if movement.kind != MovementKind.ISSUE or movement.order is None:
        raise ConflictError("not_an_issue", "Only what was issued can come back.")
    order = order_changes.locked(movement.order)
    part = _locked(movement.part)
    left = open_amount(movement)
    amount = left if amount is None else _amount(amount)
    if not 0 < amount <= left:
        raise ConflictError("returned_already", f"Of this issue {left} are left.", left=left)
    made = StockMovement.objects.create(
        part=part,
        kind=MovementKind.RETURN,
        amount=amount,
        order=order,
        issue=movement,
        unit_price=movement.unit_price,
        reason=reason,
        by=actor,
    )
    _book(made, part, order, actor, request)
    return _told(made, part, actor, request)


def open_amount(issue: StockMovement) -> int:
    """How many of an issue haven't come back."""
    back = StockMovement.objects.filter(issue=issue).aggregate(sum=Sum("amount"))["sum"] or 0
    return -issue.amount - back


@transaction.atomic
def count(
    *, part: Part, counted: int, actor: User | None, reason: str, request: AnyRequest = None
) -> StockMovement:
    """So many lie on the shelf; the difference is booked, also where there is none.

    Raises:
        InvalidInputError: `counted_out_of_range`, `reason_missing`, `reason_too_long`.
    """
    counted = edited.whole(counted, field="counted", high=MAX_AMOUNT * 10)
    reason = clean(reason, field="reason", limit=300)
    part = _locked(part)
    made = StockMovement.objects.create(
        part=part, kind=MovementKind.COUNT, amount=counted - part.stock, reason=reason, by=actor
    )
    return _told(made, part, actor, request)


def _book(
    movement: StockMovement, part: Part, order: WorkOrder, actor: User, request: AnyRequest
) -> None:
    """Money where there is a price, else a line of the order's history."""
    verb = "Part" if movement.kind == MovementKind.ISSUE else "Part returned"
    what = f"{verb}: {abs(movement.amount)} {part.unit} {part}"[:300]
    cost = -movement.amount * movement.unit_price if movement.unit_price else None
    if cost:
        order_costs.add_cost(order=order, actor=actor, what=what, amount=cost, request=request)
    else:
        order_changes.remark(order, actor, what, "booked", request)
