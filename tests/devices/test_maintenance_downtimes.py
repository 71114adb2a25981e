"""Downtime: intervals of one machine never overlap, whoever writes them and when."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from devices.models import Downtime
from devices.services import downtimes
from tests.devices.factories import user
from tests.devices.maintenance_rows import make_device, make_order
from twinhealth.errors import ConflictError, DomainError, InvalidInputError, NotFoundError

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


def correction(down: Downtime, **changes: object) -> dict[str, object]:
    names = ("starts_at", "ends_at", "reason", "planned", "extent", "order")
    return {**{name: getattr(down, name) for name in names}, "why": "typed wrongly", **changes}


def test_the_past_is_corrected_and_the_trail_says_what_stood_there() -> None:
    device, worker = make_device(), user()
    down = downtimes.create(
        actor=worker, device=device, reason="x", starts_at=at(-5), ends_at=at(-4)
    )
    began, order = at(-6), make_order(device=device)
    changes = {"starts_at": began, "extent": "partial", "planned": True, "order": order}
    downtimes.correct(downtime=down, actor=worker, **correction(down, **changes))
    found = Downtime.objects.get()
    assert (found.starts_at, found.extent, found.planned, found.order) == (
        began, "partial", True, order,
    )  # fmt: skip
    entry = AuditEntry.objects.get(verb="corrected")
    assert entry.detail["why"] == "typed wrongly"
    assert entry.detail["changed"] == {
        "starts_at": [down.starts_at.isoformat(), began.isoformat()],
        "extent": ["full", "partial"], "planned": [False, True], "order": [None, order.pk],
    }  # fmt: skip
    # the same once more changes nothing, and the trail doesn't say that it did
    downtimes.correct(downtime=found, actor=worker, **correction(found))
    assert AuditEntry.objects.filter(verb="corrected").count() == 1


def test_a_correction_keeps_the_rules_and_names_the_row_in_the_way() -> None:
    device, worker = make_device(), user()
    first = downtimes.create(
        actor=worker, device=device, reason="tube", starts_at=at(-9), ends_at=at(-8)
    )
    down = downtimes.create(
        actor=worker, device=device, reason="x", starts_at=at(-5), ends_at=at(-4)
    )
    with pytest.raises(ConflictError) as caught:
        downtimes.correct(downtime=down, actor=worker, **correction(down, starts_at=at(-8.5)))
    assert (caught.value.code, caught.value.extra) == ("downtime_overlap", {"downtime": first.pk})
    assert "tube" in caught.value.message
    for changes, code in (
        ({"ends_at": at(-6)}, "ends_before_start"),
        ({"starts_at": at(1), "ends_at": None}, "starts_in_future"),
        ({"order": make_order()}, "order_of_another_device"),
        ({"extent": "half"}, "extent_unknown"),
        ({"why": " "}, "why_missing"),
    ):
        with pytest.raises(InvalidInputError) as refused:
            downtimes.correct(downtime=down, actor=worker, **correction(down, **changes))
        assert refused.value.code == code
    assert not AuditEntry.objects.filter(verb="corrected").exists()


def test_one_that_never_was_goes_and_leaves_its_trace() -> None:
    down = downtimes.start(actor=user(), device=make_device(), reason="wrong machine")
    downtimes.remove(downtime=down, actor=user(), why="it was the one next door")
    assert not Downtime.objects.exists()
    detail = AuditEntry.objects.get(verb="removed").detail
    assert detail["why"] == "it was the one next door"
    assert detail["was"]["reason"] == "wrong machine"
    with pytest.raises(NotFoundError):
        downtimes.remove(downtime=down, actor=user(), why="again")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no exclusion constraint")
def test_postgresql_refuses_what_went_around_the_service() -> None:
    device = make_device()
    Downtime.objects.create(device=device, starts_at=at(-5), ends_at=at(-3), reason="x")
    Downtime.objects.create(device=device, starts_at=at(-1), ends_at=None, reason="x")
    with pytest.raises(IntegrityError, match="downtime_no_overlap"), transaction.atomic():
        Downtime.objects.create(device=device, starts_at=at(-4), ends_at=at(-2), reason="x")
    with pytest.raises(IntegrityError, match="downtime_no_overlap"), transaction.atomic():
        Downtime.objects.create(device=device, starts_at=at(5), ends_at=at(6), reason="x")


def test_by_rest_and_by_page() -> None:
    device, worker = make_device(), user()
    client, api = Client(), APIClient()
    client.force_login(worker)
    api.force_authenticate(worker)
    body = {"device": device.pk, "reason": "x", "extent": "partial"}
    made = api.post("/api/v1/downtimes/", body, format="json").json()
    assert made["extent"] == "partial"
    url = f"/api/v1/downtimes/{made['id']}/"
    found = api.patch(url, {"reason": "grid", "why": "clearer"}, format="json").json()
    assert (found["reason"], found["extent"], found["starts_at"]) == (
        "grid", "partial", made["starts_at"],
    )  # fmt: skip
    assert api.patch(url, {"reason": "grid"}, format="json").status_code == 400
    page = reverse("devices:downtime", args=[made["id"]])
    shown = client.get(page)
    assert shown.status_code == 200
    values = {
        name: shown.context["form"][name].value() or ""
        for name in ("reason", "extent", "order", "planned")
    }
    start = timezone.localtime(Downtime.objects.get().starts_at)
    values |= {"starts_at": f"{start:%Y-%m-%dT%H:%M}", "ends_at": "", "planned": "on"}
    assert client.post(page, values).status_code == 400  # without why
    assert client.post(page, {**values, "order": "WO-99999999", "why": "y"}).status_code == 400
    assert client.post(page, {**values, "why": "agreed on"}).status_code == 302
    stored = Downtime.objects.get()
    # the field shows minutes; what nobody changed keeps its seconds
    assert (stored.planned, stored.starts_at.isoformat()) == (
        True,
        start.astimezone(UTC).isoformat(),
    )
    again = client.post(reverse("devices:downtime-new"), {"device": device.pk, "reason": "y"})
    assert again.status_code == 409
    assert page in again.content.decode()
    assert api.post(f"{url}remove/", {"why": " "}, format="json").status_code == 400
    assert client.post(f"{page}remove/", {"why": ""}).status_code == 400
    assert client.post(f"{page}remove/", {"why": "wrong machine"}).status_code == 302
    assert api.post(f"{url}remove/", {"why": "x"}, format="json").status_code == 404
