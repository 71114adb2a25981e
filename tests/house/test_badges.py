"""What waits for somebody shows on the left rail, and only to those who look after it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from detection.models import ReRead
from devices.models import Alert, InboxEntry
from imaging.models import QuarantinedFile
from reading.models import CriticalResult
from twinhealth.web import badges

from . import hospital

pytestmark = pytest.mark.django_db
_NOW = timezone.now()
FIRST = {Role.CLINICIAN: "/worklist/", Role.ENGINEER: "/devices/", Role.ADMIN: "/users/"}


@pytest.fixture
def rail() -> Callable[[str], dict[str, str]]:
    """Entry of the rail -> what its badge says, for one role."""
    hospital.build()

    def look(role: str) -> dict[str, str]:
        client = Client()
        client.force_login(User.objects.create_user(f"looking-{role}", role=role))
        html = client.get(FIRST[Role(role)]).content.decode()
        entries = re.search(r'<ul class="rail-list">(.*?)</ul>', html, re.DOTALL)[1].split("</li>")
        found = {}
        for entry in entries[:-1]:
            label = re.search(r"<span>([^<]+)</span>", entry)[1]
            title = re.search(r'class="rail-count" title="([^"]+)"', entry)
            found[label] = title[1] if title else ""
        return found

    return look


def test_everybody_sees_what_is_theirs(rail):
    clinician, engineer, admin = (rail(role) for role in FIRST)
    assert clinician.pop("Quarantine") == "1 file in quarantine"
    assert clinician.pop("Machines") == "1 film to re-read"
    assert clinician.pop("Critical") == ""  # told to another
    assert not any(clinician.values())
    assert (engineer["Alerts"], engineer["Inbox"]) == ("1 open alert", "1 unknown machine")
    assert not any("quarantine" in words for words in engineer.values())
    assert admin["Alerts"] == "1 open alert"
    assert admin["Audit"] == "1 file in quarantine"


def test_a_critical_result_is_counted_for_whom_it_waits(rail):
    rail(Role.CLINICIAN)
    told = User.objects.get(username="walked-user")
    other = User.objects.get(username="looking-clinician")
    assert badges.badge("reading:critical", told).words == "1 critical result waits for you"
    assert badges.badge("reading:critical", other) is None
    CriticalResult.objects.update(next_at=None)  # nobody is left on the list
    assert badges.badge("reading:critical", other).words == "1 critical result waits for you"


def test_nothing_waits_nothing_shows(rail):
    QuarantinedFile.objects.update(state="dismissed")
    Alert.objects.update(state="acknowledged")
    InboxEntry.objects.update(state="dismissed")
    CriticalResult.objects.all().delete()
    ReRead.objects.update(state="dropped")
    for role in FIRST:
        assert not any(rail(role).values())


def test_an_admin_reaches_quarantine_from_the_audit_page(rail):
    rail(Role.ADMIN)
    client = Client()
    client.force_login(User.objects.get(username="looking-admin"))
    html = client.get("/audit/").content.decode()
    assert 'href="/quarantine/"' in html
    assert "1 file in quarantine</a>" in html
    assert client.get("/quarantine/").status_code == 200


def test_many_are_not_counted_to_the_end(django_assert_num_queries):
    InboxEntry.objects.bulk_create(
        InboxEntry(serial=f"S{n}", first_seen_at=_NOW, last_seen_at=_NOW) for n in range(150)
    )
    with django_assert_num_queries(1):
        found = badges.badge("devices:inbox", None)
    assert (found.text, found.words) == ("99+", "99+ unknown machines")
    assert badges.badge("nobody:counts", None) is None


def test_fragments_count_nothing(rail, django_assert_max_num_queries):
    rail(Role.ENGINEER)
    client = Client()
    client.force_login(User.objects.get(username="looking-engineer"))
    with django_assert_max_num_queries(60) as asked:
        client.get("/devices/", headers={"HX-Request": "true"})
    assert not [q for q in asked if "inboxentry" in q["sql"]]
