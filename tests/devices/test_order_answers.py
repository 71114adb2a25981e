"""Answers that were kept on a phone: once per key, over nobody's own, and both sides where it differs."""

from __future__ import annotations

import threading
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pytest_django import Settings

from accounts.models import User
from accounts.permissions import Role
from devices import checklist as steps_of
from devices.checklist_merge import Change, merge
from devices.models import OrderAnswers, OrderFile, WorkOrder
from devices.services import blackouts, model_plans, orders, registry
from devices.services.order_answers import Seen, send, send_as_remark
from tests.devices.factories import model as make_model
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_order, make_plan, today
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db
STEPS: tuple[Any, ...] = (
    "clean",
    {"step": "Tube voltage", "kind": "number", "unit": "kV", "low": 68, "high": 72},
    {"step": "Label", "kind": "photo"},
    {"step": "Remarks", "kind": "text"},
)
JSON: dict[str, Any] = {"content_type": "application/json"}


def running(**fields: Any) -> WorkOrder:
    return make_order("in_progress", checklist=STEPS, **fields)


def change(place: int, name: Any, mine: Any, base: Any = None) -> Change:
    item = steps_of.blank(STEPS)[place]
    return Change(place, item["step"], str(steps_of.kind_of(item)), name, base, mine)


def seen(order: WorkOrder) -> Seen:
    order.refresh_from_db()
    name = order.assigned_to.username if order.assigned_to else None
    return Seen(order.state, name)


def client(person: User) -> Client:
    found = Client()
    found.force_login(person)
    return found


def picture(colour: str = "red") -> bytes:
    made = BytesIO()
    Image.new("RGB", (4, 4), colour).save(made, "PNG")
    return made.getvalue()


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


# --- REST


def body(order: WorkOrder, *changes: Change, **more: Any) -> dict[str, Any]:
    now = seen(order)
    told = [
        {
            "place": c.place,
            "step": c.step,
            "kind": c.kind,
            "name": c.name,
            "base": c.base,
            "mine": c.mine,
        }
        for c in changes
    ]
    return {
        "key": str(uuid4()), "state": now.state, "assigned_to": now.assigned_to, "changes": told, **more,
    }  # fmt: skip


def test_rest_of_answers() -> None:
    actor, order = user(), running()
    door, url = client(actor), f"/api/v1/work-orders/{order.pk}/answers/"
    given = body(order, change(1, "value", "80", ""), person=actor.pk)
    kept = door.post(url, given, **JSON)
    order.refresh_from_db()
    assert kept.status_code == 200
    assert kept.json()["out_of_limits"] == ["Tube voltage"]
    assert kept["ETag"] == f'"{order.revision}"'
    assert door.post(url, given, **JSON).json()["again"] is True
    bad = door.post(url, body(order, change(1, "value", "x", "80")), **JSON)
    assert (bad.status_code, bad.json()["refused"][0]["outcome"]) == (200, "refused")
    other = door.post(url, body(order, person=user().pk), **JSON)
    assert (other.status_code, other.json()["code"]) == (409, "other_person")
    stale = body(order, change(1, "value", "70", ""))
    told = door.post(url, stale, **JSON)
    assert (told.status_code, told.json()["extra"]["fields"][0]["theirs"]) == (409, 80.0)
    told = door.post(url, stale, HTTP_IF_MATCH='"1"', **JSON)
    assert (told.status_code, told.json()["code"]) == (412, "order_changed")
    many = body(order)
    many["changes"] = [given["changes"][0]] * 301
    assert door.post(url, many, **JSON).json()["code"] == "too_many_changes"
    for wrong in ({"key": "x"}, {"changes": "x"}, {"state": "else"}, {"revision": 2**63}):
        assert door.post(url, {**stale, **wrong}, **JSON).status_code == 400
    assert client(user(Role.CLINICIAN)).post(url, stale, **JSON).status_code == 403


