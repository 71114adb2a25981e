"""When alerts escalate and what is one incident: settled by admins, kept, audited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEntry
from devices.models import AlertGroup, AlertPolicy
from devices.selectors.alert_policy import policy_now
from devices.services import alert_news, alert_policy
from tests.devices import factories as f
from tests.devices.alert_bench import Ward, news, subscribe
from tests.devices.test_events import in_threads
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def settle(escalate: int, group: int, **given: Any) -> AlertPolicy:
    given = {"user": f.user("admin"), "reason": "nights", "now": timezone.now(), **given}
    return alert_policy.settle(escalate_minutes=escalate, group_minutes=group, **given)


def test_until_somebody_settles_the_settings_hold(settings: Any) -> None:
    settings.ALERT_ESCALATE_MINUTES, settings.ALERT_GROUP_MINUTES = 17, 3
    now = policy_now()
    assert (now.number, now.escalate_minutes, now.group_minutes) == (0, 17, 3)
    made = settle(5, 60)
    assert (policy_now(), made.number, made.by_name) == (made, 1, str(made.by))
    entry = AuditEntry.objects.get(verb="settled_alert_policy")
    assert (entry.actor, entry.detail) == (
        made.by, {"escalate_minutes": 5, "group_minutes": 60},
    )  # fmt: skip


def test_alerts_follow_it_those_that_are_open_too() -> None:
    subscribe()
    ward = Ward()
    ward.supply()
    head = ward.feed(ward.machines[0], 11)
    assert alert_news.escalate(now=ward.now + 6 * MINUTE) == 0
    settle(5, 60)
    assert alert_news.escalate(now=ward.now + 6 * MINUTE) == 1
    assert head.notes.last().text == "Nobody acknowledged it within 5 min."
    late = ward.feed(ward.machines[1], 11, minutes=50)
    assert (late.withheld, AlertGroup.objects.get().head) == ("grouped", head)
    settle(30, 10)
    assert ward.feed(ward.machines[2], 11, minutes=50).withheld == ""
    assert len(news()) == 3


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"escalate": 0, "group": 10}, "bad_minutes"),
        ({"escalate": 30, "group": 241}, "bad_minutes"),
        ({"escalate": 30, "group": 10}, "nothing_changes"),
        ({"escalate": 5, "group": 10, "reason": " "}, "reason_missing"),
        ({"escalate": 5, "group": 10, "reason": "x" * 301}, "reason_too_long"),
    ],
)
def test_what_is_refused(given: dict[str, Any], code: str, settings: Any) -> None:
    settings.ALERT_ESCALATE_MINUTES, settings.ALERT_GROUP_MINUTES = 30, 10
    with pytest.raises(InvalidInputError) as error:
        settle(given.pop("escalate"), given.pop("group"), **given)
    assert error.value.code == code
    assert not AlertPolicy.objects.exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_of_two_admins_one_settles() -> None:
    users = [f.user("admin"), f.user("admin")]
    errors = in_threads(2, lambda i: settle(5 + i, 20, seen=0, user=users[i]))
    assert [type(error) for error in errors] == [ConflictError]
    assert AlertPolicy.objects.count() == 1


def test_the_page_and_rest(client: Any) -> None:
    client.force_login(f.user())
    assert "Admins change it." in client.get("/alerts/policy/").content.decode()
    assert 'href="/alerts/policy/"' in client.get("/alerts/").content.decode()
    form = {"escalate_minutes": 45, "group_minutes": 20, "reason": "<b>nights</b>", "seen": 0}
    assert client.post("/alerts/policy/", form).status_code == 403
    client.force_login(f.user("admin"))
    assert client.post("/alerts/policy/", {**form, "group_minutes": 0}).status_code == 400
    assert client.post("/alerts/policy/", form).status_code == 302
    stale = client.post("/alerts/policy/", {**form, "escalate_minutes": 46})
    assert stale.status_code == 409
    assert "Another admin has changed the policy" in stale.content.decode()
    page = client.get("/alerts/policy/").content.decode()
    assert "45 min after an act alert" in page
    assert "&lt;b&gt;nights" in page
    told = client.get("/api/v1/alert-policy/").json()
    assert told["policy"] == told["history"][0]
    assert (told["policy"]["number"], told["policy"]["group_minutes"]) == (1, 20)
    body = {"escalate_minutes": 30, "group_minutes": 15, "reason": "days", "seen": 1}
    made = client.post("/api/v1/alert-policy/", body, content_type="application/json")
    assert (made.status_code, made.json()["number"]) == (201, 2)
    again = client.post("/api/v1/alert-policy/", body, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "policy_changed")
