"""Stock: its sum is the database's, it never goes below zero, orders get what they took."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.db.models import Sum

from accounts.models import AuditEntry
from devices.models import Cost
from devices.services import orders
from inventory.models import MovementKind, Part, StockMovement
from inventory.services import parts, stock
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_order
from twinhealth.errors import ConflictError, InvalidInputError

from .rows import make_part

pytestmark = pytest.mark.django_db


def summed(part: Part) -> int:
    return part.movements.aggregate(sum=Sum("amount"))["sum"] or 0


def now(part: Part) -> int:
    return Part.objects.get(pk=part.pk).stock


def refused(code: str, call, **given) -> ConflictError | InvalidInputError:
    with pytest.raises((ConflictError, InvalidInputError)) as caught, transaction.atomic():
        call(**given)
    assert caught.value.code == code
    return caught.value


def test_stock_is_the_sum_of_movements():
    part, order, who = make_part(10), make_order("in_progress"), user()
    taken = stock.issue(part=part, order=order, amount=4, actor=who)
    stock.give_back(movement=taken, amount=1, actor=who)
    stock.count(part=part, counted=6, actor=who, reason="one was broken")
    assert now(part) == summed(part) == 6
    kinds = list(part.movements.order_by("pk").values_list("kind", "amount"))
    assert kinds == [("receipt", 10), ("issue", -4), ("return", 1), ("count", -1)]
    assert AuditEntry.objects.filter(object_type="inventory.Part", object_id=part.pk).count() == 5


def test_an_issue_books_its_cost_and_a_return_its_credit():
    part, order, who = make_part(5, price=Decimal("12.50")), make_order("in_progress"), user()
    taken = stock.issue(part=part, order=order, amount=3, actor=who)
    parts.save(actor=admin(), part=part, price=Decimal("99.00"))  # the credit is of then
    stock.give_back(movement=taken, actor=who)
    assert list(order.costs.values_list("amount", flat=True)) == [
        Decimal("37.50"),
        Decimal("-37.50"),
    ]
    assert now(part) == 5
    refused("returned_already", stock.give_back, movement=taken, actor=who)


def test_without_a_price_the_order_tells_and_costs_nothing():
    part, order = make_part(5, price=None), make_order("in_progress")
    stock.issue(part=part, order=order, amount=2, actor=user())
    assert not order.costs.exists()
    assert order.events.filter(note__contains=f"2 piece {part}").count() == 1


def test_what_a_cancelled_order_had_comes_back():
    part, order, who = make_part(5), make_order("in_progress"), user()
    taken = stock.issue(part=part, order=order, amount=5, actor=who)
    orders.cancel(order=order, actor=admin(), reason="not needed")
    refused("order_cancelled", stock.issue, part=part, order=order, amount=1, actor=who)
    stock.give_back(movement=taken, actor=who)
    assert now(part) == 5
    assert sum(Cost.objects.filter(order=order).values_list("amount", flat=True)) == 0


def test_refusals():
    part, order, who = make_part(2), make_order("in_progress"), user()
    assert refused(
        "not_enough_stock", stock.issue, part=part, order=order, amount=3, actor=who
    ).extra == {"stock": 2}
    for amount in (0, -1, 100_001, True):
        refused(
            "amount_out_of_range", stock.issue, part=part, order=order, amount=amount, actor=who
        )
        refused("amount_out_of_range", stock.receive, part=part, amount=amount, actor=who)
    refused("reason_missing", stock.count, part=part, counted=1, actor=who, reason=" ")
    refused("counted_out_of_range", stock.count, part=part, counted=-1, actor=who, reason="x")
    receipt = part.movements.get()
    refused("not_an_issue", stock.give_back, movement=receipt, actor=who)
    taken = stock.issue(part=part, order=order, amount=2, actor=who)
    refused("returned_already", stock.give_back, movement=taken, amount=3, actor=who)
    parts.save(actor=who, part=part, active=False)
    refused("part_inactive", stock.issue, part=part, order=order, amount=1, actor=who)
    refused("price_out_of_range", parts.save, actor=who, part=part, price=Decimal(-1))
    refused("part_exists", parts.save, actor=who, number=part.number, name="other")
    refused("number_missing", parts.save, actor=who, name="other")
    refused("unknown_kind", parts.save, actor=who, part=part, component_kind="wheel")
    refused("reorder_level_out_of_range", parts.save, actor=who, part=part, reorder_level=-1)


def test_the_database_refuses_what_goes_around_the_service():
    part, order = make_part(2), make_order("in_progress")
    with pytest.raises(IntegrityError), transaction.atomic():
        StockMovement.objects.create(part=part, kind="issue", amount=-3, order=order)
    with pytest.raises(IntegrityError), transaction.atomic():  # an issue of more
        StockMovement.objects.create(part=part, kind="issue", amount=3, order=order)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        StockMovement.objects.filter(part=part).update(amount=9)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        StockMovement.objects.filter(part=part).delete()
    assert now(part) == summed(part) == 2


def test_a_count_that_confirms_is_kept():
    part = make_part(3)
    found = stock.count(part=part, counted=3, actor=user(), reason="yearly stocktaking")
    assert (found.kind, found.amount, now(part)) == (MovementKind.COUNT, 0, 3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("around", [False, True], ids=["by the service", "around it"])
def test_issuers_who_race_take_no_more_than_there_is(around: bool):
    """Eight at once want two each of nine."""
    part, who = make_part(9), user()
    wanted = [make_order("in_progress") for _ in range(8)]
    start, outcomes = threading.Barrier(8), []

    def take(order):
        try:
            start.wait(timeout=30)
            if around:  # as a program that knows no lock
                StockMovement.objects.create(part=part, kind="issue", amount=-2, order=order)
            else:
                stock.issue(part=part, order=order, amount=2, actor=who)
            outcomes.append("taken")
        except IntegrityError:
            outcomes.append("refused")
        except ConflictError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(order,)) for order in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == sorted(
        ["taken"] * 4 + ["refused" if around else "not_enough_stock"] * 4
    )
    assert now(part) == summed(part) == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_undo_the_same_issue_return_it_once():
    part, order, who = make_part(5), make_order("in_progress"), user()
    taken = stock.issue(part=part, order=order, amount=5, actor=who)
    start, outcomes = threading.Barrier(2), []

    def back():
        try:
            start.wait(timeout=30)
            stock.give_back(movement=taken, actor=who)
            outcomes.append("back")
        except ConflictError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=back) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["back", "returned_already"]
    assert now(part) == 5
