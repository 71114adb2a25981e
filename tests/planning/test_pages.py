"""Pages and REST of what-if, suggestion and loss; applying moves, each with its own fate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from devices.models import Blackout, WorkOrder
from devices.services import orders
from maintenance.services import rescheduling
from planning.assumptions import Assumptions
from planning.changes import Change
from planning.models import Scenario, Suggestion
from planning.selectors import hospital
from planning.services import moves, scenarios, suggestions
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_device, today
from tests.planning.rows import failing, planned, weekly, workday
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db
WHAT_IF, APPLY = "planning:what-if", "planning:apply"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def rest(person: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(person)
    return client


def chips(*changes: Change) -> list[str]:
    return [each.text for each in changes]


def hospital_now() -> Any:
    return hospital.book(Assumptions(runs=50), now=timezone.now())


def test_a_scenario_is_built_run_kept_and_applied() -> None:
    boss = admin()
    client = signed_in(boss)
    order = planned(failing(3)[0], due=10, grace_days=5)
    page = client.get(reverse(WHAT_IF)).content.decode()
    assert "Nothing is changed yet" in page
    assert f"WO-{order.pk}" in page
    to = today(12).isoformat()
    added = client.get(reverse(WHAT_IF), {"add": "move", "order": order.pk, "day": to, "runs": 50})
    assert added.status_code == 302
    page = client.get(added["Location"]).content.decode()
    assert "Unplanned downtime" in page
    assert "Apply 1 move" in page
    form = {"c": chips(Change("move", order=order.pk, day=today(12))), "runs": "50"}
    kept = client.post(reverse("planning:keep"), form | {"name": "<b>later</b>"})
    assert kept.status_code == 302
    shown = client.get(kept["Location"]).content.decode()
    assert "&lt;b&gt;later" in shown
    assert "<b>later" not in shown
    found = Scenario.objects.get()
    assert found.changes == [{"kind": "move", "order": order.pk, "day": to}]
    assert found.result["runs"] == 50
    # the same name again
    client.post(reverse("planning:keep"), form | {"name": "<b>later</b>"})
    assert Scenario.objects.count() == 1
    done = client.post(reverse(APPLY), form | {"reason": "fewer at once"}, follow=True)
    assert f"Moved: WO-{order.pk}" in done.content.decode()
    order.refresh_from_db()
    assert timezone.localdate(order.scheduled_for) == today(12)
    assert timezone.localtime(order.scheduled_for).hour == 8
    assert "fewer at once" in order.events.last().note
    assert AuditEntry.objects.get(verb="moves_applied").detail["moved"] == [order.pk]
    back = client.post(reverse("planning:undo"), follow=True)
    assert "Back where they were" in back.content.decode()
    order.refresh_from_db()
    assert (order.state, order.scheduled_for) == ("planned", None)
    assert client.post(reverse("planning:undo")).status_code == 404


def test_each_order_has_a_fate_of_its_own() -> None:
    boss = admin()
    good, changed, late, far = (planned(each, due=10, grace_days=5) for each in failing(4))
    seen = {each.pk: rescheduling.Place.of(each).kept() for each in (good, changed, late, far)}
    orders.schedule(order=changed, actor=boss, scheduled_for=timezone.now() + timedelta(days=2))
    WorkOrder.objects.filter(pk=late.pk).update(state="in_progress")
    found = scenarios.apply(
        actor=boss,
        book=hospital_now(),
        changes=[
            Change("part", machine=good.device_id),
            *(Change("move", order=each.pk, day=today(11)) for each in (good, changed, late)),
            Change("move", order=far.pk, day=today(16)),
            Change("move", order=2**62, day=today(11)),
        ],
        reason="together",
        seen=seen,
        now=timezone.now(),
    )
    assert [(each.order, each.code) for each in found] == [
        (good.pk, ""), (changed.pk, "moved_meanwhile"), (late.pk, "order_not_movable"),
        (far.pk, "beyond_manufacturer"), (2**62, "order_not_movable"),
    ]  # fmt: skip
    good.refresh_from_db()
    assert timezone.localdate(good.scheduled_for) == today(11)
    refused = AuditEntry.objects.get(verb="moves_applied").detail["refused"]
    assert refused[str(changed.pk)] == "moved_meanwhile"
    # taken back only where nobody touched it since
    kept = [each.undo for each in found if each.undo]
    orders.schedule(order=good, actor=boss, scheduled_for=timezone.now() + timedelta(days=3))
    assert [each.code for each in moves.undo(actor=boss, kept=kept)] == ["moved_meanwhile"]


def test_beyond_grace_but_within_the_manufacturers_interval_is_a_conflict() -> None:
    """The scenario may show it; whoever wants it confirms it on the order's own page."""
    (device,) = failing(1)
    order = planned(device, due=10, grace_days=2)
    WorkOrder.objects.filter(pk=order.pk).update(plan=None)
    (fate,) = scenarios.apply(
        actor=admin(), book=hospital_now(), reason="r", now=timezone.now(),
        changes=[Change("move", order=order.pk, day=today(20))],
    )  # fmt: skip
    assert fate.code == "beyond_grace"