def test_an_order_that_changed_is_refused_by_etag_or_revision() -> None:
    actor, order = user(), running()
    door, url = client(actor), f"/api/v1/work-orders/{order.pk}/"
    tag = door.get(url)["ETag"]
    assert tag == f'"{order.revision}"'
    answers = {"checklist": [{"step": "clean", "done": True}]}
    first = door.put(f"{url}checklist/", answers, HTTP_IF_MATCH=tag, **JSON)
    assert (first.status_code, first["ETag"] != tag) == (200, True)
    second = door.put(f"{url}checklist/", answers, HTTP_IF_MATCH=tag, **JSON)
    assert (second.status_code, second.json()["code"]) == (412, "order_changed")
    assert second.json()["extra"]["checklist"][0]["done"] is True
    assert second.json()["extra"]["mine"] == answers["checklist"]
    old = {**answers, "revision": order.revision}
    assert door.put(f"{url}checklist/", old, **JSON).status_code == 409
    signed = {
        "checklist": [True, {"value": 70}, {"note": "none"}, {"note": "none"}],
        "signature": "E",
    }
    for sent in ({"HTTP_IF_MATCH": tag}, {}):
        refused = door.post(f"{url}complete/", {**signed, "revision": 1}, **sent, **JSON)
        assert refused.status_code == (412 if sent else 409)
    assert door.post(f"{url}complete/", signed, HTTP_IF_MATCH="7", **JSON).json()["code"] == (
        "if_match_invalid"
    )
    done = door.post(f"{url}complete/", signed, HTTP_IF_MATCH=first["ETag"], **JSON)
    assert (done.status_code, done.json()["state"]) == (200, "done")


