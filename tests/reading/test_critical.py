"""Critical results: who is told when, what closes one, what two beats at once do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts.models import AuditEntry, User
from accounts.permissions import Role
from reading.models import CriticalAttempt, CriticalResult, OnCallList
from reading.read_back import repeats
from reading.services import critical
from tests.detection.factories import make_image, make_user
from twinhealth.errors import ConflictError, InvalidInputError, NotPermittedError

pytestmark = pytest.mark.django_db
TEXT = "Tension pneumothorax right, 3 cm"


@pytest.fixture
def people(db: None) -> list[User]:
    return [make_user(Role.CLINICIAN, display_name=f"Dr {n}") for n in ("Author", "One", "Two")]


@pytest.fixture
def result(people: list[User]) -> CriticalResult:
    on_call = OnCallList.objects.create(name="Thorax")
    for position, user in enumerate(people[1:], start=1):
        on_call.steps.create(position=position, user=user, minutes=10 * position)
    return critical.report(
        image_id=make_image().pk, user=people[0], text=TEXT, on_call_id=on_call.pk
    )


def told(result: CriticalResult) -> list[str]:
    return [a.user_name for a in CriticalAttempt.objects.filter(result=result)]


def test_the_first_is_told_at_once_and_nobody_else_before_time(result: CriticalResult) -> None:
    assert told(result) == ["Dr One"]
    assert critical.escalate(now=result.opened_at + timedelta(minutes=9)) == 0
    assert told(result) == ["Dr One"]


def test_it_walks_down_the_list_once_per_step_and_stays_open(result: CriticalResult) -> None:
    later = result.opened_at + timedelta(minutes=11)
    assert [critical.escalate(now=later), critical.escalate(now=later)] == [1, 0]
    assert told(result) == ["Dr One", "Dr Two"]
    assert critical.escalate(now=later + timedelta(minutes=21)) == 1
    result.refresh_from_db()
    assert result.exhausted
    assert told(result) == ["Dr One", "Dr Two"]
    assert critical.escalate(now=later + timedelta(days=1)) == 0
    assert AuditEntry.objects.filter(verb="exhausted_critical").count() == 1


def test_a_closed_account_is_passed_over_and_noted(
    result: CriticalResult, people: list[User]
) -> None:
    User.objects.filter(pk=people[2].pk).update(is_active=False)
    critical.escalate(now=result.opened_at + timedelta(minutes=11))
    result.refresh_from_db()
    assert result.exhausted
    assert result.attempts.get(step=2).outcome == "inactive"


def test_only_a_read_back_that_repeats_it_acknowledges(
    result: CriticalResult, people: list[User]
) -> None:
    for said, code in (
        ("  ", "text_required"),
        ("ok", "read_back_differs"),
        ("tension pneumothorax left, 3 cm", "read_back_differs"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            critical.acknowledge(result_id=result.pk, user=people[1], read_back=said)
        assert caught.value.code == code
    with pytest.raises(ConflictError) as own:
        critical.acknowledge(result_id=result.pk, user=people[0], read_back=TEXT)
    assert own.value.code == "own_result"
    said = "right tension PNEUMOTHORAX of 3 cm"
    for _ in range(2):
        closed = critical.acknowledge(result_id=result.pk, user=people[1], read_back=said)
    assert (closed.state, closed.closed_by_name) == ("acknowledged", "Dr One")
    assert critical.escalate(now=result.opened_at + timedelta(days=1)) == 0
    with pytest.raises(ConflictError):
        critical.cancel(result_id=result.pk, user=people[0], reason="wrong film")
    assert AuditEntry.objects.filter(verb="acknowledged_critical").count() == 1


def test_its_author_alone_cancels_it_with_a_reason(
    result: CriticalResult, people: list[User]
) -> None:
    with pytest.raises(NotPermittedError):
        critical.cancel(result_id=result.pk, user=people[1], reason="wrong film")
    with pytest.raises(InvalidInputError):
        critical.cancel(result_id=result.pk, user=people[0], reason="")
    assert critical.cancel(result_id=result.pk, user=people[0], reason="wrong film").closed_at


def test_attempts_are_only_ever_added(result: CriticalResult) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        CriticalAttempt.objects.update(outcome="inactive")


def test_a_denial_that_appears_or_vanishes_is_no_repeat() -> None:
    assert not repeats("no pneumothorax seen", "pneumothorax seen")
    assert not repeats("pneumothorax seen", "no pneumothorax seen")
    assert repeats("Pneumothorax seen.", "pneumothorax SEEN")
