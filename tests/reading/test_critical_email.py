"""E-mails of critical results: at most one per step, no word of the patient, and an honest end."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.permissions import Role
from reading.models import CriticalEmail, CriticalResult, OnCallList
from reading.services import critical, critical_email
from tests.detection.factories import make_image, make_user

pytestmark = pytest.mark.django_db
TEXT = "Tension pneumothorax right of Secret^Name"


@pytest.fixture
def people(db: None) -> list[User]:
    return [
        make_user(Role.CLINICIAN, display_name=f"Dr {n}", email=f"{n.lower()}@hospital.example")
        for n in ("Author", "One", "Two")
    ]


@pytest.fixture
def result(people: list[User]) -> CriticalResult:
    on_call = OnCallList.objects.create(name="Thorax")
    for position, user in enumerate(people[1:], start=1):
        on_call.steps.create(position=position, user=user, minutes=10)
    return critical.report(
        image_id=make_image().pk, user=people[0], text=TEXT, on_call_id=on_call.pk
    )


def ends(result: CriticalResult) -> list[tuple[int, str, str]]:
    rows = result.attempts.filter(how="email").order_by("step")
    return list(rows.values_list("step", "outcome", "reason"))


def send_due(now: Any = None) -> list[bool]:
    return [critical_email.send(email_id=pk, now=now) for pk in critical_email.due(now=now)]


class Refusing(EmailBackend):
    """A mail server that raises what a test says, when it is reached or when it is handed mail."""

    when_opened: Exception | None = None
    when_sent: Exception | None = None

    def open(self) -> None:
        if self.when_opened:
            raise self.when_opened

    def send_messages(self, messages: Any) -> int:
        if self.when_sent:
            raise self.when_sent
        return super().send_messages(messages)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, settings: Any) -> type[Refusing]:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    monkeypatch.setattr(Refusing, "when_opened", None)
    monkeypatch.setattr(Refusing, "when_sent", None)
    monkeypatch.setattr(critical_email, "get_connection", Refusing)
    return Refusing


def test_the_person_of_the_step_gets_one_that_names_nobody(result: CriticalResult) -> None:
    assert send_due() == [True]
    assert send_due() == []
    assert critical_email.send(email_id=CriticalEmail.objects.get().pk) is False
    (message,) = mail.outbox
    assert message.to == ["one@hospital.example"]
    whole = str(message.message())
    assert "https://testserver/critical/" in whole
    patient = result.image.series.study.patient
    for secret in ("pneumothorax", "Secret", patient.identifier, "Dr Author", "Thorax"):
        assert secret not in whole
    assert ends(result) == [(1, "sent", "")]
    assert AuditEntry.objects.get(verb="emailed_critical").detail == {"step": 1, "sent": True}


def test_the_next_step_has_its_own_and_two_beats_make_no_second(result: CriticalResult) -> None:
    later = result.opened_at + timedelta(minutes=11)
    critical.escalate(now=later)
    critical.escalate(now=later)
    send_due(later)
    assert [m.to for m in mail.outbox] == [["one@hospital.example"], ["two@hospital.example"]]
    with pytest.raises(IntegrityError), transaction.atomic():
        CriticalEmail.objects.create(result=result, step=1, user=result.told, due_at=later)


def test_without_an_address_or_an_open_account_there_is_none(people: list[User]) -> None:
    User.objects.filter(pk=people[1].pk).update(email="")
    User.objects.filter(pk=people[2].pk).update(is_active=False)
    on_call = OnCallList.objects.create(name="Thorax")
    for position, user in enumerate(people[1:], start=1):
        on_call.steps.create(position=position, user=user, minutes=10)
    found = critical.report(
        image_id=make_image().pk, user=people[0], text=TEXT, on_call_id=on_call.pk
    )
    critical.escalate(now=found.opened_at + timedelta(minutes=11))
    assert not CriticalEmail.objects.exists()


def test_a_server_that_is_away_is_asked_again_ever_later_and_then_given_up(
    result: CriticalResult, server: type[Refusing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "when_opened", ConnectionRefusedError("refused"))
    now = timezone.now()
    pauses = []
    while CriticalEmail.objects.get().state == "queued":
        assert send_due(now) == [False]
        assert send_due(now) == []  # not before its time
        row = CriticalEmail.objects.get()
        if row.due_at:
            pauses.append((row.due_at - now).total_seconds())
            now = row.due_at
    assert pauses == [15, 30, 60, 120, 240]
    ((step, outcome, reason),) = ends(result)
    assert (step, outcome) == (1, "failed")
    assert "can't be reached" in reason
    assert mail.outbox == []


def test_what_was_refused_for_now_arrives_later(
    result: CriticalResult, server: type[Refusing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "when_sent", smtplib.SMTPDataError(451, b"greylisted"))
    assert send_due() == [False]
    assert ends(result) == []
    monkeypatch.setattr(server, "when_sent", None)
    assert send_due(timezone.now() + timedelta(seconds=16)) == [True]
    assert len(mail.outbox) == 1
    assert ends(result) == [(1, "sent", "")]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (smtplib.SMTPDataError(554, b"no"), "refused it with code 554"),
        (smtplib.SMTPRecipientsRefused({"x": (550, b"unknown")}), "refused the address"),
        (smtplib.SMTPServerDisconnected("gone"), "isn't known whether it left"),
        (TimeoutError("slow"), "isn't known whether it left"),
    ],
)
def test_what_may_have_left_or_never_will_is_not_tried_again(
    result: CriticalResult,
    server: type[Refusing],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    words: str,
) -> None:
    monkeypatch.setattr(server, "when_sent", error)
    assert send_due() == [False]
    ((_, outcome, reason),) = ends(result)
    assert outcome == "failed"
    assert words in reason
    assert send_due(timezone.now() + timedelta(days=1)) == []


def test_a_worker_that_died_over_it_leaves_a_failure_not_a_second_one(
    result: CriticalResult,
) -> None:
    now = timezone.now()
    CriticalEmail.objects.update(state="sending", due_at=None, taken_at=now)
    assert critical_email.due(now=now + timedelta(seconds=60)) == []
    assert ends(result) == []
    assert critical_email.due(now=now + timedelta(seconds=200)) == []
    assert [outcome for _, outcome, _ in ends(result)] == ["failed"]
    assert critical_email.due(now=now + timedelta(seconds=300)) == []


def test_once_it_is_closed_nobody_is_written_to(result: CriticalResult, people: list[User]) -> None:
    critical.cancel(result_id=result.pk, user=people[0], reason="wrong film")
    assert send_due() == [False]
    assert mail.outbox == []
    assert ends(result) == [(1, "failed", "the result was cancelled before")]


def test_without_a_mail_server_the_attempt_says_so(result: CriticalResult, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    send_due()
    assert ends(result) == [(1, "failed", "no mail server is set (EMAIL_HOST)")]
    client = Client()
    client.force_login(result.told)
    html = client.get("/critical/").content.decode()
    assert "e-mail: not sent (no mail server is set (EMAIL_HOST))" in html


def test_an_admin_gives_the_address(people: list[User]) -> None:
    client = Client()
    client.force_login(make_user(Role.ADMIN))
    one = people[1]
    sent = {"display_name": "Dr One", "role": "clinician", "email": "new@hospital.example"}
    assert client.post(f"/users/{one.pk}/", sent).status_code == 302
    one.refresh_from_db()
    assert one.email == "new@hospital.example"
    bad = client.post(f"/users/{one.pk}/", sent | {"email": "a@b\nBcc: c@d"})
    assert bad.status_code == 400
    answer = client.patch(
        f"/api/v1/users/{one.pk}/", {"email": ""}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["email"]) == (200, "")
