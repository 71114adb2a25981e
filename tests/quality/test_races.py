"""Two people who sign one session at once, and two machines' sessions beside each other."""

from __future__ import annotations

import pytest
from django.db import connection

from devices.models import Alert, DegradedSpan
from quality.models import QASession
from quality.services import sessions, signing
from tests.devices import factories as f
from tests.devices.test_events import in_threads
from tests.quality import rows
from twinhealth.errors import ConflictError

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]


def test_one_of_four_signs_and_the_others_are_told() -> None:
    device = rows.machine()
    protocol = rows.protocol(device)
    session = rows.draft(protocol, device, 1, kv=90)
    people = [f.user() for _ in range(4)]
    told: list[str] = []

    def work(number: int) -> None:
        try:
            mine = QASession.objects.get(pk=session.pk)
            signing.sign(session=mine, actor=people[number], signature=f"Person {number}")
        except ConflictError as error:
            told.append(error.code)

    assert in_threads(4, work) == []
    assert told == ["already_signed"] * 3
    assert session.results.count() == 3
    assert Alert.objects.count() == DegradedSpan.objects.count() == 1


def test_of_two_failures_at_once_one_alert_and_one_mark_come() -> None:
    device = rows.machine()
    protocol = rows.protocol(device)
    drafts = [rows.draft(protocol, device, days, kv=90) for days in (3, 2, 1)]
    who = f.user()
    errors = in_threads(
        3, lambda n: signing.sign(session=drafts[n], actor=who, signature="W") and None
    )
    assert errors == []
    assert Alert.objects.count() == DegradedSpan.objects.count() == 1


def test_a_session_is_corrected_once() -> None:
    device = rows.machine()
    session = rows.signed(rows.protocol(device), device)
    who = f.user()
    told: list[str] = []

    def work(number: int) -> None:
        try:
            sessions.correct(session=session, actor=who, reason=f"reason {number}")
        except ConflictError as error:
            told.append(error.code)

    assert in_threads(3, work) == []
    assert told == ["already_superseded"] * 2
