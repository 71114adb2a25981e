"""What happens between writing and sending, and when something fails in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from accounts.permissions import Role
from devices import notice_kinds
from devices.models import DeliveryAttempt, Notification, WorkOrder
from devices.services import orders, outbox
from notices.models import Notice
from notices.services import telling

from .rows import DAY, at, choose, order, person, told

pytestmark = pytest.mark.django_db
DUE = date(2027, 3, 10)


def run(moment: datetime) -> int:
    return telling.tell_all(now=moment)


def start(moment: datetime) -> None:
    """As if the house had looked up to here."""
    run(moment)
    Notice.objects.all().delete()


def deliver(moment: datetime) -> list[bool]:
    return [outbox.deliver(notification_id=pk, now=moment) for pk in outbox.due(now=moment)]


def test_what_changes_between_writing_and_sending_is_not_sent_and_says_why() -> None:
    engineer = person(quiet_from=at(DUE, "22:00").time(), quiet_to=at(DUE, "08:00").time())
    start(at(DUE - 20 * DAY))
    rows = [order(engineer, DUE, title=f"order {n}") for n in range(6)]
    run(at(DUE + DAY))
    Notification.objects.exclude(user=engineer).delete()
    assert deliver(at(DUE + DAY, "07:59")) == []
    orders.cancel(order=rows[0], actor=engineer, reason="no need")
    orders.assign(order=rows[1], actor=engineer, assignee=None)
    WorkOrder.objects.filter(pk=rows[2].pk).update(due_on=DUE + 9 * DAY)
    Notice.objects.filter(subject=rows[3].pk).update(read_at=at(DUE + DAY))
    assert deliver(at(DUE + DAY, "08:00")).count(True) == 2
    why = dict(
        Notification.objects.filter(state="dropped").values_list(
            "notice__subject", "dropped_because"
        )
    )
    assert why == {
        rows[0].pk: "the order was cancelled",
        rows[1].pk: "somebody else has the order",
        rows[2].pk: "it has another due date",
        rows[3].pk: "it was read in the app meanwhile",
    }
    assert len(mail.outbox) == DeliveryAttempt.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"is_active": False}, "the account is switched off"),
        ({"role": Role.CLINICIAN}, "this person may not be told of it any more"),
    ],
)
def test_an_email_to_who_may_not_have_it_any_more(change: dict[str, Any], why: str) -> None:
    engineer = person()
    start(at(DUE - 20 * DAY))
    order(engineer, DUE)
    run(at(DUE + DAY))
    for name, value in change.items():
        setattr(engineer, name, value)
    engineer.save()
    assert deliver(at(DUE + DAY)) == [False]
    assert Notification.objects.get().dropped_because == why


def test_the_email_of_a_kind_that_was_switched_off_meanwhile() -> None:
    engineer = person()
    start(at(DUE - 20 * DAY))
    order(engineer, DUE)
    run(at(DUE + DAY))
    choose(engineer, ways={"order_overdue": "in_app"})
    assert deliver(at(DUE + DAY)) == [False]
    assert "wants no e-mails" in Notification.objects.get().dropped_because


def test_without_a_mail_server_it_is_told_in_the_app(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    engineer = person()
    start(at(DUE - 20 * DAY))
    order(engineer, DUE)
    run(at(DUE + DAY))
    rows = Notice.objects.filter(user=engineer, ended_at=None)
    assert list(rows.values_list("kind", "way")) == [("order_overdue", "in_app")]
    assert not Notification.objects.exists()


def test_an_end_in_the_middle_leaves_whole_kinds_and_the_next_run_tells_the_rest(
    monkeypatch: Any,
) -> None:
    engineer = person(ways={"order_overdue": "email", "order_due": "email"})
    start(at(DUE - 20 * DAY))
    for n in range(6):
        order(engineer, DUE - n * DAY)
    monkeypatch.setattr(telling, "BATCH", 2)
    real, calls = telling._write, []

    def dies(*args: Any) -> int:
        calls.append(args)
        if len(calls) == 3:
            raise SystemExit
        return real(*args)

    monkeypatch.setattr(telling, "_write", dies)
    with pytest.raises(SystemExit), transaction.atomic():
        run(at(DUE))
    assert not Notice.objects.exists()
    assert not Notification.objects.exists()
    monkeypatch.setattr(telling, "_write", real)
    assert run(at(DUE)) > 6
    assert run(at(DUE)) == 0
    assert Notice.objects.filter(user=engineer, kind="order_overdue").count() == 5
    assert Notification.objects.filter(user=engineer).count() == 6


def test_a_kind_that_fails_keeps_no_other_back(monkeypatch: Any) -> None:
    engineer = person()
    start(at(DUE - 20 * DAY))
    order(engineer, DUE)
    broken = replace(notice_kinds.kind("order_coming"), happened=lambda span: 1 / 0)
    monkeypatch.setitem(notice_kinds._kinds, "order_coming", broken)
    with pytest.raises(ZeroDivisionError):
        run(at(DUE))
    assert told(engineer, kind="order_due")


def test_hostile_titles_stay_text() -> None:
    engineer = person()
    start(at(DUE - 20 * DAY))
    title = "<script>alert(1)</script>\u202e Bcc: x@example.org"
    order(engineer, DUE, title=title)
    run(at(DUE + DAY))
    assert deliver(at(DUE + DAY)) == [True]
    (sent,) = mail.outbox
    assert "\n" not in sent.subject
    assert sent.to == [engineer.email]
    assert sent.bcc == []
