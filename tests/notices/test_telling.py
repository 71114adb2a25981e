"""Who is told what, and when: each kind, each person, each occasion once."""

from __future__ import annotations

import itertools
import random
from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.permissions import Role
from devices.models import MaintenancePlan, Notification, WorkOrder
from devices.models.maintenance import Evidence
from devices.notice_kinds import Way, kinds
from devices.services import orders
from maintenance.services import rescheduling
from notices import selectors
from notices.models import Look, Notice
from notices.people import person as person_of
from notices.services import policies, telling
from tests.conftest import SEED
from tests.devices.maintenance_rows import make_alert, make_order, make_plan, today

from .rows import DAY, at, choose, order, person, told

pytestmark = pytest.mark.django_db
DUE = date(2027, 3, 10)


def run(moment: datetime) -> int:
    return telling.tell_all(now=moment)


def start(moment: datetime) -> None:
    """As if the house had looked up to here."""
    run(moment)
    Notice.objects.all().delete()


def test_an_order_comes_is_due_is_late_and_escalates() -> None:
    engineer, admin = person(), person(Role.ADMIN)
    start(at(DUE - 20 * DAY))
    row = order(engineer, DUE, grace_days=2)
    heard = []
    for day in range(-10, 20):
        run(at(DUE + day * DAY))
        new = Notice.objects.filter(
            told_at=at(DUE + day * DAY), user__in=[engineer, admin]
        ).order_by("kind", "user_id")
        heard += [(day, each.kind, each.user_id, each.way) for each in new]
    mine, boss = engineer.pk, admin.pk
    assert heard == [
        (-7, "order_coming", mine, "in_app"),
        (-1, "order_coming", mine, "in_app"),
        (0, "order_due", mine, "in_app"),
        (0, "order_due", boss, "digest"),
        (3, "order_overdue", mine, "email"),
        (3, "order_overdue", boss, "digest"),
        (5, "order_escalated", boss, "email"),
        (10, "order_overdue", mine, "email"),
        (10, "order_overdue", boss, "digest"),
        (17, "order_overdue", mine, "email"),
        (17, "order_overdue", boss, "digest"),
    ]
    # of what lasts, one stands
    assert told(engineer) == [("order_overdue", row.pk)]
    over = Notice.objects.filter(user=engineer).exclude(ended_at=None).order_by("pk")
    assert list(over.values_list("kind", "ended_because")) == [
        ("order_coming", telling.AGAIN),
        ("order_coming", "it is due by now"),
        ("order_due", "it is overdue by now"),
        ("order_overdue", telling.AGAIN),
        ("order_overdue", telling.AGAIN),
    ]


def test_done_ends_what_stands_and_a_worker_that_slept_tells_once() -> None:
    engineer = person()
    start(at(DUE - 20 * DAY))
    late, soon = order(engineer, DUE), order(engineer, DUE + 5 * DAY)
    assert run(at(DUE + 3 * DAY)) > 0  # down for weeks
    assert sorted(told(engineer)) == [("order_coming", soon.pk), ("order_overdue", late.pk)]
    assert run(at(DUE + 3 * DAY)) == run(at(DUE + 3 * DAY, "07:00")) == 0
    # cancelled, not done: only the end of what stands is looked at
    orders.cancel(order=late, actor=engineer, reason="not needed")
    run(at(DUE + 3 * DAY, "08:00"))
    ended = Notice.objects.get(kind="order_overdue", user=engineer)
    assert (ended.ended_because, ended.ended_at) == (
        "the order was cancelled", at(DUE + 3 * DAY, "08:00"),
    )  # fmt: skip
    assert selectors.unread(engineer).count() == 1


def test_three_days_down_skips_nothing() -> None:
    engineer = person(ways={"order_due": "email"})
    start(at(DUE - 20 * DAY))
    rows = [order(engineer, DUE + n * DAY, grace_days=30) for n in range(3)]
    run(at(DUE - DAY))
    run(at(DUE + 2 * DAY))
    assert sorted(told(engineer, kind="order_due")) == [("order_due", row.pk) for row in rows]


def test_the_first_look_writes_nothing_that_is_over() -> None:
    engineer = person()
    row = order(engineer, DUE)
    run(at(DUE + 3 * DAY))
    assert Notice.objects.filter(user=engineer).count() == 1
    assert told(engineer) == [("order_overdue", row.pk)]
    assert run(at(DUE + 3 * DAY, "06:35")) == 0


def test_the_database_takes_one_notice_per_occasion() -> None:
    engineer = person()
    order(engineer, DUE)
    run(at(DUE))
    row = Notice.objects.get(kind="order_due", user=engineer)
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.create(
            user=engineer, kind=row.kind, subject=row.subject, occasion=row.occasion,
            title="again", path="/", way="in_app", at=row.at, told_at=row.at,
        )  # fmt: skip
    # a changed grace moves the morning, not the occasion
    Notice.objects.filter(pk=row.pk).update(at=row.at - 100 * DAY)
    assert run(at(DUE, "09:00")) == 0