def test_what_services_refuse() -> None:
    boss, now = admin(), timezone.now()
    book = hospital_now()
    keep: dict[str, Any] = {"actor": boss, "changes": [], "given": Assumptions(), "result": {}}
    with pytest.raises(InvalidInputError) as nameless:
        scenarios.keep(name=" ", **keep)
    assert nameless.value.code == "name_missing"
    with pytest.raises(InvalidInputError) as longer:
        scenarios.keep(name="x" * 101, **keep)
    assert longer.value.code == "name_too_long"
    scenarios.keep(name="one", **keep)
    with pytest.raises(ConflictError) as taken:
        scenarios.keep(name="one", **keep)
    assert taken.value.code == "name_taken"
    Scenario.objects.bulk_create(Scenario(name=f"n{n}") for n in range(scenarios.MOST))
    with pytest.raises(ConflictError) as many:
        scenarios.keep(name="two", **keep)
    assert many.value.code == "too_many_scenarios"
    with pytest.raises(InvalidInputError) as nothing:
        scenarios.apply(actor=boss, book=book, changes=[], reason="r", now=now)
    assert nothing.value.code == "nothing_to_move"
    with pytest.raises(InvalidInputError) as why:
        scenarios.apply(actor=boss, book=book, changes=[], reason="", now=now)
    assert why.value.code == "reason_missing"


def test_bad_addresses_and_forms_are_said_so() -> None:
    client = signed_in(admin())
    for query in (
        "?c=x", "?wear=9", "?add=move&order=1&day=x", "?add=none", "?c=drop:1&c=move:1:2026-12-01",
        f"?add=part&machine={2**63}",
    ):  # fmt: skip
        answer = client.get(reverse(WHAT_IF) + query)
        assert answer.status_code == 400, query
        assert 'role="alert"' in answer.content.decode()
    assert client.get(reverse(WHAT_IF) + f"?order={10**30}&machine=x&day=y").status_code == 200
    for seen in ("x", "[]", '{"1": [1, 2, 3]}', '{"1": ["a", "b", "c"]}', '{"x": ["a", null, 1]}'):
        form = {"c": "part:1", "reason": "r", "seen": seen}
        page = client.post(reverse(APPLY), form, follow=True).content.decode()
        assert "Open the scenario again" in page, seen
    assert (
        client.get(reverse("planning:scenarios") + f"?scenario=x&scenario={10**40}").status_code
        == 200
    )


def test_not_permitted_is_shown_and_not_applied() -> None:
    client = signed_in(admin())
    order = planned(failing(1)[0], due=10, grace_days=5)
    text = Change("move", order=order.pk, day=today(16)).text
    page = client.get(reverse(WHAT_IF), {"c": text, "run": 1, "runs": 50}).content.decode()
    assert "not permitted (CMS S&amp;C 14-07)" in page
    assert "Apply" not in page.split("Keep or apply it")[1].split("What goes in")[0].replace(
        "applied", ""
    )
    done = client.post(reverse(APPLY), {"c": text, "reason": "r"}, follow=True)
    assert "stays where it is" in done.content.decode()
    order.refresh_from_db()
    assert order.scheduled_for is None


def test_a_suggestion_is_made_and_accepted() -> None:
    boss = admin()
    for _ in range(2):
        user()
    client = signed_in(boss)
    assert "No suggestion yet" in client.get(reverse("planning:suggestion")).content.decode()
    day = workday(9)
    made = [planned(each, due=day, grace_days=6) for each in failing(5)]
    Blackout.objects.create(starts_on=today(60), ends_on=today(61), reason="x")
    answer = client.post(
        reverse("planning:suggestion"), {"engineers": "1", "seed": "3"}, follow=True
    )
    assert answer.status_code == 200
    found = Suggestion.objects.get()
    assert found.assumptions == {"engineers": 1, "seed": 3}
    assert (
        found.result["objective"]["suggestion"]["total"]
        <= found.result["objective"]["present"]["total"]
    )
    ticked = [each for each in found.moves if each["order"] in {order.pk for order in made}]
    assert len(ticked) >= 2  # five rooms of a group on one day
    accept = reverse("planning:accept", args=[found.pk])
    assert client.post(accept).status_code == 400
    first = ticked[0]
    page = client.post(accept, {"order": str(first["order"])}, follow=True).content.decode()
    assert f"Moved: WO-{first['order']}" in page
    order = WorkOrder.objects.get(pk=first["order"])
    assert timezone.localdate(order.scheduled_for).isoformat() == first["to"]
    assert f"suggestion {found.pk}: Moved from" in order.events.last().note
    again = client.post(accept, {"all": "1"}, follow=True).content.decode()
    assert f"WO-{first['order']} stays where it is" in again
    assert (
        WorkOrder.objects.filter(scheduled_for=None, pk__in=[e["order"] for e in ticked]).count()
        == 0
    )


