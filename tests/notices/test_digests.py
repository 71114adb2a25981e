"""The daily digest: whose, when, what is in it; and quiet hours and days behind all e-mails."""

from __future__ import annotations

import email
from datetime import UTC, date, datetime, time, timedelta
from email import policy
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.permissions import Role
from devices.models import DeliveryAttempt, Notification
from devices.quiet_hours import next_moment
from devices.services import orders, outbox
from notices import selectors
from notices.models import Digest, Notice
from notices.services import digests, telling
from tests.devices.maintenance_rows import make_order
from tests.devices.test_smtp import Server, sink

from .rows import DAY, at, choose, order, person

pytestmark = pytest.mark.django_db
__all__ = ["sink"]
BERLIN = ZoneInfo("Europe/Berlin")
DUE = date(2027, 3, 10)


@pytest.fixture
def berlin(settings: object) -> None:
    settings.TIME_ZONE = "Europe/Berlin"  # type: ignore[attr-defined]
    timezone.get_default_timezone.cache_clear()
    yield
    timezone.get_default_timezone.cache_clear()


def deliver(moment: datetime) -> list[bool]:
    return [outbox.deliver(notification_id=pk, now=moment) for pk in outbox.due(now=moment)]


# --- quiet hours and days


@pytest.mark.parametrize(
    ("moment", "until", "expected"),
    [
        # 2027-03-28: 02:00 to 03:00 is jumped over
        ("2027-03-28T00:30+01:00", "02:30", "2027-03-28T03:30+02:00"),
        ("2027-03-28T01:59+01:00", "06:00", "2027-03-28T06:00+02:00"),
        # 2026-10-25: 02:00 to 03:00 comes twice
        ("2026-10-25T01:30+02:00", "02:30", "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:10+01:00", "02:30", "2026-10-25T02:30+01:00"),
        ("2026-10-25T02:40+02:00", "02:30", "2026-10-25T02:40+02:00"),
        ("2026-10-25T02:40+02:00", "06:00", "2026-10-25T06:00+01:00"),
    ],
)
def test_quiet_hours_over_midnight_when_the_clock_changes(
    moment: str, until: str, expected: str
) -> None:
    found = next_moment(datetime.fromisoformat(moment), time(22), time.fromisoformat(until), BERLIN)
    assert found.astimezone(UTC) == datetime.fromisoformat(expected).astimezone(UTC)


def test_quiet_days_go_over_into_quiet_hours() -> None:
    friday = datetime(2026, 11, 27, 23, tzinfo=BERLIN)
    found = next_moment(friday, time(22), time(6), BERLIN, [5, 6])
    assert found == datetime(2026, 11, 30, 6, tzinfo=BERLIN)
    assert next_moment(friday, None, None, BERLIN, range(7)) == friday


@given(
    st.integers(0, 700 * 24 * 60),
    st.times(), st.times(), st.sets(st.integers(0, 6), max_size=6),
)  # fmt: skip
def test_the_next_moment_is_never_earlier_and_never_quiet(
    minutes: int, start: time, end: time, days: set[int]
) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = next_moment(moment, start, end, BERLIN, days).astimezone(UTC)
    assert found >= moment
    assert next_moment(found, start, end, BERLIN, days).astimezone(UTC) == found
    assert found.astimezone(BERLIN).weekday() not in days
    assert found - moment < timedelta(days=9)


# --- the hour of the digest


@pytest.mark.parametrize(
    ("day", "clock", "due"),
    [
        (date(2027, 3, 28), "02:30", "2027-03-28T01:30+00:00"),  # jumped over
        (date(2026, 10, 25), "02:30", "2026-10-25T00:30+00:00"),  # comes twice: the first
        (date(2027, 3, 28), "07:00", "2027-03-28T05:00+00:00"),
    ],
)
def test_one_digest_a_day_when_the_clock_changes(
    berlin: None, day: date, clock: str, due: str
) -> None:
    engineer = person(digest_at=time.fromisoformat(clock))
    expected = datetime.fromisoformat(due)
    moment, made = datetime.combine(day, time(0), tzinfo=BERLIN).astimezone(UTC), []
    for _ in range(24 * 4):
        before = Digest.objects.filter(user=engineer).count()
        digests.make_due(now=moment)
        if Digest.objects.filter(user=engineer).count() > before:
            made.append(moment)
        moment += timedelta(minutes=15)
    assert made == [expected]