def test_given_taken_and_moved_by_somebody_else() -> None:
    run(timezone.now())
    admin, first, second = person(Role.ADMIN), person(), person()
    row = make_order("scheduled", worker=admin)
    orders.assign(order=row, actor=admin, assignee=first)
    orders.assign(order=row, actor=first, assignee=first)
    orders.assign(order=row, actor=admin, assignee=second)
    row.refresh_from_db()
    row, before = rescheduling.move(
        order=row, actor=admin, scheduled_for=timezone.now() + DAY, reason="the room is busy"
    )
    run(timezone.now())
    assert told(first) == [("order_taken", row.pk)]
    assert told(second) == [("order_assigned", row.pk), ("order_moved", row.pk)]
    # the first was told of what is no longer so, with the reason and no e-mail
    ended = Notice.objects.get(user=first, kind="order_assigned")
    assert (ended.ended_because, ended.message) == ("somebody else has the order", None)
    assert Notice.objects.get(user=second, kind="order_assigned").message is not None
    rescheduling.undo(order=row, actor=admin, to=before, after=rescheduling.Place.of(row))
    run(timezone.now())
    assert told(second).count(("order_moved", row.pk)) == 2
    # what one does oneself is no news
    orders.schedule(order=row, actor=second, scheduled_for=timezone.now() + 3 * DAY)
    assert run(timezone.now()) == 0


def test_taking_an_order_by_starting_it_is_told_to_nobody_and_given_with_a_time_once() -> None:
    run(timezone.now())
    admin, worker = person(Role.ADMIN), person()
    own = make_order(actor=admin)
    orders.start(order=own, actor=worker)
    both = make_order(actor=admin)
    orders.schedule(order=both, actor=admin, scheduled_for=timezone.now() + DAY, assigned_to=worker)
    run(timezone.now())
    assert told(worker) == [("order_assigned", both.pk)]
    made = make_order(actor=admin, assigned_to=worker)
    run(timezone.now())
    assert told(worker)[-1] == ("order_assigned", made.pk)


def test_on_hold_too_long_goes_by_the_houses_days() -> None:
    worker, admin = person(), person(Role.ADMIN)
    row = make_order("on_hold", worker=worker)
    now = timezone.now()
    run(now + 7 * DAY - timedelta(hours=1))
    assert told(worker) == []
    policies.settle(user=admin, escalate_days=3, hold_days=2, reason="parts are quick", now=now)
    run(now + 7 * DAY - timedelta(minutes=59))
    assert told(worker) == [("order_hold", row.pk)]
    orders.resume(order=row, actor=worker)
    run(now + 8 * DAY)
    assert Notice.objects.get(kind="order_hold", user=worker).ended_because == "the work goes on"


def test_waiting_to_be_verified_goes_to_another_person() -> None:
    worker, other, admin = person(), person(scope="all"), person(Role.ADMIN)
    quiet = person()  # their own orders alone
    run(timezone.now())
    row = make_order("in_progress", worker=worker)
    WorkOrder.objects.filter(pk=row.pk).update(verify_required=True)
    orders.complete(order=row, actor=worker, checklist=[True, True], signature="W. Orker")
    run(timezone.now())
    kind = "order_verify"
    assert told(admin, kind=kind) == told(other, kind=kind) == [(kind, row.pk)]
    assert told(worker, kind=kind) == told(quiet, kind=kind) == []
    row.refresh_from_db()
    orders.verify(order=row, actor=other)
    run(timezone.now())
    assert told(admin, kind=kind) == []


def test_evidence_that_is_missing_is_told_a_day_before_it_goes_back() -> None:
    worker = person()
    alert = make_alert()
    row = make_order("in_progress", worker=worker, alert=alert, device=alert.device)
    orders.complete(order=row, actor=worker, checklist=[True, True], signature="W. Orker")
    row.refresh_from_db()
    assert row.evidence == Evidence.WAITING
    run(row.evidence_by - DAY - timedelta(minutes=1))
    assert told(worker, kind="order_evidence") == []
    run(row.evidence_by - DAY)
    assert told(worker, kind="order_evidence") == [("order_evidence", row.pk)]
    WorkOrder.objects.filter(pk=row.pk).update(evidence=Evidence.PERSON)
    run(row.evidence_by)
    assert told(worker, kind="order_evidence") == []


def test_a_plan_without_a_next_date_is_told_to_admins_weekly() -> None:
    admin, engineer = person(Role.ADMIN), person(scope="all")
    plan = make_plan(starts_on=today(30))
    MaintenancePlan.objects.filter(pk=plan.pk).update(next_due_on=None)
    for day in range(20):
        run(timezone.now() + day * DAY)
    rows = Notice.objects.filter(kind="plan_without_date", user=admin)
    assert (rows.count(), told(admin)) == (3, [("plan_without_date", plan.pk)])
    assert not Notice.objects.filter(user=engineer).exists()
    MaintenancePlan.objects.filter(pk=plan.pk).update(next_due_on=today(30))
    run(timezone.now() + 21 * DAY)
    assert told(admin) == []


