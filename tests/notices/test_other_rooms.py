"""What rooms below have told: contracts, parts, recalls, instruments."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from inventory.models import Contract, Recall, RecallCandidate
from inventory.services import stock
from notices.models import Notice
from notices.services import telling
from quality.models import Instrument
from tests.devices import factories as f
from tests.inventory.rows import make_part, make_vendor

from .rows import DAY, at, person

pytestmark = pytest.mark.django_db
DAY_OF_NOTICE = date(2027, 3, 10)


def start(moment: datetime) -> None:
    telling.tell_all(now=moment)
    Notice.objects.all().delete()


def heard(kind: str, user: User) -> list[tuple[str, bool]]:
    """Titles, oldest first, and whether it still is so."""
    rows = Notice.objects.filter(kind=kind, user=user).order_by("pk")
    return [(row.title, row.ended_at is None) for row in rows]


def test_a_contract_is_told_before_the_last_day_for_giving_notice() -> None:
    admin, engineer = person(Role.ADMIN), person()
    start(at(DAY_OF_NOTICE - 60 * DAY))
    contract = Contract.objects.create(
        vendor=make_vendor(name="Rays"), number="C-7", kind="full",
        starts_on=DAY_OF_NOTICE - 300 * DAY, ends_on=DAY_OF_NOTICE + 90 * DAY, notice_days=90,
    )  # fmt: skip
    days = []
    for day in range(-40, 5):
        before = Notice.objects.count()
        telling.tell_all(now=at(DAY_OF_NOTICE + day * DAY))
        if Notice.objects.count() > before:
            days.append(day)
    assert days == [-30, -7, 0]
    title = "Contract Rays C-7: give notice by 2027-03-10, ends on 2027-06-08"
    assert {words for words, _ in heard("contract_ends", admin)} == {title}
    assert heard("contract_ends", engineer) == []
    contract.ends_on += 365 * DAY
    contract.save()
    telling.tell_all(now=at(DAY_OF_NOTICE + 5 * DAY))
    assert not any(still for _, still in heard("contract_ends", admin))


def test_a_part_is_told_of_once_until_there_was_enough_again() -> None:
    admin = person(Role.ADMIN)
    now = timezone.now()
    start(now - DAY)
    part = make_part(10, reorder_level=5)

    def look(minutes: int) -> None:
        telling.tell_all(now=now + timedelta(minutes=minutes))

    def count(counted: int) -> None:
        stock.count(part=part, counted=counted, reason="counted", actor=admin)

    look(1)
    assert heard("part_low", admin) == []
    count(4)
    look(2)
    count(3)
    look(3)
    assert [still for _, still in heard("part_low", admin)] == [True]
    count(9)
    look(4)
    assert [still for _, still in heard("part_low", admin)] == [False]
    count(2)
    look(5)
    assert [still for _, still in heard("part_low", admin)] == [False, True]


def test_a_recall_waits_until_somebody_decides() -> None:
    engineer, clinician = person(scope="all"), person(Role.CLINICIAN)
    now = timezone.now()
    start(now - DAY)
    recall = Recall.objects.create(
        reference="R-9", manufacturer="Acme", model_text="Ray", issued_on=now.date()
    )
    row = RecallCandidate.objects.create(
        recall=recall, device=f.device(name="XR-9"), sureness="likely", reasons=["its model"]
    )
    telling.tell_all(now=now + timedelta(minutes=1))
    assert heard("recall_waits", engineer) == [("XR-9 may be concerned by recall R-9", True)]
    assert heard("recall_waits", clinician) == []
    RecallCandidate.objects.filter(pk=row.pk).update(
        state="rejected", decided_by=engineer, decided_at=now, decision="another serial"
    )
    telling.tell_all(now=now + timedelta(minutes=2))
    assert not any(still for _, still in heard("recall_waits", engineer))


def test_an_instrument_is_told_before_its_calibration_ends() -> None:
    engineer = person(scope="all")
    start(at(DAY_OF_NOTICE - 60 * DAY))
    row = Instrument.objects.create(name="Meter", serial="7", calibrated_until=DAY_OF_NOTICE)
    days = []
    for day in range(-40, 5):
        before = Notice.objects.count()
        telling.tell_all(now=at(DAY_OF_NOTICE + day * DAY))
        if Notice.objects.count() > before:
            days.append(day)
    assert days == [-30, -7, 1]
    assert heard("instrument_ends", engineer)[-1][0] == (
        "Meter 7: its calibration ended on 2027-03-10"
    )
    row.calibrated_until += 365 * DAY
    row.save()
    telling.tell_all(now=at(DAY_OF_NOTICE + 5 * DAY))
    assert not any(still for _, still in heard("instrument_ends", engineer))
