"""Incidents, the bell, deliveries, webhooks and supplies in the browser and by REST."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from devices.models import Alert, AlertGroup, Device, Notification, Supply, Webhook
from devices.services import alerts, outbox
from tests.devices import factories as f
from tests.devices.alert_bench import Ward, subscribe, webhook
from tests.devices.maintenance_rows import make_order

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def ward(db: None) -> Ward:
    return Ward()


@pytest.fixture
def me(client: Client) -> User:
    person = f.user()
    client.force_login(person)
    return person


def page(client: Client, address: str, code: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == code, answer.content.decode()
    return answer.content.decode()


def send(client: Client, method: str, address: str, body: Any, code: int = 200) -> Any:
    answer = getattr(client, method)(
        f"/api/v1/{address}", json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == code, answer.content.decode()
    return answer.json() if answer.content else None


# --- the list


def test_an_incident_is_one_row_that_opens(ward: Ward, client: Client, me: User) -> None:
    ward.supply()
    head, *members = (ward.feed(machine, 11) for machine in ward.machines)
    group = AlertGroup.objects.get()
    text = page(client, "/alerts/")
    assert f'data-members="{group.pk}"' in text
    assert "Panel 1: 2 more on 3 machines" in text
    for member in members:
        assert re.search(rf'<tr id="alert-{member.pk}"[^>]*hidden', text)
    assert not re.search(rf'<tr id="alert-{head.pk}"[^>]*hidden', text)
    assert "1 row " in text
    # whatever is chosen, each stands in its own row
    for query in (
        "?state=open",
        "?grouped=yes",
        f"?incident={group.pk}&state=all",
        "?severity=act",
    ):
        text = page(client, f"/alerts/{query}")
        assert " hidden>" not in text.partition("<tbody>")[2]
        assert "3 alerts " in text, query
    assert f"incident={group.pk}" in page(client, f"/alerts/{members[0].pk}/")
    listed = client.get("/api/v1/alerts/?grouped=yes").json()["results"]
    assert {row["id"]: (row["group"], row["withheld"]) for row in listed} == {
        head.pk: (None, ""),
        members[0].pk: (group.pk, "grouped"),
        members[1].pk: (group.pk, "grouped"),
    }
    alerts.resolve(alert=head, actor=me, reason="repaired")
    assert "2 rows " in page(client, "/alerts/")


def test_the_list_needs_few_queries(
    ward: Ward, client: Client, me: User, django_assert_max_num_queries: Any
) -> None:
    ward.supply()
    for machine in ward.machines:
        ward.feed(machine, 11)
        ward.feed(machine, 11, "heat")
    with django_assert_max_num_queries(13):
        page(client, "/alerts/")


def test_filters_of_people_and_overlays(ward: Ward, client: Client, me: User) -> None:
    make_order("in_progress", device=ward.machines[0], worker=ward.person)
    muted = ward.feed(ward.machines[0], 11)
    mine = ward.feed(ward.machines[1], 11)
    alerts.assign(alert=mine, actor=me, assignee=me)

    def ids(query: str) -> set[int]:
        rows = client.get(f"/api/v1/alerts/?{query}").json()["results"]
        return {row["id"] for row in rows}

    assert ids("muted=yes") == {muted.pk}
    assert ids("assigned_to=me") == {mine.pk}
    assert ids("assigned_to=nobody") == {muted.pk}
    assert ids("room=R1") == {mine.pk}
    assert client.get("/api/v1/alerts/?muted=maybe").status_code == 400
    for query, there, gone in (
        ("muted=yes", muted, mine), ("mine=yes", mine, muted), ("unassigned=yes", muted, mine),
    ):  # fmt: skip
        text = page(client, f"/alerts/?{query}")
        assert f'id="alert-{there.pk}"' in text
        assert f'id="alert-{gone.pk}"' not in text
    assert "</svg> muted</span>" in page(client, "/alerts/?muted=yes")
    assert "in maintenance" in page(client, f"/alerts/{muted.pk}/")
    assert "not patient alarms (IEC 60601-1-8)" in page(client, "/alerts/")


def test_acknowledging_the_chosen(ward: Ward, client: Client, me: User) -> None:
    rows = [ward.feed(machine, 11, minutes=30) for machine in ward.machines]
    answer = client.post(
        "/alerts/acknowledge/", {"alert": [rows[0].pk, rows[1].pk], "back": "?state=open"}
    )
    assert answer["Location"] == "/alerts/?state=open"
    assert Alert.objects.filter(state="acknowledged", acknowledged_by=me).count() == 2
    assert "Choose at least one alert." in page(
        client, client.post("/alerts/acknowledge/")["Location"]
    )
    evil = client.post("/alerts/acknowledge/", {"alert": rows[2].pk, "back": "//evil.example"})
    assert evil["Location"] == "/alerts/"
    body = send(client, "post", "alerts/acknowledge/", {"ids": [row.pk for row in rows]})
    assert body == {"acknowledged": []}
    send(client, "post", "alerts/acknowledge/", {"ids": []}, 400)
    send(client, "post", "alerts/acknowledge/", {"ids": ["x"]}, 400)


# --- the bell


def test_the_bell_and_what_was_read(ward: Ward, client: Client, me: User) -> None:
    assert "You are told of nothing" in page(client, "/notifications/")
    subscribe(me)
    assert "Nothing was told so far" in page(client, "/notifications/")
    ward.feed(ward.machines[0], 11)
    ward.feed(ward.machines[1], 11)
    assert 'title="2 unread notifications"' in page(client, "/devices/")
    assert client.get("/api/v1/notifications/?unread=yes").json()["count"] == 2
    one = Notification.objects.earliest("pk")
    client.post("/notifications/read/", {"notification": one.pk})
    assert client.get("/api/v1/notifications/?unread=yes").json()["count"] == 1
    assert send(client, "post", "notifications/read/", {}) == {"read": 1}
    assert "unread notification" not in page(client, "/devices/")
    other = Client()
    other.force_login(f.user())
    assert other.get("/api/v1/notifications/").json()["count"] == 0


def test_nobody_reads_anothers_lines(ward: Ward, client: Client, me: User) -> None:
    theirs = subscribe()
    ward.feed(ward.machines[0], 11)
    row = Notification.objects.get()
    client.post("/notifications/read/", {"notification": row.pk})
    assert send(client, "post", "notifications/read/", {"ids": [row.pk]}) == {"read": 0}
    row.refresh_from_db()
    assert (row.user_id, row.read_at) == (theirs.user_id, None)


def test_choosing_what_i_am_told(ward: Ward, client: Client, me: User) -> None:
    assert 'value="R1"' in page(client, "/notifications/settings/")
    form = {
        "act": "on", "in_app": "on", "rooms": ["R1"], "devices": [ward.machines[0].pk],
        "quiet_from": "22:00", "quiet_to": "06:30",
    }  # fmt: skip
    assert client.post("/notifications/settings/", form).status_code == 302
    body = client.get("/api/v1/alert-subscription/").json()
    assert body == {
        "act": True, "watch": False, "escalations": False, "rooms": ["R1"],
        "devices": [ward.machines[0].pk], "in_app": True, "email": False,
        "quiet_from": "22:00:00", "quiet_to": "06:30:00",
    }  # fmt: skip
    assert 'value="22:00"' in page(client, "/notifications/settings/")
    bad = client.post("/notifications/settings/", {**form, "email": "on"})
    assert bad.status_code == 400
    assert "has no e-mail address" in bad.content.decode()
    assert send(client, "put", "alert-subscription/", {"email": True}, 400)["code"] == "no_address"
    assert send(client, "put", "alert-subscription/", {"quiet_from": "22:00"}, 400)
    assert send(client, "put", "alert-subscription/", {"watch": False})["rooms"] == []


# --- deliveries and webhooks


def test_deliveries_and_sending_again(ward: Ward, client: Client, me: User) -> None:
    webhook("https://nowhere.invalid/hook", name="helpdesk")
    alert = ward.feed(ward.machines[0], 11)
    row = Notification.objects.get()
    outbox.deliver(notification_id=row.pk, now=ward.now)
    Notification.objects.update(state="dead", due_at=None)
    assert "helpdesk" in page(client, f"/alerts/{alert.pk}/")
    assert "given up" in page(client, "/alerts/deliveries/?state=dead")
    assert "No message matches" in page(client, "/alerts/deliveries/?state=sent")
    text = page(client, f"/alerts/deliveries/{row.pk}/")
    assert "the name can&#x27;t be resolved" in text or "the name can" in text
    assert "Send again" in text
    detail = client.get(f"/api/v1/alert-deliveries/{row.pk}/").json()
    assert detail["receiver"] == "helpdesk"
    assert [a["outcome"] for a in detail["attempts"]] == ["failed"]
    assert send(client, "post", f"alert-deliveries/{row.pk}/send-again/", None)["state"] == "queued"
    assert send(client, "post", f"alert-deliveries/{row.pk}/send-again/", None, 409)
    Notification.objects.update(state="dead", due_at=None)
    assert client.post(f"/alerts/deliveries/{row.pk}/send-again/").status_code == 302
    assert AuditEntry.objects.filter(verb="sent_again", actor=me).count() == 2
    found = client.get(f"/api/v1/alert-deliveries/?alert={alert.pk}&channel=webhook").json()
    assert found["count"] == 1
    assert client.get("/api/v1/alert-deliveries/?state=odd").status_code == 400


def test_an_admin_makes_changes_and_rotates_a_webhook(client: Client) -> None:
    client.force_login(f.user("admin"))
    made = client.post(
        "/webhooks/", {"name": HOSTILE, "url": "https://example.org/", "severity": "act"}
    )
    text = made.content.decode()
    secret = re.search(r'id="secret">(whsec_[\w-]+)<', text)
    assert secret
    assert made["Cache-Control"] == "no-store"
    assert HOSTILE not in text
    hook = Webhook.objects.get()
    for address in ("/webhooks/", f"/webhooks/{hook.pk}/"):
        shown = page(client, address)
        assert secret[1] not in shown
        assert HOSTILE not in shown
    assert secret[1] not in str(list(AuditEntry.objects.values()))
    rotated = client.post(f"/webhooks/{hook.pk}/rotate/", {"hours": "24"})
    assert "goes on until" in rotated.content.decode()
    assert secret[1] not in rotated.content.decode()
    assert "the old secret goes on" in page(client, "/webhooks/")
    change = {"name": "chat", "url": "https://example.org/", "severity": "watch"}
    assert client.post(f"/webhooks/{hook.pk}/", change).status_code == 302
    hook.refresh_from_db()
    assert (hook.name, hook.active) == ("chat", False)
    for bad in ({"name": "x", "url": "http://example.org/", "severity": "act"}, {}):
        assert client.post("/webhooks/", bad).status_code == 400
    assert client.post(f"/webhooks/{hook.pk}/", {**change, "url": "gopher://x"}).status_code == 400
    client.post(f"/webhooks/{hook.pk}/rotate/", {"hours": "7"})
    assert Webhook.objects.get().salt == hook.salt


def test_webhooks_by_rest(client: Client) -> None:
    client.force_login(f.user("admin"))
    made = send(client, "post", "webhooks/", {"name": "a", "url": "https://example.org/"}, 201)
    assert made["secret"].startswith("whsec_")
    listed = client.get("/api/v1/webhooks/").json()["results"]
    assert "secret" not in listed[0]
    assert "salt" not in str(listed)
    again = send(client, "post", f"webhooks/{made['id']}/rotate/", {"overlap_hours": 0})
    assert again["secret"] != made["secret"]
    assert again["old_until"] is None
    body = {"name": "a", "url": "https://example.org/", "severity": "act", "active": False}
    assert send(client, "put", f"webhooks/{made['id']}/", body)["active"] is False
    taken = send(client, "post", "webhooks/", {"name": "a", "url": "https://example.org/"}, 409)
    assert taken["code"] == "name_taken"
    send(client, "put", "webhooks/999999/", body, 404)


# --- supplies and spares


def test_supplies_in_the_browser(ward: Ward, client: Client, me: User) -> None:
    assert "No supply is known" in page(client, "/supplies/")
    form = {"name": HOSTILE, "kind": "power", "note": "cellar", "devices": [ward.machines[0].pk]}
    assert client.post("/supplies/new/", form).status_code == 302
    supply = Supply.objects.get()
    assert HOSTILE not in page(client, "/supplies/")
    assert client.post("/supplies/new/", form).status_code == 409
    assert client.post("/supplies/new/", {**form, "kind": "gas"}).status_code == 400
    changed = {**form, "name": "Panel", "devices": [m.pk for m in ward.machines[1:]]}
    assert client.post(f"/supplies/{supply.pk}/", changed).status_code == 302
    assert set(supply.members.values_list("device", flat=True)) == {m.pk for m in ward.machines[1:]}
    for machine in ward.machines[1:]:
        ward.feed(machine, 11)
    text = page(client, f"/supplies/{supply.pk}/")
    assert "1 more alert<" in text
    assert ">Panel</a>" in page(client, f"/devices/{ward.machines[1].pk}/sections/")
    assert client.post(f"/supplies/{supply.pk}/delete/").status_code == 302
    assert (Supply.objects.count(), AlertGroup.objects.get().label) == (0, "Panel")


def test_relations_of_a_machine(ward: Ward, client: Client, me: User) -> None:
    a, b, c = ward.machines
    Device.objects.filter(pk=c.pk).update(location=a.location)
    supply = ward.supply(b)
    form = {"supplies": [supply.pk], "spares": [c.pk]}
    assert client.post(f"/devices/{a.pk}/relations/", form).status_code == 302
    text = page(client, f"/devices/{a.pk}/sections/")
    assert "Shares and spares" in text
    assert client.post(f"/devices/{a.pk}/relations/", {"spares": [a.pk]}).status_code == 400
    body = client.get(f"/api/v1/devices/{a.pk}/relations/").json()
    assert body == {
        "supplies": [supply.pk], "spares": [c.pk], "room": [c.pk], "stands_in_for": [],
    }  # fmt: skip
    assert client.get(f"/api/v1/devices/{c.pk}/relations/").json()["stands_in_for"] == [a.pk]
    own = send(client, "put", f"devices/{a.pk}/relations/", {"spares": [a.pk]}, 400)
    assert own["code"] == "spare_is_itself"
    assert send(client, "put", f"devices/{a.pk}/relations/", {})["spares"] == []
    assert "edit" in page(client, f"/devices/{a.pk}/sections/")


def test_supplies_by_rest(ward: Ward, client: Client, me: User) -> None:
    ids = [machine.pk for machine in ward.machines]
    made = send(client, "post", "supplies/", {"name": "P", "kind": "network", "devices": ids}, 201)
    assert (made["kind"], made["devices"]) == ("network", ids)
    assert client.get("/api/v1/supplies/").json()["results"] == [made]
    changed = send(client, "put", f"supplies/{made['id']}/", {"name": "P", "devices": ids[:1]})
    assert (changed["kind"], changed["devices"]) == ("power", ids[:1])
    assert send(client, "post", "supplies/", {"name": "P"}, 409)["code"] == "name_taken"
    send(client, "post", "supplies/", {"name": "Q", "devices": [10**9]}, 400)
    assert client.delete(f"/api/v1/supplies/{made['id']}/").status_code == 204
    assert client.get(f"/api/v1/supplies/{made['id']}/").status_code == 404


def test_a_clinician_sees_no_bell(client: Client) -> None:
    client.force_login(f.user("clinician"))
    assert "topbar-bell" not in page(client, "/devices/")


def test_the_story_of_an_alert_says_why_nobody_was_told(
    ward: Ward, client: Client, me: User
) -> None:
    subscribe(me)
    alert = ward.feed(ward.machines[0], 11)
    alerts.snooze(alert=alert, actor=me, until=timezone.now() + timedelta(hours=1))
    assert "</svg> snoozed</span>" in page(client, f"/alerts/{alert.pk}/")
    assert "opened" in page(client, f"/alerts/{alert.pk}/")
