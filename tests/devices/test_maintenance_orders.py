"""Work orders: every step of the table and every refusal, guards, races, the twin's journal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.permissions import Role
from devices import order_steps
from devices.models import AlertNote, TwinEvent, TwinState, WorkOrder
from devices.models.maintenance import OrderState
from devices.services import orders
from tests.devices.factories import user
from tests.devices.maintenance_rows import STEPS, admin, make_alert, make_device, make_order, today
from twinhealth.errors import ConflictError, DomainError, InvalidInputError, NotPermittedError

pytestmark = pytest.mark.django_db

CALLS: dict[str, Callable[[WorkOrder], WorkOrder]] = {
    "plan": lambda o: orders.plan(order=o, actor=admin()),
    "schedule": lambda o: orders.schedule(order=o, actor=user(), scheduled_for=timezone.now()),
    "start": lambda o: orders.start(order=o, actor=user()),
    "hold": lambda o: orders.hold(order=o, actor=user(), reason="no part"),
    "resume": lambda o: orders.resume(order=o, actor=user()),
    "complete": lambda o: orders.complete(
        order=o, actor=user(), checklist=[True, True], signature="A. Name"
    ),
    "verify": lambda o: orders.verify(order=o, actor=user()),
    "cancel": lambda o: orders.cancel(order=o, actor=user(), reason="not needed"),
}


@pytest.mark.parametrize("step", order_steps.STEPS)
@pytest.mark.parametrize("state", OrderState.values)
def test_every_step_from_every_state(state: str, step: str) -> None:
    order = make_order(state)
    target = order_steps.TRANSITIONS.get((state, step))
    events = order.events.count()
    if target is None:
        with pytest.raises(ConflictError) as caught:
            CALLS[step](order)
        assert caught.value.code == "bad_transition"
        assert caught.value.extra["from"] == state
        assert caught.value.extra["to"] in OrderState.values
        assert caught.value.extra["possible"] == list(order_steps.possible(state))
        order.refresh_from_db()
        assert order.state == state
        assert order.events.count() == events
        return
    after = CALLS[step](order)
    order.refresh_from_db()
    assert after.state == order.state == target
    last = order.events.last()
    assert last is not None
    assert (last.from_state, last.to_state) == (state, target)
    entry = AuditEntry.objects.filter(object_type="devices.WorkOrder").first()
    assert entry is not None
    assert (entry.verb, entry.object_id) == (order_steps.PAST_TENSE[step], str(order.pk))


def test_the_table_reaches_every_state() -> None:
    assert set(order_steps.TRANSITIONS.values()) | {"requested"} == set(OrderState.values)
    for state in ("verified", "cancelled"):
        assert order_steps.possible(state) == ()


def test_completing_signs_and_tells_the_twin() -> None:
    worker = user()
    order = make_order("in_progress")
    done = orders.complete(
        order=order,
        actor=worker,
        checklist=[{"done": True}, {"done": False, "note": "lamp is missing"}],
        signature="  Ada L. ",
    )
    assert done.signature == "Ada L."
    assert done.completed_by == worker
    assert done.checklist == [
        {"step": STEPS[0], "done": True, "note": ""},
        {"step": STEPS[1], "done": False, "note": "lamp is missing"},
    ]
    event = TwinEvent.objects.filter(kind="maintenance_done").get()
    assert event.device == order.device
    assert event.actor == worker
    assert event.payload == {"order_id": order.pk, "title": order.title, "plan_id": None}
    state = TwinState.objects.get(device=order.device).state
    assert state["last_maintenance"]["order_id"] == order.pk


@pytest.mark.parametrize(
    ("checklist", "signature", "code"),
    [
        ([True, False], "A", "checklist_incomplete"),
        (None, "A", "checklist_incomplete"),
        ([{"step": STEPS[0], "done": True}], "A", "checklist_incomplete"),
        ([True, {"done": False, "note": "   "}], "A", "checklist_incomplete"),
        ([True], "A", "checklist_mismatch"),
        ([True, True, True], "A", "checklist_mismatch"),
        ([True, "yes"], "A", "checklist_mismatch"),
        ([True, {"note": "done not said"}], "A", "checklist_mismatch"),
        ([True, {"done": True, "note": 5}], "A", "checklist_mismatch"),
        ([True, {"step": STEPS[1], "done": True}], "A", "checklist_mismatch"),
        ([{"step": "paint it", "done": True}], "A", "checklist_mismatch"),
        ([{"step": STEPS[0], "done": True}] * 2, "A", "checklist_mismatch"),
        ([{"step": 1, "done": True}], "A", "checklist_mismatch"),
        ([True, {"done": True, "note": "x" * 1001}], "A", "note_too_long"),
        ([True, {"done": True, "note": "a\0b"}], "A", "note_invalid"),
        ([True, True], "", "signature_missing"),
        ([True, True], "   ", "signature_missing"),
        ([True, True], "x" * 201, "signature_too_long"),
        ([True, True], "a\0b", "signature_invalid"),
    ],
)
def test_no_completion_without_answers_and_signature(
    checklist: list[object] | None, signature: str, code: str
) -> None:
    order = make_order("in_progress")
    with pytest.raises(InvalidInputError) as caught:
        orders.complete(order=order, actor=user(), checklist=checklist, signature=signature)
    assert caught.value.code == code
    if code.startswith("checklist"):
        assert caught.value.extra["steps"]
    order.refresh_from_db()
    assert order.state == "in_progress"
    assert not TwinEvent.objects.filter(kind="maintenance_done").exists()


def test_answers_by_name_in_any_order_and_saved_before() -> None:
    order = make_order("in_progress")
    orders.save_checklist(
        order=order, actor=user(), checklist=[{"step": STEPS[1], "done": True, "note": "fine"}]
    )
    order = orders.complete(
        order=order, actor=user(), checklist=[{"step": STEPS[0], "done": True}], signature="A"
    )
    assert [item["done"] for item in order.checklist] == [True, True]
    assert order.checklist[1]["note"] == "fine"


def test_two_steps_of_the_same_name_are_two_steps() -> None:
    order = make_order("in_progress", checklist=["measure", "measure"])
    answers = [{"step": "measure", "done": True, "note": n} for n in ("1st", "2nd")]
    order = orders.complete(order=order, actor=user(), checklist=answers, signature="A")
    assert [item["note"] for item in order.checklist] == ["1st", "2nd"]


def test_an_order_without_a_checklist_needs_only_the_signature() -> None:
    order = make_order("in_progress", checklist=[])
    assert orders.complete(order=order, actor=user(), signature="A").state == "done"


def test_a_checklist_is_kept_only_while_work_goes_on() -> None:
    for state in ("planned", "done", "cancelled"):
        with pytest.raises(ConflictError) as caught:
            orders.save_checklist(order=make_order(state), actor=user(), checklist=[True, True])
        assert caught.value.code == "not_in_progress"
    order = orders.save_checklist(
        order=make_order("on_hold"), actor=user(), checklist=[True, False]
    )
    order.refresh_from_db()
    assert [item["done"] for item in order.checklist] == [True, False]


def test_nobody_verifies_the_own_work() -> None:
    worker = user()
    order = make_order("done", worker=worker)
    with pytest.raises(NotPermittedError) as caught:
        orders.verify(order=order, actor=worker)
    assert caught.value.code == "own_work"
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkOrder.objects.filter(pk=order.pk).update(verified_by=worker)
    assert orders.verify(order=order, actor=admin()).state == "verified"


@pytest.mark.parametrize("step", ["hold", "cancel"])
@pytest.mark.parametrize(
    ("reason", "code"), [(" ", "reason_missing"), ("x" * 301, "reason_too_long")]
)
def test_hold_and_cancel_need_a_reason(step: str, reason: str, code: str) -> None:
    order = make_order("in_progress")
    with pytest.raises(InvalidInputError) as caught:
        getattr(orders, step)(order=order, actor=user(), reason=reason)
    assert caught.value.code == code
    order.refresh_from_db()
    assert order.state == "in_progress"


def test_reasons_stay_on_the_order_and_its_time_line() -> None:
    order = make_order("in_progress")
    order = orders.hold(order=order, actor=user(), reason="no part")
    assert order.hold_reason == "no part"
    order = orders.resume(order=order, actor=user())
    assert order.hold_reason == ""
    order = orders.cancel(order=order, actor=user(), reason="machine sold")
    assert order.cancel_reason == "machine sold"
    assert [e.note for e in order.events.all()][-3:] == ["no part", "", "machine sold"]


def test_who_starts_an_unassigned_order_has_it() -> None:
    worker, other = user(), user()
    assert orders.start(order=make_order(), actor=worker).assigned_to == worker
    given = orders.assign(order=make_order(), actor=admin(), assignee=other)
    assert orders.start(order=given, actor=worker).assigned_to == other


def test_only_those_who_work_on_orders_are_assigned() -> None:
    clinician = user(Role.CLINICIAN)
    order = make_order()
    for call in (
        lambda: orders.assign(order=order, actor=admin(), assignee=clinician),
        lambda: orders.schedule(
            order=order, actor=admin(), scheduled_for=timezone.now(), assigned_to=clinician
        ),
        lambda: make_order(assigned_to=clinician),
    ):
        with pytest.raises(InvalidInputError) as caught:
            call()
        assert caught.value.code == "cannot_assign"
    assert orders.assign(order=order, actor=admin(), assignee=None).assigned_to is None
    with pytest.raises(ConflictError) as closed:
        orders.assign(order=make_order("done"), actor=admin(), assignee=user())
    assert closed.value.code == "order_closed"


def test_scheduling_again_moves_it_and_keeps_the_person() -> None:
    worker = user()
    later = timezone.now() + timedelta(days=3)
    order = orders.schedule(
        order=make_order(), actor=admin(), scheduled_for=timezone.now(), assigned_to=worker
    )
    order = orders.schedule(order=order, actor=admin(), scheduled_for=later)
    assert (order.scheduled_for, order.assigned_to) == (later, worker)


def test_comments_stay_in_any_state() -> None:
    order = make_order("verified")
    orders.comment(order=order, actor=user(), text="tube type noted")
    last = order.events.last()
    assert last is not None
    assert (last.from_state, last.to_state, last.note) == (
        "verified", "verified", "tube type noted",
    )  # fmt: skip
    with pytest.raises(InvalidInputError):
        orders.comment(order=order, actor=user(), text=" ")


def test_by_hand_a_planner_plans_and_others_ask() -> None:
    device = make_device()
    assert orders.create(actor=admin(), device=device, title="T").state == "planned"
    asked = orders.create(actor=user(), device=device, title="T", due_on=today(3))
    assert asked.state == "requested"
    assert orders.plan(order=asked, actor=admin()).state == "planned"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"title": " "}, "title_missing"),
        ({"title": "x" * 201}, "title_too_long"),
        ({"description": "x" * 4001}, "description_too_long"),
        ({"checklist": ["x" * 301]}, "step_too_long"),
        ({"checklist": ["x"] * 101}, "checklist_too_long"),
        ({"grace_days": -1}, "grace_out_of_range"),
        ({"grace_days": 366}, "grace_out_of_range"),
    ],
)
def test_a_bad_order_is_refused(fields: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make_order(**fields)
    assert caught.value.code == code
    assert not WorkOrder.objects.exists()


def test_a_retired_machine_gets_no_work() -> None:
    device = make_device()
    device.lifecycle = "retired"
    device.save()
    with pytest.raises(ConflictError) as caught:
        make_order(device=device)
    assert caught.value.code == "device_retired"


def test_an_alert_has_one_open_order() -> None:
    alert = make_alert()
    worker = user()
    order = orders.create_from_alert(actor=worker, alert=alert)
    assert (order.state, order.alert, order.device) == ("planned", alert, alert.device)
    assert "noise too high" in order.title
    note = AlertNote.objects.get(alert=alert, verb="ordered")
    assert f"WO-{order.pk}" in note.text
    with pytest.raises(ConflictError) as caught:
        orders.create_from_alert(actor=worker, alert=alert)
    assert caught.value.code == "order_exists"
    assert caught.value.extra == {"order": order.pk}
    orders.cancel(order=order, actor=worker, reason="wrong machine")
    assert orders.create_from_alert(actor=worker, alert=alert).pk != order.pk
    with pytest.raises(InvalidInputError) as foreign:
        orders.create(actor=worker, device=make_device(), title="T", alert=alert)
    assert foreign.value.code == "alert_of_another_device"


@pytest.mark.django_db(transaction=True)
def test_of_two_people_completing_one_order_one_wins() -> None:
    order = make_order("in_progress")
    people = [user(), user()]
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def complete(person: object) -> None:
        try:
            gate.wait(10)
            orders.complete(
                order=order, actor=person, checklist=[True, True], signature=str(person)
            )
            outcomes.append("won")
        except DomainError as error:
            outcomes.append(f"{error.code} {error.extra['from']}")
        finally:
            connection.close()

    threads = [threading.Thread(target=complete, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["bad_transition done", "won"]
    order.refresh_from_db()
    assert order.signature == str(order.completed_by)
    assert TwinEvent.objects.filter(kind="maintenance_done").count() == 1
    assert order.events.filter(to_state="done").count() == 1