def test_old_suggestions_go() -> None:
    boss = admin()
    for _ in range(suggestions.KEPT + 2):
        suggestions.make(actor=boss, given=Assumptions(runs=50), now=timezone.now())
    assert Suggestion.objects.count() == suggestions.KEPT


def test_the_loss_of_a_machine() -> None:
    engineer = signed_in(user())
    (device,) = failing(1, name="<i>XR")
    page = engineer.get(reverse("planning:loss", args=[device.pk])).content.decode()
    assert "Not enough data" in page
    assert "<i>XR" not in page
    weekly(device, dict.fromkeys(range(24), 1), weeks=4)
    page = engineer.get(reverse("planning:loss", args=[device.pk]) + "?days=1").content.decode()
    assert "Hour by hour" in page
    assert "Nobody: no other machine" in page
    body = rest(user()).get(f"/api/v1/devices/{device.pk}/loss/?days=2").json()
    assert body["known"]
    assert body["left"] == pytest.approx(body["wanted"])
    assert len(body["hours"]) == 48
    assert (
        rest(user()).get(f"/api/v1/devices/{device.pk}/loss/?days=0").json()["code"]
        == "days_out_of_range"
    )
    assert engineer.get(reverse("planning:loss", args=[999_999])).status_code == 404
    assert f'href="{reverse("planning:loss", args=[device.pk])}"' in engineer.get(
        reverse("devices:device-sections", args=[device.pk])
    ).content.decode()  # fmt: skip


def test_rest() -> None:
    boss = rest(admin())
    assert boss.get("/api/v1/schedule-suggestions/").json()["code"] == "suggestion_not_found"
    (device, _, _) = failing(3)
    order = planned(device, due=10, grace_days=5)
    change = {"kind": "move", "order": order.pk, "day": today(16).isoformat()}
    asked = {"changes": [change], "assumptions": {"runs": 50, "seed": 4}}
    answer = boss.post("/api/v1/what-ifs/", asked, format="json")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["seed"], body["runs"]) == (None, 4, 50)
    assert body["changes"][0]["code"] == "beyond_manufacturer"
    assert body["difference"]["unplanned"]["mean"] == 0
    assert body["base"]["displaced"] is None
    assert {each["kind"] for each in body["sources"]} <= {
        "known",
        "estimated",
        "assumed",
        "not enough data",
    }
    assert boss.post("/api/v1/what-ifs/", asked, format="json").json() == body
    kept = boss.post("/api/v1/what-ifs/", asked | {"name": "a"}, format="json")
    assert (kept.status_code, kept.json()["id"]) == (201, Scenario.objects.get().pk)
    for wrong, code in (
        ({"changes": [{"kind": "move", "order": 1}]}, "change_invalid"),
        ({"changes": [{"kind": "x"}]}, "invalid"),
        ({"assumptions": {"wear": 7}}, "assumption_out_of_range"),
        (asked | {"name": "a"}, "name_taken"),
        ({"changes": [{"kind": "drop", "order": n} for n in range(51)]}, "too_many_changes"),
    ):  # fmt: skip
        refused = boss.post("/api/v1/what-ifs/", wrong, format="json")
        assert refused.json()["code"] == code
    made = boss.post("/api/v1/schedule-suggestions/", {"runs": 50}, format="json")
    assert made.status_code == 201
    assert boss.get("/api/v1/schedule-suggestions/").json() == made.json()
    for person, status in ((user(), 403), (user("clinician"), 403)):
        api = rest(person)
        assert api.post("/api/v1/what-ifs/", {}, format="json").status_code == status
        assert api.get("/api/v1/schedule-suggestions/").status_code == status
    assert rest(user("clinician")).get(f"/api/v1/devices/{device.pk}/loss/").status_code == 403


def test_the_week_offers_it_to_admins_alone() -> None:
    planned(make_device(), due=0)
    week = reverse("maintenance:week")
    assert "See what changes" in signed_in(admin()).get(week).content.decode()
    assert "See what changes" not in signed_in(user()).get(week).content.decode()


def test_pages_ask_as_often_for_many_as_for_one() -> None:
    client = signed_in(admin())
    counts: list[list[int]] = []
    for _ in range(2):
        for each in failing(2):
            planned(each, due=12)
        Scenario.objects.create(name=f"s{len(counts)}")
        suggestions.make(actor=admin(), given=Assumptions(runs=50), now=timezone.now())
        asked = []
        for page in (
            reverse(WHAT_IF) + "?run=1&runs=50",
            reverse("planning:suggestion"),
            reverse("planning:scenarios"),
        ):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(page).status_code == 200
            asked.append(len(captured))
        counts.append(asked)
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 35
