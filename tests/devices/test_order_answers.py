"""Answers that were kept on a phone: once per key, over nobody's own, and both sides where it differs."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from devices import checklist as steps_of
from devices.checklist_merge import Change, merge
from devices.models import OrderAnswers
from devices.services import orders
from devices.services.order_answers import Seen, send, send_as_remark
from tests.devices.answer_rows import STEPS, change, running, seen
from tests.devices.factories import user
from tests.devices.maintenance_rows import make_order
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db


# --- putting together


def test_fields_that_nobody_else_changed_are_taken() -> None:
    items = steps_of.blank(STEPS)
    items[0]["note"] = "of somebody else"
    found = merge(
        items,
        [
            change(0, "done", mine=True, base=False),
            change(1, "value", "70,5", ""),
            change(1, "note", "warm", ""),
            change(3, "value", "fine\r\nso far", ""),
        ],
    )
    assert [each["outcome"] for each in found.fields] == ["taken"] * 4
    assert (found.items[0]["done"], found.items[0]["note"]) == (True, "of somebody else")
    assert (found.items[1]["value"], found.items[1]["done"]) == (70.5, True)
    assert (found.items[3]["value"], found.items[3]["done"]) == ("fine\nso far", True)
    assert items[0]["done"] is False  # the stored one stays


def test_both_sides_where_both_changed_and_agreement_is_none() -> None:
    items = steps_of.blank(STEPS)
    items[1] |= {"value": 71.0, "done": True}
    items[0] |= {"done": True}
    found = merge(items, [change(1, "value", "70", ""), change(0, "done", mine=True, base=False)])
    assert [(f["outcome"], f["theirs"]) for f in found.fields] == [
        ("conflict", 71.0),
        ("taken", True),
    ]
    assert found.items[1]["value"] == 71.0


def test_a_step_that_moved_is_found_and_one_that_went_is_told() -> None:
    items = steps_of.blank([STEPS[3], STEPS[1], "other"])
    found = merge(items, [change(3, "value", "x", ""), change(0, "done", mine=True, base=False)])
    assert [(f["outcome"], f["place"]) for f in found.fields] == [("taken", 0), ("gone", 0)]
    kind_changed = steps_of.blank(["Tube voltage"])
    assert merge(kind_changed, [change(1, "value", "70", "")]).having("gone")
    twice = steps_of.blank(["a", "clean", "clean"])  # which of the two is nobody's guess
    assert merge(twice, [change(0, "done", mine=True, base=False)]).having("gone")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (change(1, "value", "eighty", ""), "a number is needed"),
        (change(1, "value", "1e999", ""), "a number is needed"),
        (change(0, "done", mine="yes", base=False), "true or false"),
        (change(0, "note", "x" * 1001, ""), "at most 1000"),
        (change(3, "value", ["a"], ""), "a text is needed"),
        (change(0, "note", "a\0b", ""), "can't be kept"),
    ],
)
def test_one_value_that_is_none_stops_no_other(field: Change, said: str) -> None:
    found = merge(steps_of.blank(STEPS), [field, change(1, "note", "kept", "")])
    assert said in found.fields[0]["message"]
    assert found.items[1]["note"] == "kept"


_VALUES = st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=20), st.just([1]))


@given(
    st.lists(
        st.builds(
            Change,
            st.integers(-3, 9),
            st.sampled_from(["clean", "Tube voltage", "Label", "Remarks", "no such"]),
            st.sampled_from(["check", "number", "photo", "text", "else"]),
            st.sampled_from(["done", "value", "note"]),
            _VALUES,
            _VALUES,
        ),
        max_size=6,
    )
)
def test_whatever_is_sent_the_checklist_stays_one(changes: list[Change]) -> None:
    items = steps_of.blank(STEPS)
    found = merge(items, changes)
    assert steps_of.templates(found.items) == steps_of.templates(items)
    assert len(found.fields) == len(changes)
    assert found.items[2]["value"] is None  # a photo comes as a file
    for item in found.items:
        assert isinstance(item["done"], bool)
        assert isinstance(item["note"], str)


# --- the service


def test_sent_twice_is_kept_once() -> None:
    order, actor, key = running(), user(), uuid4()
    asked: dict[str, Any] = {
        "order": order, "actor": actor, "key": key, "seen": seen(order),
        "changes": [change(0, "done", mine=True, base=False)],
    }  # fmt: skip
    first = send(**asked)
    orders.save_checklist(order=order, actor=user(), checklist=[{"step": "clean", "done": False}])
    again = send(**asked)
    assert (first.again, again.again) == (False, True)
    assert again.order.checklist[0]["done"] is False  # what came after stays
    other = [change(0, "note", "else", "")]
    for wrong in ({"changes": other}, {"actor": user()}):
        with pytest.raises(ConflictError) as refused:
            send(**{**asked, **wrong})
        assert refused.value.code == "key_used"


@pytest.mark.django_db(transaction=True)
def test_the_same_answers_twice_at_once_are_kept_once() -> None:
    order, actor, key = running(), user(), uuid4()
    was, gate = seen(order), threading.Barrier(4)
    outcomes: list[Any] = []

    def go() -> None:
        try:
            gate.wait(10)
            sent = send(
                order=order, actor=actor, key=key, seen=was, changes=[change(0, "note", "x", "")]
            )
            outcomes.append(sent.again)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes, key=str) == [False, True, True, True]
    order.refresh_from_db()
    assert order.checklist[0]["note"] == "x"
    assert OrderAnswers.objects.count() == 1


def test_what_happened_meanwhile_is_told_before_anything_is_kept() -> None:
    order, actor, other = running(), user(), user()
    was = seen(order)
    orders.hold(order=order, actor=other, reason="no lamp")
    orders.assign(order=order, actor=other, assignee=other)
    orders.save_checklist(
        order=order, actor=other, checklist=[{"step": "Tube voltage", "value": 71}]
    )
    asked: dict[str, Any] = {
        "order": order, "actor": actor, "key": uuid4(),
        "changes": [change(1, "value", "70", ""), change(0, "done", mine=True, base=False)],
    }  # fmt: skip
    with pytest.raises(ConflictError) as refused:
        send(seen=was, **asked)
    extra = refused.value.extra
    assert refused.value.code == "order_changed"
    assert [each["code"] for each in extra["reasons"]] == ["on_hold", "given", "answered"]
    assert [(f["mine"], f["theirs"], f["outcome"]) for f in extra["fields"]] == [
        ("70", 71.0, "conflict"), (True, False, "taken"),
    ]  # fmt: skip
    assert (extra["state"], extra["assigned_to"]) == ("on_hold", other.username)
    order.refresh_from_db()
    assert order.checklist[0]["done"] is False
    # seen, and chosen: mine over theirs
    asked["changes"] = [change(1, "value", "70", 71.0), change(0, "done", mine=True, base=False)]
    send(seen=seen(order), **asked)
    order.refresh_from_db()
    assert (order.checklist[1]["value"], order.checklist[0]["done"]) == (70.0, True)


@pytest.mark.parametrize("state", ["done", "verified", "cancelled"])
def test_a_closed_order_takes_nothing_but_a_line_of_its_time_line(state: str) -> None:
    order, actor, key = make_order(state), user(), uuid4()
    checklist = order.checklist
    fields = [Change(0, "clean the grid", "check", "note", "", "a screw is missing")]
    with pytest.raises(ConflictError) as refused:
        send(order=order, actor=actor, key=key, seen=Seen("in_progress", None), changes=fields)
    assert "closed" in [each["code"] for each in refused.value.extra["reasons"]]
    for again in (False, True):
        sent = send_as_remark(order=order, actor=actor, key=key, changes=fields)
        assert sent.again is again
    order.refresh_from_db()
    assert (order.checklist, order.state) == (checklist, state)
    assert order.events.filter(note__contains="a screw is missing").count() == 1
    with pytest.raises(InvalidInputError) as empty:
        send_as_remark(order=order, actor=actor, key=uuid4(), changes=[])
    assert empty.value.code == "nothing_to_keep"


def test_long_remarks_are_kept_whole() -> None:
    order = make_order("done")
    fields = [Change(n, "clean the grid", "check", "note", "", f"{n}" * 900) for n in range(1, 4)]
    send_as_remark(order=order, actor=user(), key=uuid4(), changes=fields)
    kept = "".join(order.events.filter(note__gt="").order_by("pk").values_list("note", flat=True))
    assert all(f"{n}" * 900 in kept for n in range(1, 4))
