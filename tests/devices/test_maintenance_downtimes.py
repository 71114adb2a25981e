"""Downtime: intervals of one machine never overlap, whoever writes them and when."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEntry
from devices.models import Downtime
from devices.services import downtimes
from tests.devices.factories import user
from tests.devices.maintenance_rows import make_device, make_order
from twinhealth.errors import ConflictError, DomainError, InvalidInputError

pytestmark = pytest.mark.django_db


def at(hours: float) -> datetime:
    return timezone.now() + timedelta(hours=hours)


def test_from_start_to_end() -> None:
    device, worker = make_device(), user()
    order = make_order(device=device)
    down = downtimes.start(actor=worker, device=device, reason=" no exposure ", order=order)
    assert (down.reason, down.ends_at, down.planned, down.order) == (
        "no exposure", None, False, order,
    )  # fmt: skip
    with pytest.raises(ConflictError) as caught:
        downtimes.start(actor=worker, device=device, reason="again")
    assert (caught.value.code, caught.value.extra) == ("downtime_overlap", {"downtime": down.pk})
    down = downtimes.end(downtime=down, actor=worker)
    assert down.ends_at is not None
    with pytest.raises(ConflictError) as ended:
        downtimes.end(downtime=down, actor=worker)
    assert ended.value.code == "downtime_ended"
    downtimes.start(actor=worker, device=device, reason="again")
    entries = AuditEntry.objects.filter(object_type="devices.Downtime").order_by("pk")
    assert [entry.verb for entry in entries] == ["created", "ended", "created"]


@pytest.mark.parametrize(
    ("start", "end", "fits"),
    [
        (-5, -4, True),
        (-5, -3, True),  # ends where the other begins
        (-1, 0, True),  # begins where the other ends
        (-5, -2.5, False),
        (-2.5, -2, False),
        (-2, 1, False),
        (-5, 1, False),
        (-3, -1, False),
        (-2, None, False),
        (-5, None, False),
        (-1, None, True),
        (2, 3, True),  # planned
    ],
)
def test_intervals(start: float, end: float | None, *, fits: bool) -> None:
    device, worker = make_device(), user()
    now = timezone.now()

    def moment(hours: float) -> datetime:
        return now + timedelta(hours=hours)

    fields = {"actor": worker, "reason": "x"}
    downtimes.create(device=device, starts_at=moment(-3), ends_at=moment(-1), **fields)
    wanted = {"starts_at": moment(start), "ends_at": None if end is None else moment(end)}
    if fits:
        downtimes.create(device=device, **wanted, **fields)
    else:
        with pytest.raises(ConflictError) as caught:
            downtimes.create(device=device, **wanted, **fields)
        assert caught.value.code == "downtime_overlap"
    # another machine has its own time
    downtimes.create(device=make_device(), **wanted, **fields)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason": " "}, "reason_missing"),
        ({"reason": "x" * 301}, "reason_too_long"),
        ({"starts_at": 0, "ends_at": -1}, "ends_before_start"),
        ({"starts_at": -1, "ends_at": -1}, "ends_before_start"),
        ({"starts_at": 1}, "starts_in_future"),
    ],
)
def test_what_is_no_interval_is_refused(fields: dict[str, object], code: str) -> None:
    now = timezone.now()
    moments = {k: now + timedelta(hours=v) for k, v in fields.items() if isinstance(v, int)}
    with pytest.raises(InvalidInputError) as caught:
        downtimes.create(
            **{"actor": user(), "device": make_device(), "reason": "x", **fields, **moments}
        )
    assert caught.value.code == code
    assert not Downtime.objects.exists()


def test_an_order_of_another_machine_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        downtimes.start(actor=user(), device=make_device(), reason="x", order=make_order())
    assert caught.value.code == "order_of_another_device"


def test_an_end_lies_after_the_start_and_not_ahead() -> None:
    down = downtimes.create(actor=user(), device=make_device(), reason="x", starts_at=at(-2))
    for moment, code in ((at(-3), "ends_before_start"), (at(1), "ends_in_future")):
        with pytest.raises(InvalidInputError) as caught:
            downtimes.end(downtime=down, actor=user(), ends_at=moment)
        assert caught.value.code == code
    assert downtimes.end(downtime=down, actor=user(), ends_at=at(-1)).ends_at is not None


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins() -> None:
    device = make_device()
    people = [user(), user()]
    gate = threading.Barrier(2)
    outcomes: list[str] = []
    start = at(-5)

    def work(person: object, hours: int) -> None:
        try:
            gate.wait(10)
            downtimes.create(
                actor=person,
                device=device,
                reason="x",
                starts_at=start,
                ends_at=start + timedelta(hours=hours),
            )
            outcomes.append("stored")
        except DomainError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[p, n + 1]) for n, p in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["downtime_overlap", "stored"]
    assert Downtime.objects.count() == 1
