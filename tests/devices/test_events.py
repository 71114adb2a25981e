"""The journal: revisions without gaps, a projection that follows, rows that never change."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from devices import projection
from devices.models import Device, TwinEvent, TwinState
from devices.services import downtimes
from devices.services.events import append, rebuild
from devices.services.registry import set_desired_config, set_lifecycle
from tests.devices import factories as f
from twinhealth.errors import ConflictError, InvalidInputError


def in_threads(count: int, work: Any) -> list[BaseException]:
    """Run `work(i)` at the same moment in so many threads; their errors."""
    barrier = threading.Barrier(count)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=20)
            work(number)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return errors


@pytest.mark.django_db
def test_registering_starts_the_journal() -> None:
    device = f.device(desired_config={"sw": "1"})
    kinds = list(device.events.values_list("revision", "kind"))
    assert kinds == [(1, "registered"), (2, "config_desired")]
    twin = TwinState.objects.get(device=device)
    assert (twin.revision, twin.state["serial"]) == (2, device.serial)
    assert projection.values(twin.state["desired"]) == {"sw": "1"}


@pytest.mark.django_db
def test_a_late_event_is_folded_in_its_place() -> None:
    device = f.device()
    base = device.registered_at
    for days, version in ((10, "2"), (5, "1")):
        append(
            device=device,
            kind="config_reported",
            at=base + f.minutes(days * 1440),
            payload={"config": {"sw": version}},
        )
    state = TwinState.objects.get(device=device).state
    assert state["reported"]["sw"]["value"] == "2"
    assert state == projection.fold(device.events.all())


@pytest.mark.django_db(transaction=True)
def test_racing_events_take_one_revision_each() -> None:
    device = f.device()

    def work(number: int) -> None:
        append(device=device, kind="config_reported", payload={"config": {f"k{number}": number}})

    assert in_threads(8, work) == []
    assert list(device.events.values_list("revision", flat=True)) == list(range(1, 10))
    twin = TwinState.objects.get(device=device)
    assert twin.revision == 9
    assert twin.state == projection.fold(device.events.all())
    assert len(twin.state["reported"]) == 8


@pytest.mark.django_db(transaction=True)
def test_racing_first_events_make_one_state_row() -> None:
    device = Device.objects.create(serial="bare", name="bare", model=f.model())
    errors = in_threads(
        4, lambda i: append(device=device, kind="alias_confirmed", payload={"value": str(i)})
    )
    assert errors == []
    assert TwinState.objects.get(device=device).state["aliases"] == ["0", "1", "2", "3"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    ["UPDATE devices_twinevent SET kind = 'lifecycle'", "DELETE FROM devices_twinevent"],
)
def test_the_database_refuses_to_change_the_journal(statement: str) -> None:
    device = f.device()
    with (
        pytest.raises(DatabaseError, match="only ever added"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert TwinEvent.objects.get(device=device).kind == "registered"


@pytest.mark.django_db
def test_rebuild_finds_and_repairs_a_difference() -> None:
    device = f.device()
    call_command("rebuild_twins", "--check", stdout=StringIO())
    TwinState.objects.filter(device=device).update(state={**projection.empty(), "serial": "?"})
    with pytest.raises(CommandError) as error:
        call_command("rebuild_twins", "--check", stdout=StringIO())
    assert error.value.returncode == 1
    assert TwinState.objects.get(device=device).state["serial"] == "?"
    out = StringIO()
    call_command("rebuild_twins", stdout=out)
    assert f"{device.serial}: repaired" in out.getvalue()
    assert rebuild(device=device, repair=False)


@pytest.mark.django_db
def test_desired_configuration() -> None:
    device, person = f.device(), f.user()
    set_desired_config(device=device, config={"sw": "2"}, actor=person)
    set_desired_config(device=device, config={"sw": "2"}, actor=person)
    device.refresh_from_db()
    assert device.desired_config == {"sw": "2"}
    event = device.events.last()
    assert event is not None
    assert (event.revision, event.actor, event.payload["previous"]) == (2, person, {})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "config",
    [
        ["a"],
        {"a": {"b": 1}},
        {"": "x"},
        {"a": "x" * 501},
        {"a": None},
        {"a\0": "x"},
        {"a": "x\0"},
        {"a": float("nan")},
        {str(i): "x" for i in range(101)},
    ],
)
def test_a_configuration_is_flat_and_small(config: Any) -> None:
    with pytest.raises(InvalidInputError) as error:
        set_desired_config(device=f.device(), config=config, actor=f.user())
    assert error.value.code == "bad_config"


@pytest.mark.django_db
def test_lifecycle() -> None:
    device, person = f.device(), f.user()
    set_lifecycle(device=device, lifecycle="out_of_service", actor=person, reason="tube")
    event = device.events.last()
    assert event is not None
    assert event.payload == {"lifecycle": "out_of_service", "reason": "tube"}
    with pytest.raises(ConflictError, match="out of service already"):
        set_lifecycle(device=device, lifecycle="out_of_service", actor=person)
    with pytest.raises(InvalidInputError):
        set_lifecycle(device=device, lifecycle="lost", actor=person)
    set_lifecycle(device=device, lifecycle="retired", actor=person)
    with pytest.raises(ConflictError) as error:
        set_lifecycle(device=device, lifecycle="in_service", actor=person)
    assert error.value.code == "device_retired"


@pytest.mark.django_db
def test_out_of_service_is_a_downtime() -> None:
    device, person = f.device(), f.user()
    set_lifecycle(device=device, lifecycle="out_of_service", actor=person, reason="tube")
    row = device.downtimes.get()
    assert (row.reason, row.ends_at, row.planned, row.created_by) == ("tube", None, False, person)
    set_lifecycle(device=device, lifecycle="in_service", actor=person)
    row.refresh_from_db()
    assert row.ends_at is not None
    set_lifecycle(device=device, lifecycle="out_of_service", actor=person)
    assert device.downtimes.get(ends_at=None).reason == "taken out of service"
    set_lifecycle(device=device, lifecycle="retired", actor=person)
    assert not device.downtimes.filter(ends_at=None).exists()


@pytest.mark.django_db
def test_out_of_service_leaves_other_downtimes_alone() -> None:
    person = f.user()
    down, planned = f.device(), f.device()
    began = downtimes.start(actor=person, device=down, reason="smoke")
    set_lifecycle(device=down, lifecycle="out_of_service", actor=person, reason="tube")
    assert list(down.downtimes.all()) == [began]
    now = timezone.now()
    later = downtimes.create(
        actor=person,
        device=planned,
        reason="rebuilding",
        starts_at=now + f.minutes(60),
        ends_at=now + f.minutes(120),
        planned=True,
    )
    set_lifecycle(device=planned, lifecycle="out_of_service", actor=person, reason="tube")
    assert list(planned.downtimes.all()) == [later]
    set_lifecycle(device=planned, lifecycle="in_service", actor=person)
    later.refresh_from_db()
    assert later.ends_at == now + f.minutes(120)