def test_rooms_days_ahead_and_switching_off() -> None:
    rooms = person(scope="rooms", rooms=["R1"], ahead=[3])
    everything = person(scope="all", ahead=[])
    nothing = person(
        ways={
            kind.key: "off"
            for kind in kinds()
            if kind.key[:6] == "order_" and kind.key != "order_escalated"
        }
    )
    start(at(DUE - 20 * DAY))
    one, two = order(nothing, DUE, room="R1"), order(None, DUE, room="R2")
    for day in range(-8, 1):
        run(at(DUE + day * DAY))
    assert sorted(Notice.objects.filter(user=rooms).values_list("kind", "subject", "told_at")) == [
        ("order_coming", one.pk, at(DUE - 3 * DAY)), ("order_due", one.pk, at(DUE)),
    ]  # fmt: skip
    assert sorted(told(everything)) == [("order_due", one.pk), ("order_due", two.pk)]
    assert told(nothing) == []


def test_who_has_gone_or_lost_the_right_hears_nothing() -> None:
    gone, moved = person(), person()
    start(at(DUE - 20 * DAY))
    order(gone, DUE), order(moved, DUE)
    gone.is_active = False
    gone.save()
    moved.role = Role.CLINICIAN
    moved.save()
    run(at(DUE))
    assert not Notice.objects.filter(user__in=[gone, moved]).exists()


def test_escalations_cannot_be_switched_off_by_an_admin_and_pass_quiet_hours() -> None:
    from twinhealth.errors import InvalidInputError

    admin = person(Role.ADMIN)
    with pytest.raises(InvalidInputError) as error:
        choose(admin, ways={"order_escalated": "off"})
    assert error.value.code == "cannot_be_off"
    settings = choose(
        admin,
        ways={"order_overdue": "email"},
        scope="all",
        quiet_from=at(DUE, "00:00").time(),
        quiet_to=at(DUE, "08:00").time(),
    )
    settings.ways = {"order_escalated": "off"}  # as an older version may have stored it
    assert (
        person_of(admin).chosen(next(k for k in kinds() if k.key == "order_escalated")) == Way.EMAIL
    )
    start(at(DUE))
    order(None, DUE)
    run(at(DUE + 3 * DAY))
    due = dict(Notification.objects.values_list("notice__kind", "due_at"))
    assert due == {
        "order_overdue": at(DUE + 3 * DAY, "08:00"), "order_escalated": at(DUE + 3 * DAY),
    }  # fmt: skip


def test_as_many_queries_for_many_orders_as_for_few() -> None:
    for _ in range(3):
        person(scope="all")
    worker = person()

    def queries(count: int) -> int:
        for n in range(count):
            order(worker, DUE - (n % 15) * DAY)
        Notice.objects.all().delete()
        Notification.objects.all().delete()
        Look.objects.all().delete()
        with CaptureQueriesContext(connection) as seen:
            run(at(DUE))
        # rows are written in batches, however many queries that takes
        return len([each for each in seen if not each["sql"].startswith("INSERT")])

    few, many = queries(15), queries(45)
    assert few == many


class PreviewTest(TestCase):
    """What the preview shows is what was told."""

    @settings(max_examples=12)
    @given(data=st.data())
    def test_the_preview_is_what_the_week_told(self, data: st.DataObject) -> None:
        print("seed", SEED)
        chance = random.Random(data.draw(st.integers(0, 2**31)))
        ways = {
            kind.key: chance.choice([way.value for way in Way])
            for kind in kinds()
            if kind.key.startswith("order_") and kind.key != "order_escalated"
        }
        role = chance.choice([Role.ENGINEER, Role.ADMIN])
        mine = person(
            role,
            ways=ways,
            ahead=chance.sample(range(1, 20), chance.randrange(4)),
            scope=chance.choice(["mine", "all"]),
        )
        for _ in range(6):
            order(
                chance.choice([mine, None]),
                DUE + chance.randrange(-30, 30) * DAY,
                grace_days=chance.randrange(10),
            )
        begin = at(DUE, "05:00")
        run(begin)
        hours = sorted(chance.sample(range(1, 168), 8))
        for hour in hours:
            run(begin + timedelta(hours=hour))
        end = begin + timedelta(days=7)
        run(end)
        told = {
            (row.kind, row.subject, row.occasion, row.way)
            for row in Notice.objects.filter(user=mine, at__gt=begin)
        }
        shown = {
            (kind.key, each.happening.subject, each.happening.key, each.way.value)
            for kind, each in selectors.preview(person_of(mine).settings, now=end)
        }
        gaps = _gaps([0, *hours, 168])
        # of what lasts, a run that comes late tells the newest occasion alone
        late = shown - told
        assert told <= shown
        assert not late or gaps > 24
        for kind, subject, occasion, _ in late:
            assert any((kind, subject) == row[:2] and row[2] != occasion for row in told)


def _gaps(hours: list[int]) -> int:
    return max(b - a for a, b in itertools.pairwise(hours))