def test_a_photo_comes_once_and_over_nobodys_own(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT = tmp_path
    actor, order = user(), running()
    door, url = client(actor), f"/api/v1/work-orders/{order.pk}/files/"

    def post(colour: str, key: Any, **more: Any) -> Any:
        file = SimpleUploadedFile("l.png", picture(colour), "image/png")
        asked = {"file": file, "step": 2, "key": str(key), "text": "Label", "seen": "", **more}
        return door.post(url, asked)

    key = uuid4()
    first, again = post("red", key), post("red", key, person=actor.pk)
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert post("blue", key).json()["code"] == "key_used"
    theirs = post("blue", uuid4())
    assert (theirs.status_code, theirs.json()["extra"]["fields"][0]["theirs"]) == (
        409, first.json()["id"],
    )  # fmt: skip
    assert post("blue", uuid4(), seen=first.json()["id"]).status_code == 201
    gone = post("blue", uuid4(), text="Another step")
    assert gone.json()["extra"]["reasons"][0]["code"] == "steps_changed"
    assert post("blue", uuid4(), person=user().pk).json()["code"] == "other_person"
    assert OrderFile.objects.filter(order=order).count() == 2
    assert len(list((tmp_path / "orders").iterdir())) == 2  # what was refused left nothing


def test_signing_over_what_somebody_else_answered_shows_both_sides() -> None:
    actor, order = user(), running()
    door, url = client(actor), reverse("devices:order-step", args=[order.pk, "complete"])
    page = door.get(reverse("devices:order", args=[order.pk]))
    assert page["X-Order-Person"] == str(actor.pk)
    was = order.revision
    orders.save_checklist(
        order=order, actor=user(), checklist=[{"step": "Tube voltage", "value": 71}]
    )
    answers = {
        "done-0": "on", "value-1": "70", "note-2": "none", "value-3": "", "note-3": "none",
        "signature": "E", "revision": was,
    }  # fmt: skip
    refused = door.post(url, answers)
    text = refused.content.decode()
    assert refused.status_code == 409
    assert 'data-label="Mine">70<' in text
    assert 'data-label="Theirs">71<' in text
    assert 'name="value-1" value="70"' in text
    order.refresh_from_db()
    assert (order.state, order.checklist[1]["value"]) == ("in_progress", 71.0)
    assert f'name="revision" value="{order.revision}"' in text
    assert door.post(url, {**answers, "revision": order.revision}).status_code == 302
    order.refresh_from_db()
    assert (order.state, order.checklist[1]["value"]) == ("done", 70.0)


def test_the_workers_script_is_in_the_folder_of_orders_and_for_anybody() -> None:
    found = Client().get(reverse("devices:order-worker"))
    assert (found.status_code, found["Content-Type"]) == (200, "text/javascript")
    assert reverse("devices:order-worker").startswith("/maintenance/orders/")
    assert "Content-Security-Policy" in found


# --- bad input of the plan and the order


@pytest.mark.parametrize("door", ["rest", "page"])
def test_a_signature_without_rights_signs_nothing(door: str) -> None:
    order = make_order("in_progress")
    paths = {
        "rest": f"/api/v1/work-orders/{order.pk}/complete/",
        "page": reverse("devices:order-step", args=[order.pk, "complete"]),
    }
    given = {"signature": "Dr. C", "done-0": "on", "done-1": "on"}
    answer = client(user(Role.CLINICIAN)).post(paths[door], given)
    assert answer.status_code == 403
    order.refresh_from_db()
    assert (order.state, order.signature, order.completed_at) == ("in_progress", "", None)
    assert not order.events.filter(to_state="done").exists()


def test_a_retired_machine_keeps_its_history_and_cannot_be_erased() -> None:
    plan = make_plan()
    order = make_order("done", device=plan.device)
    registry.set_lifecycle(device=plan.device, lifecycle="retired", actor=admin(), reason="sold")
    with pytest.raises(ProtectedError):
        plan.device.delete()
    with pytest.raises(ProtectedError):
        plan.delete()
    body = client(admin()).get(reverse("devices:order", args=[order.pk]))
    assert body.status_code == 200
    assert order.signature in body.content.decode()


def test_days_without_maintenance_end_after_they_begin() -> None:
    with pytest.raises(InvalidInputError) as refused:
        blackouts.create(actor=admin(), starts_on=today(2), ends_on=today(1), reason="holiday")
    assert refused.value.code == "ends_before_start"


# --- plans of a model, and days of one plan


def test_a_machine_registered_later_has_its_models_plans_at_once() -> None:
    make, boss = make_model(), admin()
    common: dict[str, Any] = {"actor": boss, "device_model": make, "starts_on": today()}
    model_plans.create(title="Service", rrule="FREQ=MONTHLY;INTERVAL=3", **common)
    late = registry.register_device(serial="LATE-1", name="XR-late", model=make, actor=boss)
    plan = late.plans.get()
    assert (plan.title, plan.created_by) == ("Service", boss)
    assert plan.orders.count() == 1
    other = registry.register_device(
        serial="OTHER", name="XR-other", model=make_model(), actor=None
    )
    assert not other.plans.exists()


def test_a_models_plan_that_cannot_be_given_stops_no_registration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, boss = make_model(), admin()
    model_plans.create(
        actor=boss, device_model=make, title="S", rrule="FREQ=YEARLY", starts_on=today()
    )

    def refuse(*_: Any, **__: Any) -> Any:
        raise InvalidInputError("rrule_never", "never")

    monkeypatch.setattr(model_plans.plans, "create", refuse)
    late = registry.register_device(serial="LATE-2", name="XR-late", model=make, actor=boss)
    assert not late.plans.exists()
    monkeypatch.undo()
    assert model_plans.spread_all() == 1


def test_the_page_of_one_plans_days() -> None:
    plan, boss = make_plan(), client(admin())
    other = make_plan()
    url = reverse("devices:plan-blackouts", args=[plan.pk])
    assert "None: work may be due on any day" in boss.get(url).content.decode()
    given = {"starts_on": str(today(20)), "ends_on": str(today(21)), "reason": "<i>congress</i>"}
    new = reverse("devices:plan-blackout-new", args=[plan.pk])
    assert boss.post(new, {**given, "ends_on": str(today(19))}).status_code == 400
    assert client(user()).post(new, given).status_code == 403
    assert boss.post(new, given)["Location"] == url
    days = plan.blackouts.get()
    assert "&lt;i&gt;congress&lt;/i&gt;" in boss.get(url).content.decode()
    theirs = boss.get(reverse("devices:plan-blackouts", args=[other.pk])).content.decode()
    assert "congress" not in theirs
    gone = boss.post(reverse("devices:blackout-delete", args=[days.pk]), {"next": url})
    assert gone["Location"] == url
    assert not plan.blackouts.exists()
    assert boss.get(reverse("devices:plan-blackouts", args=[999_999])).status_code == 404
