"""REST of maintenance, as a program meets it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.permissions import Role
from devices.models import WorkOrder
from devices.models.maintenance import OrderState
from devices.services import downtimes, orders
from tests.devices.factories import user
from tests.devices.maintenance_rows import (
    STEPS,
    admin,
    make_alert,
    make_device,
    make_order,
    make_plan,
    today,
)

pytestmark = pytest.mark.django_db
ROOT = "/api/v1"


def client(person: User | None) -> APIClient:
    found = APIClient()
    if person is not None:
        found.force_authenticate(person)
    return found


@pytest.fixture
def boss() -> APIClient:
    return client(admin())


@pytest.fixture
def engineer() -> APIClient:
    return client(user())


def ok(response: Any, code: int = 200) -> Any:
    assert response.status_code == code, response.content
    return response.json()


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    body = response.json()
    assert set(body) == {"code", "message", "extra"}
    assert body["code"] == code, body
    return body["extra"]


def test_an_admin_makes_a_plan_and_an_engineer_closes_its_order(
    boss: APIClient, engineer: APIClient
) -> None:
    device = make_device()
    plan = ok(
        boss.post(
            f"{ROOT}/maintenance-plans/",
            {
                "device": device.pk,
                "title": "Service",
                "rrule": "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1",
                "starts_on": today().isoformat(),
                "grace_days": 3,
                "checklist": list(STEPS),
            },
            format="json",
        ),
        201,
    )
    assert plan["device"] == device.pk
    assert plan["rule"] == "every 3 months on the last day of the month"
    assert plan["active"] is True
    assert len(plan["next_dates"]) == 5
    assert plan["next_dates"] == sorted(plan["next_dates"])
    plan = ok(
        boss.patch(
            f"{ROOT}/maintenance-plans/{plan['id']}/", {"rrule": "FREQ=DAILY"}, format="json"
        )
    )
    assert plan["next_due_on"] == today().isoformat()
    assert plan["shown"] == "due"
    found = ok(
        engineer.get(
            f"{ROOT}/work-orders/?plan={plan['id']}&state=planned&ordering=due_on&page_size=2"
        )
    )
    assert found["count"] == 15
    assert len(found["results"]) == 2
    order = found["results"][0]
    assert (order["state"], order["shown"], order["due_on"]) == (
        "planned", "due", today().isoformat(),
    )  # fmt: skip
    assert order["late_after"] == today(3).isoformat()
    assert order["possible"] == ["schedule", "start", "cancel"]
    base = f"{ROOT}/work-orders/{order['id']}"
    assert ok(engineer.post(f"{base}/start/"))["state"] == "in_progress"
    done = ok(
        engineer.post(
            f"{base}/complete/", {"checklist": [True, True], "signature": "E. N."}, format="json"
        )
    )
    assert (done["state"], done["signature"], done["shown"]) == ("done", "E. N.", "done")
    assert [event["to_state"] for event in done["events"]] == ["planned", "in_progress", "done"]
    refused(engineer.post(f"{base}/verify/"), 403, "own_work")
    assert ok(boss.post(f"{base}/verify/"))["state"] == "verified"


def test_all_steps_through_rest(boss: APIClient, engineer: APIClient) -> None:
    order = ok(
        engineer.post(
            f"{ROOT}/work-orders/",
            {"device": make_device().serial, "title": "Squeaks", "checklist": list(STEPS)},
            format="json",
        ),
        201,
    )
    assert order["state"] == "requested"
    base = f"{ROOT}/work-orders/{order['id']}"
    extra = refused(engineer.post(f"{base}/start/"), 409, "bad_transition")
    assert (extra["from"], extra["to"]) == ("requested", "in_progress")
    refused(engineer.post(f"{base}/plan/"), 403, "permission_denied")
    ok(boss.post(f"{base}/plan/"))
    worker = user()
    at = (timezone.now() + timedelta(days=1)).isoformat()
    refused(boss.post(f"{base}/schedule/"), 400, "scheduled_for_missing")
    found = ok(
        boss.post(
            f"{base}/schedule/",
            {"scheduled_for": at, "assigned_to": worker.username},
            format="json",
        )
    )
    assert (found["state"], found["assigned_to"]) == ("scheduled", worker.username)
    ok(engineer.post(f"{base}/start/", {}, format="json"))
    refused(engineer.post(f"{base}/hold/"), 400, "reason_missing")
    ok(engineer.post(f"{base}/hold/", {"reason": "no part"}, format="json"))
    ok(
        engineer.put(
            f"{base}/checklist/",
            {"checklist": [{"step": STEPS[0], "done": True}]},
            format="json",
        )
    )
    ok(engineer.post(f"{base}/comment/", {"text": "part ordered"}, format="json"))
    assert (
        ok(boss.post(f"{base}/assign/", {"assigned_to": None}, format="json"))["assigned_to"]
        is None
    )
    ok(engineer.post(f"{base}/resume/"))
    extra = refused(
        engineer.post(f"{base}/complete/", {"signature": "E"}, format="json"),
        400,
        "checklist_incomplete",
    )
    assert extra == {"steps": [STEPS[1]]}
    refused(
        engineer.post(f"{base}/complete/", {"checklist": [True, True]}, format="json"),
        400,
        "signature_missing",
    )
    found = ok(engineer.post(f"{base}/cancel/", {"reason": "sold"}, format="json"))
    assert (found["state"], found["cancel_reason"]) == ("cancelled", "sold")


@pytest.mark.parametrize(
    "step", ["schedule", "start", "hold", "resume", "complete", "verify", "cancel"]
)
@pytest.mark.parametrize("state", ["verified", "cancelled"])
def test_no_step_leaves_an_end_whatever_the_body(boss: APIClient, state: str, step: str) -> None:
    order = make_order(state)
    for body in ({}, {"reason": "x", "signature": "x", "checklist": [True, True]}):
        extra = refused(
            boss.post(f"{ROOT}/work-orders/{order.pk}/{step}/", body, format="json"),
            409,
            "bad_transition",
        )
        assert extra["from"] == state


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"checklist": "yes", "signature": "E"}, "invalid"),
        ({"checklist": [True] * 101, "signature": "E"}, "invalid"),
        ({"checklist": [True, None], "signature": "E"}, "invalid"),
        ({"checklist": [True, [1]], "signature": "E"}, "checklist_mismatch"),
        ({"checklist": [True], "signature": "E"}, "checklist_mismatch"),
        ({"checklist": [{"step": {}, "done": True}], "signature": "E"}, "checklist_mismatch"),
        ({"checklist": [True, {"done": True, "note": "a\0"}], "signature": "E"}, "note_invalid"),
        ({"checklist": [True, True], "signature": "a\0b"}, "invalid"),
        ({"checklist": [True, True], "signature": ["E"]}, "invalid"),
    ],
)
def test_a_bad_completion_is_told(engineer: APIClient, body: dict[str, Any], code: str) -> None:
    order = make_order("in_progress")
    refused(
        engineer.post(f"{ROOT}/work-orders/{order.pk}/complete/", body, format="json"), 400, code
    )
    order.refresh_from_db()
    assert order.state == "in_progress"


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"rrule": "FREQ=SECONDLY"}, "rrule_invalid", "part"),
        ({"rrule": "FREQ=DAILY;" * 60}, "rrule_invalid", "part"),
        ({"rrule": "a\0b"}, "invalid", "rrule"),
        ({"rrule": None}, "invalid", "rrule"),
        ({"starts_on": "2026-02-30"}, "invalid", "starts_on"),
        ({"starts_on": "0001-01-01"}, "starts_on_out_of_range", None),
        ({"device": 0}, "invalid", "device"),
        ({"device": "no such serial"}, "invalid", "device"),
        ({"device": 10**30}, "invalid", "device"),
        ({"device": "1\0"}, "invalid", "device"),
        ({"device": True}, "invalid", "device"),
        ({"device": None}, "invalid", "device"),
        ({"title": " "}, "invalid", "title"),
        ({"grace_days": 10**9}, "grace_out_of_range", "limit"),
        ({"checklist": [{"step": "x"}]}, "invalid", "checklist"),
    ],
)
def test_a_bad_plan_is_told(
    boss: APIClient, change: dict[str, Any], code: str, named: str | None
) -> None:
    body = {
        "device": make_device().pk,
        "title": "T",
        "rrule": "FREQ=DAILY",
        "starts_on": "2026-01-01",
        **change,
    }
    extra = refused(boss.post(f"{ROOT}/maintenance-plans/", body, format="json"), 400, code)
    if named:
        assert named in extra


def test_pause_and_go_on(boss: APIClient) -> None:
    plan = make_plan()
    base = f"{ROOT}/maintenance-plans/{plan.pk}"
    found = ok(boss.post(f"{base}/deactivate/"))
    assert (found["active"], found["next_due_on"], found["next_dates"]) == (False, None, [])
    refused(boss.post(f"{base}/deactivate/"), 409, "bad_transition")
    found = ok(boss.post(f"{base}/reactivate/"))
    assert (found["active"], found["next_due_on"]) == (True, today().isoformat())


def test_a_plan_stays_with_its_machine(boss: APIClient) -> None:
    plan = make_plan()
    base = f"{ROOT}/maintenance-plans/{plan.pk}/"
    other = make_device()
    assert "device" in refused(
        boss.patch(base, {"device": other.pk}, format="json"), 400, "invalid"
    )
    assert "active" in refused(boss.patch(base, {"active": False}, format="json"), 400, "invalid")
    whole = ok(boss.get(base))
    whole["title"] = "Renamed"
    assert ok(boss.patch(base, whole, format="json"))["title"] == "Renamed"


def test_an_order_from_an_alert(engineer: APIClient) -> None:
    alert = make_alert()
    order = ok(engineer.post(f"{ROOT}/work-orders/", {"alert": alert.pk}, format="json"), 201)
    assert (order["alert"], order["device"], order["state"]) == (
        alert.pk, alert.device_id, "planned",
    )  # fmt: skip
    extra = refused(
        engineer.post(f"{ROOT}/work-orders/", {"alert": alert.pk}, format="json"),
        409,
        "order_exists",
    )
    assert extra == {"order": order["id"]}
    extra = refused(engineer.post(f"{ROOT}/work-orders/", {}, format="json"), 400, "invalid")
    assert set(extra) == {"device", "title"}


def test_downtime(engineer: APIClient) -> None:
    device = make_device()
    made = ok(
        engineer.post(f"{ROOT}/downtimes/", {"device": device.pk, "reason": "tube"}, format="json"),
        201,
    )
    assert (made["ends_at"], made["planned"]) == (None, False)
    extra = refused(
        engineer.post(f"{ROOT}/downtimes/", {"device": device.pk, "reason": "x"}, format="json"),
        409,
        "downtime_overlap",
    )
    assert extra == {"downtime": made["id"]}
    base = f"{ROOT}/downtimes/{made['id']}"
    assert ok(engineer.get(f"{ROOT}/downtimes/?open=true&device={device.pk}"))["count"] == 1
    refused(
        engineer.post(f"{base}/end/", {"ends_at": "2020-01-01T00:00:00Z"}, format="json"),
        400,
        "ends_before_start",
    )
    assert ok(engineer.post(f"{base}/end/"))["ends_at"]
    refused(engineer.post(f"{base}/end/"), 409, "downtime_ended")
    assert ok(engineer.get(f"{ROOT}/downtimes/?open=true"))["count"] == 0
    assert ok(engineer.get(f"{base}/"))["id"] == made["id"]


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("", 8),
        ("state=done&state=verified", 2),
        ("shown=cancelled", 1),
        ("shown=overdue", 0),
        ("assigned_to=nobody-of-that-name", 0),
        ("due_from=2020-01-01", 0),
        ("plan=5", 0),
        ("device=9223372036854775807", 0),
    ],
)
def test_orders_are_filtered(engineer: APIClient, query: str, matches: int) -> None:
    for state in OrderState.values:
        make_order(state)
    assert ok(engineer.get(f"{ROOT}/work-orders/?{query}"))["count"] == matches


@pytest.mark.parametrize(
    "query",
    ["state=nope", "shown=nope", "device=x", "device=99999999999999999999", "due_to=never"],
)
def test_a_filter_that_says_nothing_is_refused(engineer: APIClient, query: str) -> None:
    refused(engineer.get(f"{ROOT}/work-orders/?{query}"), 400, "invalid")


def test_lists_are_ordered_and_paged(boss: APIClient) -> None:
    for days in (5, 1, 3):
        make_order(due_on=today(days))
    found = ok(boss.get(f"{ROOT}/work-orders/?ordering=-due_on&page_size=2"))
    assert [row["due_on"] for row in found["results"]] == [
        today(5).isoformat(), today(3).isoformat(),
    ]  # fmt: skip
    assert found["next"]
    make_plan(title="B", starts_on=today(9))
    make_plan(title="A", starts_on=today(9))
    found = ok(boss.get(f"{ROOT}/maintenance-plans/?ordering=title&active=true"))
    assert [row["title"] for row in found["results"]] == ["A", "B"]


def test_lists_cost_the_same_for_one_row_and_many(boss: APIClient) -> None:
    counts: list[list[int]] = []
    for _ in range(2):
        for state in ("done", "verified", "in_progress"):
            order = make_order(state)
            downtimes.create(actor=user(), device=order.device, reason="x", order=order)
            make_plan()
        row = []
        for address in ("work-orders", "maintenance-plans", "downtimes"):
            with CaptureQueriesContext(connection) as queries:
                ok(boss.get(f"{ROOT}/{address}/"))
            row.append(len(queries))
        with CaptureQueriesContext(connection) as queries:
            ok(boss.get(f"{ROOT}/work-orders/{order.pk}/"))
        counts.append([*row, len(queries)])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 9  # one order: events, downtimes, files, labour, costs


def test_who_may(boss: APIClient, engineer: APIClient) -> None:
    plan, order = make_plan(), make_order()
    down = downtimes.start(actor=user(), device=order.device, reason="x")
    reads = [
        "maintenance-plans/",
        f"maintenance-plans/{plan.pk}/",
        "work-orders/",
        f"work-orders/{order.pk}/",
        "downtimes/",
        f"downtimes/{down.pk}/",
    ]
    plan_writes = [
        ("post", "maintenance-plans/"),
        ("patch", f"maintenance-plans/{plan.pk}/"),
        ("post", f"maintenance-plans/{plan.pk}/deactivate/"),
        ("post", f"maintenance-plans/{plan.pk}/reactivate/"),
        ("post", f"work-orders/{order.pk}/plan/"),
    ]
    work = [
        ("post", "work-orders/"),
        *[("post", f"work-orders/{order.pk}/{step}/") for step in (
            "schedule", "start", "hold", "resume", "complete", "verify", "cancel", "assign",
            "comment",
        )],
        ("put", f"work-orders/{order.pk}/checklist/"),
        ("post", "downtimes/"),
        ("post", f"downtimes/{down.pk}/end/"),
    ]  # fmt: skip
    everything = [*(("get", path) for path in reads), *plan_writes, *work]
    clinician = client(user(Role.CLINICIAN))
    for method, path in everything:
        assert getattr(client(None), method)(f"{ROOT}/{path}").status_code == 401, path
        refused(getattr(clinician, method)(f"{ROOT}/{path}"), 403, "permission_denied")
    for method, path in plan_writes:
        refused(getattr(engineer, method)(f"{ROOT}/{path}"), 403, "permission_denied")
    assert WorkOrder.objects.get(pk=order.pk).state == "planned"
    for path in reads:
        for person in (boss, engineer):
            ok(person.get(f"{ROOT}/{path}"))
    for method, path in work:
        assert getattr(engineer, method)(f"{ROOT}/{path}").status_code not in {401, 403, 404}, path


def test_what_is_not_there(boss: APIClient) -> None:
    for path, code in (
        ("maintenance-plans/999999/", "plan_not_found"),
        ("work-orders/999999999999999999/", "order_not_found"),
        ("downtimes/1/", "downtime_not_found"),
    ):
        refused(boss.get(f"{ROOT}/{path}"), 404, code)
    refused(boss.post(f"{ROOT}/work-orders/999999/start/"), 404, "order_not_found")
    order = make_order()
    refused(boss.delete(f"{ROOT}/work-orders/{order.pk}/"), 405, "method_not_allowed")
    assert WorkOrder.objects.filter(pk=order.pk).exists()


def test_the_order_says_who_did_what(boss: APIClient) -> None:
    worker, checker = user(), user()
    order = make_order("done", worker=worker)
    orders.verify(order=order, actor=checker)
    found = ok(boss.get(f"{ROOT}/work-orders/{order.pk}/"))
    assert (found["completed_by"], found["verified_by"]) == (worker.username, checker.username)
    assert [event["by"] for event in found["events"]][1:] == [worker.username] * 3 + [
        checker.username
    ]
