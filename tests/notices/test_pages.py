"""Pages and REST of notices: one's own alone, read and undone, settings, policy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.permissions import Role
from devices.models import Notification
from notices.models import Notice, NoticePolicy, NoticeSettings
from notices.people import person as person_of
from notices.services import policies
from tests.devices.maintenance_rows import today
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError
from twinhealth.web import badges

from .rows import choose, order, person

pytestmark = pytest.mark.django_db
FORM = {
    "ahead": "7, 1", "scope": "mine", "digest": "on", "digest_at": "07:00", "urgent_passes": "on",
}  # fmt: skip


def client(user: Any) -> Client:
    made = Client()
    made.force_login(user)
    return made


def tell(user: Any, **fields: Any) -> Notice:
    row = order(user, today())
    fields = {
        "user": user, "kind": "order_due", "subject": row.pk, "occasion": str(today()),
        "title": f"WO-{row.pk} <b>grid</b>: due today", "path": f"/maintenance/orders/{row.pk}/",
        "way": "in_app", "at": timezone.now(), "told_at": timezone.now(), "by_name": True,
        **fields,
    }  # fmt: skip
    return Notice.objects.create(**fields)


def form_of(user: Any, **fields: Any) -> dict[str, Any]:
    ways = {
        f"way_{kind.key}": person_of(user).chosen(kind).value
        for kind in __import__("notices.selectors").selectors.kinds_for(user)
    }
    return {**FORM, **ways, **fields}


def test_my_notices_and_nobody_elses() -> None:
    mine, other = person(), person()
    row, hers = tell(mine), tell(other)
    page = client(mine).get("/notices/").content.decode()
    assert f"WO-{row.subject} &lt;b&gt;grid" in page
    assert f"WO-{hers.subject}" not in page
    api = client(mine).get("/api/v1/notices/").json()
    assert [each["id"] for each in api["results"]] == [row.pk]
    answer = client(mine).post(f"/api/v1/notices/{hers.pk}/read/")
    assert (answer.status_code, answer.json()["code"]) == (404, "notice_not_found")
    assert client(mine).post(f"/notices/{hers.pk}/read/").status_code == 404
    hers.refresh_from_db()
    assert hers.read_at is None


def test_an_admin_made_engineer_sees_no_notice_of_an_admin() -> None:
    mine = person(Role.ADMIN)
    tell(mine, kind="order_escalated")
    assert client(mine).get("/api/v1/notices/").json()["count"] == 1
    mine.role = Role.ENGINEER
    mine.save()
    assert client(mine).get("/api/v1/notices/").json()["count"] == 0
    assert badges.badge("devices:notifications", mine) is None


def test_one_bell_with_two_counts_in_words() -> None:
    mine = person()
    tell(mine), tell(mine)
    tell(mine, read_at=timezone.now())
    tell(mine, way="digest")
    tell(mine, ended_at=timezone.now(), ended_because="the order is done")
    found = badges.badge("devices:notifications", mine)
    assert (found.text, found.words) == ("2", "2 unread notices")
    from tests.devices.test_smtp import queued

    alert = queued()
    Notification.objects.filter(pk=alert.pk).update(
        channel="in_app", state="sent", due_at=None, user=mine
    )
    found = badges.badge("devices:notifications", mine)
    assert (found.text, found.words) == ("3", "1 unread notification, 2 unread notices")
    page = client(mine).get("/notifications/").content.decode()
    assert 'href="/notices/"' in page


def test_all_are_read_and_that_is_undone() -> None:
    mine, other = person(), person()
    first, second, kept = tell(mine), tell(mine), tell(other)
    browser = client(mine)
    browser.post(f"/notices/{first.pk}/read/")
    answer = browser.post("/notices/read/")
    page = browser.get(answer.url).content.decode()
    assert "Undo" in page
    moment = Notice.objects.get(pk=second.pk).read_at
    browser.post("/notices/undo/", {"at": moment.isoformat()})
    assert set(Notice.objects.filter(read_at=None)) == {second, kept}
    browser.post(f"/notices/{first.pk}/read/", {"unread": "1"})
    assert Notice.objects.filter(user=mine, read_at=None).count() == 2
    for bad in ("", "soon", "2026-01-01", "2026-13-40T00:00+00:00"):
        assert browser.post("/notices/undo/", {"at": bad}).status_code == 302
    api = browser.post("/api/v1/notices/read/").json()
    assert api == {"read": 2}
    one = browser.post(f"/api/v1/notices/{first.pk}/read/", {"read": False}, "application/json")
    assert one.json()["read_at"] is None


def test_filters_and_the_digest_page() -> None:
    mine = person()
    row = tell(mine)
    over = tell(mine, ended_at=timezone.now(), ended_because="the order is done")
    browser = client(mine)
    assert f"WO-{over.subject}" not in browser.get("/notices/?show=unread").content.decode()
    page = browser.get("/notices/?show=over").content.decode()
    assert "over: the order is done" in page
    assert f"WO-{row.subject}" not in page
    assert "No notice matches" in browser.get("/notices/?kind=order_hold").content.decode()
    digest = browser.get("/notices/digest/").content.decode()
    assert f"WO-{row.subject}" in digest
    assert f"WO-{over.subject}" not in digest
    assert browser.get("/api/v1/notices/?kind=nothing").status_code == 400


def test_pages_cost_the_same_for_many_rows() -> None:
    mine = person()
    browser = client(mine)

    def queries(page: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(page).status_code == 200
        return len(seen)

    pages = ("/notices/", "/notices/digest/", "/api/v1/notices/")
    tell(mine)
    few = [queries(page) for page in pages]
    row = Notice.objects.get()
    for n in range(30):
        row.pk, row.occasion = None, f"{today()}:{n}"
        row.save()
    assert [queries(page) for page in pages] == few
    assert max(few) <= 20


def test_settings_by_page_with_a_preview_that_saves_nothing() -> None:
    mine = person()
    row = order(mine, today(-1))
    browser = client(mine)
    page = browser.get("/notices/settings/").content.decode()
    assert "an order is escalated" not in page.lower()
    shown = browser.post("/notices/settings/", form_of(mine, preview="1")).content.decode()
    assert f"WO-{row.pk}" in shown
    assert not NoticeSettings.objects.exists()
    off = form_of(
        mine,
        preview="1",
        way_order_due="off",
        way_order_overdue="off",
        way_order_assigned="off",
        ahead="",
    )
    assert f"WO-{row.pk}" not in browser.post("/notices/settings/", off).content.decode()
    given = form_of(mine, ahead="3, 14", quiet_from="22:00", quiet_to="06:00", quiet_days=["5"])
    assert browser.post("/notices/settings/", given).status_code == 302
    saved = NoticeSettings.objects.get()
    assert (saved.ahead, saved.quiet_days) == ([14, 3], [5])
    assert AuditEntry.objects.filter(verb="chose_notices").count() == 1
    assert browser.get("/notices/settings/").status_code == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ahead": "1, 2, 3, 4, 5, 6"}, "At most 5"),
        ({"ahead": "soon"}, "Numbers of days"),
        ({"ahead": "0"}, "each 1 to 90"),
        ({"scope": "rooms"}, "at least one room"),
        ({"quiet_from": "22:00"}, "a begin and an end"),
        ({"quiet_days": [str(n) for n in range(7)]}, "Leave a day"),
        ({"digest_at": "late"}, "Enter a valid time"),
        ({"way_order_due": "pigeon"}, "Select a valid choice"),
    ],
)
def test_settings_that_are_refused_on_the_page(fields: dict[str, Any], words: str) -> None:
    mine = person()
    answer = client(mine).post("/notices/settings/", form_of(mine, **fields))
    assert answer.status_code == 400
    assert words in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ways": {"order_escalated": "email"}}, "unknown_kind"),  # not an engineer's
        ({"ways": {"no_such": "email"}}, "unknown_kind"),
        ({"ways": {"order_due": "pigeon"}}, "unknown_way"),
        ({"ahead": [0]}, "bad_days_ahead"),
        ({"scope": "some"}, "unknown_scope"),
        ({"scope": "rooms", "rooms": [" "]}, "no_rooms"),
        ({"rooms": [str(n) for n in range(101)]}, "too_many_rooms"),
        ({"quiet_to": timezone.now().time()}, "quiet_hours_half"),
        ({"quiet_days": [7]}, "bad_quiet_days"),
        ({"quiet_days": list(range(7))}, "all_days_quiet"),
    ],
)
def test_settings_that_the_service_refuses(fields: dict[str, Any], code: str) -> None:
    mine = person()
    with pytest.raises(InvalidInputError) as error:
        choose(mine, **fields)
    assert error.value.code == code
    assert not NoticeSettings.objects.exists()


def test_settings_by_rest_go_round() -> None:
    mine = person(Role.ADMIN)
    browser = client(mine)
    body = browser.get("/api/v1/notice-settings/").json()
    assert (body["scope"], body["ahead"]) == ("all", [7, 1])
    assert body["ways"]["order_escalated"] == "email"
    body |= {"ahead": [2], "quiet_days": [6], "ways": {"order_due": "off"}}
    put = browser.put("/api/v1/notice-settings/", body, "application/json")
    assert put.status_code == 200, put.content
    again = browser.get("/api/v1/notice-settings/").json()
    assert (again["ahead"], again["quiet_days"], again["ways"]["order_due"]) == ([2], [6], "off")
    body["ways"] = {"order_escalated": "off"}
    refused = browser.put("/api/v1/notice-settings/", body, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "cannot_be_off")


def test_admins_see_who_gets_what_and_settle_the_policy() -> None:
    admin, engineer = person(Role.ADMIN), person(scope="rooms", rooms=["R7"])
    browser = client(admin)
    page = browser.get("/notices/who/").content.decode()
    assert engineer.username in page
    assert "R7" in page
    given = {"escalate_days": 5, "hold_days": 10, "reason": "parts take long", "seen": 0}
    assert browser.post("/notices/policy/", given).status_code == 302
    assert browser.post("/notices/policy/", given).status_code == 409
    assert "parts take long" in browser.get("/notices/policy/").content.decode()
    api = browser.get("/api/v1/notice-policy/").json()
    assert (api["number"], api["escalate_days"]) == (1, 5)
    made = browser.post("/api/v1/notice-policy/", {**given, "seen": 1, "hold_days": 3})
    assert (made.status_code, made.json()["number"]) == (201, 2)
    for page in ("/notices/who/", "/notices/policy/"):
        assert client(engineer).get(page).status_code == 403
    assert AuditEntry.objects.filter(verb="settled_notice_policy").count() == 2


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"escalate_days": 0}, "bad_days"),
        ({"hold_days": 91}, "bad_days"),
        ({"reason": " "}, "reason_missing"),
        ({"escalate_days": 3, "hold_days": 7}, "nothing_changes"),
    ],
)
def test_a_policy_that_is_refused(fields: dict[str, Any], code: str) -> None:
    given = {"escalate_days": 4, "hold_days": 4, "reason": "why", **fields}
    with pytest.raises(InvalidInputError) as error:
        policies.settle(user=person(Role.ADMIN), now=timezone.now(), **given)
    assert error.value.code == code
    assert not NoticePolicy.objects.exists()


def test_of_two_admins_the_database_takes_one() -> None:
    admin = person(Role.ADMIN)
    given = {"escalate_days": 4, "hold_days": 4, "reason": "why"}
    policies.settle(user=admin, now=timezone.now(), **given)
    with pytest.raises(ConflictError) as error:
        policies.settle(user=admin, now=timezone.now(), seen=0, **{**given, "hold_days": 5})
    assert error.value.code == "policy_changed"


def test_letters_of_others_are_an_admins_alone() -> None:
    from devices.services import outbox

    mine, other, admin = person(), person(), person(Role.ADMIN)
    post = outbox.Post(
        user_id=other.pk, letter="notice", occasion="x", text="hers", path="/", due_at=timezone.now(),
    )  # fmt: skip
    (row,) = outbox.post([post], timezone.now())
    for who, status in ((mine, 404), (other, 200), (admin, 200)):
        assert client(who).get(f"/alerts/deliveries/{row.pk}/").status_code == status
        assert client(who).get(f"/api/v1/alert-deliveries/{row.pk}/").status_code == status
        listed = client(who).get("/alerts/deliveries/").content.decode()
        assert ("hers" in listed) == (status == 200)
    with pytest.raises(NotFoundError):
        outbox.get(row.pk, mine)
    later = timezone.now() + timedelta(seconds=1)
    assert not outbox.deliver(notification_id=row.pk, now=later)
    row.refresh_from_db()
    assert (row.state, row.dropped_because) == ("dropped", "nobody tells of this any more")
    assert "Not sent because" in client(admin).get(f"/alerts/deliveries/{row.pk}/").content.decode()


def test_a_clinician_has_none_of_it() -> None:
    clinician = client(person(Role.CLINICIAN))
    for page in ("", "digest/", "settings/", "who/", "policy/"):
        assert clinician.get(f"/notices/{page}").status_code == 403
    assert clinician.get("/api/v1/notices/").status_code == 403
