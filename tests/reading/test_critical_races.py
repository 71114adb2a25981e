"""Two beats, two workers, two readers at once: threads with connections of their own."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.core import mail

from accounts.models import AuditEntry, User
from reading.models import CriticalAttempt, CriticalEmail, CriticalResult, OnCallList
from reading.services import critical, critical_email
from tests.detection.factories import make_image, make_user
from tests.detection.test_races import hammer

pytestmark = pytest.mark.django_db(transaction=True)
RESULTS = 4
TEXT = "free air"


@pytest.fixture
def people() -> list[User]:
    return [make_user(email=f"{n}@hospital.example") for n in range(4)]


@pytest.fixture
def results(people: list[User]) -> list[CriticalResult]:
    on_call = OnCallList.objects.create(name="Abdomen")
    for position, user in enumerate(people[1:], start=1):
        on_call.steps.create(position=position, user=user, minutes=5)
    return [
        critical.report(image_id=make_image().pk, user=people[0], text=TEXT, on_call_id=on_call.pk)
        for _ in range(RESULTS)
    ]


def test_beats_at_once_tell_each_step_once(results: list[CriticalResult]) -> None:
    now = results[-1].opened_at
    for told in (2, 3):
        now += timedelta(minutes=6)
        assert hammer([partial(critical.escalate, now=now)] * 3) == {"ok": 3}
        for result in results:
            steps = [a.step for a in CriticalAttempt.objects.filter(result=result, how="in_app")]
            assert sorted(steps) == list(range(1, told + 1))
    assert AuditEntry.objects.filter(verb="escalated_critical").count() == 2 * RESULTS
    now += timedelta(minutes=6)
    hammer([partial(critical.escalate, now=now)] * 3)
    assert AuditEntry.objects.filter(verb="exhausted_critical").count() == RESULTS
    assert CriticalEmail.objects.count() == 3 * RESULTS


def test_workers_at_once_send_each_email_once(results: list[CriticalResult]) -> None:
    for pk in CriticalEmail.objects.values_list("pk", flat=True):
        hammer([partial(critical_email.send, email_id=pk)] * 4)
    assert len(mail.outbox) == RESULTS
    assert CriticalAttempt.objects.filter(how="email", outcome="sent").count() == RESULTS


def test_a_beat_and_a_read_back_at_once_leave_it_closed(
    results: list[CriticalResult], people: list[User]
) -> None:
    now = results[-1].opened_at + timedelta(minutes=6)
    for result in results:
        acts = [
            partial(critical.escalate, now=now),
            partial(critical.acknowledge, result_id=result.pk, user=people[1], read_back=TEXT),
        ]
        assert hammer(acts) == {"ok": 2}
        result.refresh_from_db()
        assert (result.state, result.next_at) == ("acknowledged", None)
