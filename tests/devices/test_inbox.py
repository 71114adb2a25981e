"""Machines are found by serial and confirmed alias; unknown ones wait for a person."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError

from accounts.models import AuditEntry
from devices.facts import MachineName
from devices.models import Device, DeviceAlias, DeviceModel, InboxEntry
from devices.services import identify, inbox, registry
from devices.services.identify import find_or_inbox
from tests.devices import factories as f
from tests.devices.test_events import in_threads
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

pytestmark = pytest.mark.django_db
UNKNOWN = MachineName("ZZ-1", "STATION", "Acme", "X-9")


def entry(**changes: Any) -> InboxEntry:
    find_or_inbox(name=UNKNOWN, seen_at=f.NOW)
    found = InboxEntry.objects.get(serial="ZZ-1")
    for key, value in changes.items():
        setattr(found, key, value)
    found.save()
    return found


def test_found_by_serial_then_alias() -> None:
    device = f.device(serial="S-1")
    DeviceAlias.objects.create(device=device, value="OLD")
    for serial in ("S-1", " S-1 ", "OLD", "S-1\x00"):
        assert find_or_inbox(name=MachineName(serial), seen_at=f.NOW) == device
    assert not InboxEntry.objects.exists()


def test_unknown_machines_wait_and_are_counted() -> None:
    for minutes in (5, 0, 9):
        assert find_or_inbox(name=UNKNOWN, seen_at=f.NOW + f.minutes(minutes)) is None
    found = InboxEntry.objects.get()
    assert (found.serial, found.manufacturer, found.model_name) == ("ZZ-1", "Acme", "X-9")
    assert (found.image_count, found.state) == (3, "open")
    assert found.last_seen_at == f.NOW + f.minutes(9)
    assert not Device.objects.exists()


def test_an_image_without_a_name_leaves_nothing_to_register() -> None:
    assert find_or_inbox(name=MachineName("  "), seen_at=f.NOW) is None
    assert not InboxEntry.objects.exists()


def test_hostile_names_are_cut_to_size() -> None:
    name = MachineName("a\n" + "b" * 200, "s" * 200, "m" * 500, "<b>\x1b")
    find_or_inbox(name=name, seen_at=f.NOW)
    found = InboxEntry.objects.get()
    assert found.serial == "a " + "b" * 62
    assert (len(found.station_name), len(found.manufacturer)) == (64, 128)
    assert found.model_name == "<b>"


@pytest.mark.django_db(transaction=True)
def test_racing_images_make_one_entry() -> None:
    assert in_threads(6, lambda _i: find_or_inbox(name=UNKNOWN, seen_at=f.NOW)) == []
    assert InboxEntry.objects.get().image_count == 6


def test_register() -> None:
    person, model = f.user(), f.model()
    device = inbox.register(entry=entry(), actor=person, name="XR-9", model=model, location="R1")
    assert (device.serial, device.name, device.location) == ("ZZ-1", "XR-9", "R1")
    found = InboxEntry.objects.get()
    assert (found.state, found.device, found.decided_by) == ("registered", device, person)
    assert device.events.get().actor == person
    assert AuditEntry.objects.filter(verb="registered", actor=person).count() == 1
    assert find_or_inbox(name=UNKNOWN, seen_at=f.NOW) == device


def test_alias() -> None:
    person, device = f.user(), f.device()
    inbox.alias(entry=entry(), actor=person, device=device)
    assert find_or_inbox(name=UNKNOWN, seen_at=f.NOW) == device
    assert InboxEntry.objects.get().state == "aliased"
    event = device.events.last()
    assert event is not None
    assert (event.kind, event.payload) == ("alias_confirmed", {"value": "ZZ-1"})
    assert AuditEntry.objects.filter(verb="aliased", actor=person).exists()


def test_dismissed_stays_so_and_can_be_taken_up_again() -> None:
    person = f.user()
    found = inbox.dismiss(entry=entry(), actor=person)
    find_or_inbox(name=UNKNOWN, seen_at=f.NOW)
    found.refresh_from_db()
    assert (found.state, found.image_count) == ("dismissed", 2)
    with pytest.raises(ConflictError):
        inbox.dismiss(entry=found, actor=person)
    assert inbox.register(entry=found, actor=person, name="", model=f.model()).name == "STATION"


def test_decided_once() -> None:
    person, device = f.user(), f.device()
    found = entry()
    inbox.alias(entry=found, actor=person, device=device)
    for call in (
        lambda: inbox.alias(entry=found, actor=person, device=device),
        lambda: inbox.register(entry=found, actor=person, name="X", model=device.model),
        lambda: inbox.dismiss(entry=found, actor=person),
    ):
        with pytest.raises(ConflictError) as error:
            call()
        assert error.value.code == "already_decided"


def test_an_entry_whose_machine_is_gone_waits_again() -> None:
    device = f.device()
    inbox.alias(entry=entry(), actor=f.user(), device=device)
    DeviceAlias.objects.all().delete()
    assert find_or_inbox(name=UNKNOWN, seen_at=f.NOW) is None
    assert InboxEntry.objects.get().state == "open"


def test_alias_of_a_taken_name() -> None:
    found, device = entry(), f.device()
    f.device(serial="ZZ-1")
    with pytest.raises(ConflictError) as error:
        inbox.alias(entry=found, actor=f.user(), device=device)
    assert error.value.code == "serial_taken"
    Device.objects.filter(serial="ZZ-1").update(serial="other")
    DeviceAlias.objects.create(device=device, value="ZZ-1")
    with pytest.raises(ConflictError):
        inbox.alias(entry=found, actor=f.user(), device=device)


def test_get() -> None:
    with pytest.raises(NotFoundError):
        inbox.get(10**9)


def test_registering_needs_a_serial_and_a_name_of_its_own() -> None:
    model, person = f.model(), f.user()
    taken = f.device(serial="S-1")
    DeviceAlias.objects.create(device=taken, value="OLD")
    cases = [
        ("", "n", InvalidInputError, "serial_missing"),
        ("S", " ", InvalidInputError, "name_missing"),
        ("S-1", "n", ConflictError, "serial_taken"),
        ("OLD", "n", ConflictError, "serial_taken"),
    ]
    for serial, name, kind, code in cases:
        with pytest.raises(kind) as error:
            registry.register_device(serial=serial, name=name, model=model, actor=person)
        assert error.value.code == code
    assert Device.objects.count() == 1


def test_models_are_found_by_id_and_by_name() -> None:
    model = f.model(manufacturer="Acme", name="X")
    for given in (model.pk, str(model.pk), "X", "Acme X", " Acme X "):
        assert registry.find_model(given) == model
    with pytest.raises(InvalidInputError) as error:
        registry.find_model("Y")
    assert error.value.code == "unknown_model"
    assert error.value.extra["known"] == [{"id": model.pk, "name": "Acme X"}]
    assert "Acme X" in error.value.message
    f.model(manufacturer="Other", name="X")
    with pytest.raises(InvalidInputError) as error:
        registry.find_model("X")
    assert error.value.code == "ambiguous_model"


def test_a_new_make_gets_the_standard_metrics_without_limits() -> None:
    person = f.user()
    fields = {"manufacturer": "Acme", "name": "Z", "modality": "dx"}
    model = registry.ensure_model(**fields, actor=person)
    assert model.modality == "DX"
    assert {"kvp", "deviation_index", "pixel_dead_columns"} <= set(
        model.metrics.values_list("key", flat=True)
    )
    assert not model.metrics.filter(rules__isnull=False).exists()
    assert registry.ensure_model(**fields, actor=person) == model
    assert DeviceModel.objects.count() == 1
    with pytest.raises(InvalidInputError):
        registry.ensure_model(**{**fields, "modality": " "}, actor=person)


def test_the_database_wants_a_serial() -> None:
    with pytest.raises(IntegrityError):
        Device.objects.create(serial="", name="x", model=f.model())


def test_find_nothing_by_nothing() -> None:
    assert identify.find("") is None