def test_held_in_quiet_hours_not_made_on_quiet_days_and_not_half_a_day_late() -> None:
    engineer = person(digest_at=time(5), quiet_from=time(22), quiet_to=time(6, 30), quiet_days=[6])
    wednesday, sunday = date(2027, 3, 10), date(2027, 3, 14)
    digests.make_due(now=at(wednesday, "05:10"))
    assert Notification.objects.get(user=engineer).due_at == at(wednesday, "06:30")
    digests.make_due(now=at(sunday, "05:10"))
    digests.make_due(now=at(wednesday + DAY, "17:01"))
    assert Digest.objects.filter(user=engineer).count() == 1
    digests.make_due(now=at(wednesday + DAY, "16:59"))
    one, two = Digest.objects.filter(user=engineer).order_by("day")
    assert two.since == one.until


def test_who_has_no_digest() -> None:
    off, gone, bare = person(digest=False), person(), person()
    gone.is_active = False
    gone.save()
    bare.email = ""
    bare.save()
    clinician = person(Role.CLINICIAN)
    digests.make_due(now=at(DUE, "07:05"))
    assert not Digest.objects.filter(user__in=[off, gone, bare, clinician]).exists()


# --- what is in it, through a real mail server


def test_a_digest_arrives_with_what_holds_when_it_is_sent(sink: Server) -> None:
    engineer = person(ways={"order_overdue": "digest", "order_due": "digest"})
    telling.tell_all(now=at(DUE - 20 * DAY))
    title = "Grid <script>alert(1)</script> & Co"
    late, done, today, soon = (
        order(engineer, day, title=title if n == 0 else f"order {n}")
        for n, day in enumerate((DUE - 3 * DAY, DUE - 2 * DAY, DUE, DUE + 4 * DAY))
    )
    telling.tell_all(now=at(DUE, "06:10"))
    orders.cancel(order=done, actor=engineer, reason="no need")
    digests.make_due(now=at(DUE, "07:00"))
    row = Digest.objects.get(user=engineer).message
    assert outbox.deliver(notification_id=row.pk, now=at(DUE, "07:00"))
    ((_, to, raw),) = sink.got
    message = email.message_from_bytes(raw, policy=policy.default)
    assert to == [engineer.email]
    assert message["Subject"] == f"Maintenance {DUE}: 1 overdue, 1 due now, 1 coming"
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    assert f"https://testserver/maintenance/orders/{late.pk}/" in text
    assert f"WO-{done.pk} " not in text
    assert text.index(f"WO-{late.pk}") < text.index(f"WO-{today.pk}") < text.index(f"WO-{soon.pk}")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert list(DeliveryAttempt.objects.values_list("outcome", flat=True)) == ["delivered"]
    # the page says the same
    shown = selectors.digest_now(engineer, at(DUE, "07:00"))
    assert [len(part.notices) for part in shown.parts] == [1, 1, 1]


def test_an_empty_day_sends_none_unless_wanted() -> None:
    plain, wants = person(digest=True), person(digest_empty=True)
    digests.make_due(now=at(DUE, "07:00"))
    deliver(at(DUE, "07:00"))
    rows = {row.user_id: row for row in Notification.objects.filter(letter="digest")}
    assert (rows[plain.pk].state, rows[plain.pk].dropped_because) == (
        "dropped", "there is nothing to tell",
    )  # fmt: skip
    assert rows[wants.pk].state == "sent"


def test_a_change_is_in_one_digest_and_not_in_the_next() -> None:
    now = timezone.now()
    telling.tell_all(now=now - DAY)
    admin, engineer = person(Role.ADMIN), person(ways={"order_assigned": "digest"})
    row = make_order(actor=admin, assigned_to=engineer)
    after = timezone.now()
    telling.tell_all(now=after)
    me = selectors.people_of.person(engineer)
    first = selectors.digest_of(me, since=now - DAY, until=after, now=after)
    assert [each.subject for part in first.parts for each in part.notices] == [row.pk]
    assert not selectors.digest_of(me, since=after, until=after + DAY, now=after + DAY).count
    choose(engineer, ways={"order_assigned": "off"})
    me = selectors.people_of.person(engineer)
    assert not selectors.digest_of(me, since=now - DAY, until=after, now=after).count
    assert Notice.objects.get(user=engineer).way == "digest"
    assert not selectors.unread(engineer).exists()


def test_a_digest_of_who_lost_the_right_or_does_not_want_it() -> None:
    lost, tired = person(digest_empty=True), person(digest_empty=True)
    digests.make_due(now=at(DUE, "07:00"))
    lost.role = Role.CLINICIAN
    lost.save()
    choose(tired, digest=False)
    deliver(at(DUE, "07:00"))
    rows = dict(
        Notification.objects.filter(user__in=[lost, tired]).values_list(
            "user_id", "dropped_because"
        )
    )
    assert "may not" in rows[lost.pk]
    assert "no digest" in rows[tired.pk]
