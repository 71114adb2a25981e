"""Radiation dose reports: readings of the machine, once; no patient reaches it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from accounts.models import AuditEntry, User
from devices.models import Device, InboxEntry, Reading, TwinEvent
from devices.services.inbox import alias
from devices.services.registry import add_standard_metrics
from imaging.decoding import dose
from imaging.models import DoseReport, Image, Intake
from imaging.services.doors import receive_file
from imaging.services.dose_reports import DoseResult, link_waiting_reports
from tests.devices import factories as f
from tests.imaging.dose_factories import STARTED, content, event, make_report, num
from twinhealth.errors import ConflictError, DomainError, InvalidInputError, TooLargeError

pytestmark = pytest.mark.django_db


@pytest.fixture
def machine() -> Device:
    model = f.model()
    add_standard_metrics(model=model)
    return f.device(model, serial="XR-1")


def take(data: bytes) -> DoseResult:
    found = receive_file(
        source=io.BytesIO(data), filename="dose.dcm", fields={}, door="command", actor=None
    )
    assert isinstance(found, DoseResult)
    return found


def values(device: Device) -> dict[str, float]:
    rows = Reading.objects.filter(device=device, source="dose_report")
    return dict(rows.order_by("measured_at").values_list("metric__key", "value"))


def test_exposures_become_readings_in_the_metrics_units(machine: Device) -> None:
    later = STARTED + timedelta(minutes=3)
    fluoro = content("CONTAINER", "113702", ContentSequence=Sequence([num("113730", 2, "min")]))
    take(make_report(event(), event(later, c113733=(90, "kV")), more=[fluoro]))
    got = Reading.objects.filter(device=machine).values_list("metric__key", "value", "measured_at")
    assert ("kvp", 81.0, STARTED) in got
    assert ("kvp", 90.0, later) in got
    assert values(machine) == pytest.approx(
        {
            "dose_area_product": 2.5e-6, "dose_at_rp": 0.0004, "entrance_exposure_rp": 0.4,
            "kvp": 90, "exposure_mas": 2.5, "exposure_time": 8, "irradiation_events": 2,
            "fluoro_time": 120,
        }
    )  # fmt: skip
    assert Intake.objects.get().message == "Radiation dose report with 2 exposures."


def test_units_are_converted_at_the_door(machine: Device) -> None:
    changed = {"c122130": (0.25, "dGy.cm2"), "c113733": (81000.0, "V"), "c113736": (1.0, "h")}
    take(make_report(event(**changed)))  # type: ignore[arg-type]
    got = values(machine)
    assert got["dose_area_product"] == pytest.approx(2.5e-6)
    assert got["kvp"] == pytest.approx(81)
    assert "exposure_mas" not in got  # an hour is no charge


def test_twice_counts_once(machine: Device, kept: Callable[[], list[str]]) -> None:
    data = make_report(sop_uid="1.2.3")
    first, again = take(data), take(data)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert first.report == again.report
    assert Reading.objects.filter(metric__key="kvp").count() == 1
    assert kept() == ["dose-reports"]
    with pytest.raises(ConflictError) as caught:
        take(make_report(event(c113733=(50, "kV")), sop_uid="1.2.3"))
    assert caught.value.code == "sop_uid_conflict"
    assert kept() == ["dose-reports"]
    assert [row.outcome for row in Intake.objects.order_by("pk")] == [
        "stored", "duplicate", "refused",
    ]  # fmt: skip


def test_an_unknown_machine_waits_and_loses_nothing(machine: Device) -> None:
    take(make_report(serial="OTHER-9"))
    entry = InboxEntry.objects.get()
    assert (entry.serial, entry.manufacturer) == ("OTHER-9", "Acme")
    assert not Reading.objects.exists()
    assert link_waiting_reports() == 0
    alias(entry=entry, actor=f.user(), device=machine)
    assert link_waiting_reports() == 1
    assert values(machine)["kvp"] == 81
    assert link_waiting_reports() == 0


@pytest.mark.parametrize(
    ("serial", "observer", "expected"),
    [
        ("RIS-1", {"121016": "XR-1"}, "XR-1"),
        ("", {"121012": "1.2.840.7"}, "1.2.840.7"),
        ("XR-1", {"121012": "1.2.840.7"}, "XR-1"),
    ],
)
def test_the_irradiating_device_is_the_observer(
    serial: str, observer: dict[str, str], expected: str
) -> None:
    assert take(make_report(serial=serial, observer=observer)).report.device_serial == expected


def test_no_patient_reaches_the_machine_or_a_row(machine: Device) -> None:
    take(make_report())
    rows = [
        *DoseReport.objects.values(), *Reading.objects.values(), *TwinEvent.objects.values(),
        *AuditEntry.objects.values(), *Intake.objects.values(),
    ]  # fmt: skip
    assert "anary" not in str(rows).replace("CANARY", "canary")
    assert not Image.objects.exists()


def refused(data: bytes) -> DomainError:
    with pytest.raises((InvalidInputError, TooLargeError)) as caught:
        take(data)
    assert not DoseReport.objects.exists()
    assert Intake.objects.get().outcome == "refused"
    Intake.objects.all().delete()
    return caught.value


def nested(levels: int) -> Dataset:
    item = content("CONTAINER", "113706")
    for _ in range(levels):
        item = content("CONTAINER", "113706", ContentSequence=Sequence([item]))
    return item


def test_damaged_reports_get_a_clear_refusal(kept: Callable[[], list[str]]) -> None:
    good = make_report()
    assert refused(good[:-200]).code in {"truncated", "bad_header", "no_dose_events"}
    assert refused(make_report(root="126000")).code == "not_a_dose_report"
    assert refused(make_report(event(None))).code == "no_dose_events"
    future = event(STARTED.replace(year=2990))
    assert refused(make_report(future)).code == "no_dose_events"
    assert refused(make_report(event(), more=[nested(60)])).code == "too_many_items"
    assert kept() == []


def test_a_depth_bomb_ends_with_its_own_process(tmp_path: Path) -> None:
    """Ten thousand levels of undefined length, as bytes: no program of ours would write them."""
    report = make_report()  # one: a second has identifiers of other lengths
    head = report[: report.index(b"\x40\x00\x30\xa7SQ")]  # the content sequence
    opened = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    error = refused(head + opened * 10_000 + closed * 10_000)
    assert error.code in {"bad_header", "decode_memory", "too_many_items", "decoder_failed"}


def test_a_million_items_are_too_many() -> None:
    head = make_report()
    start = head.index(b"\x40\x00\x30\xa7SQ")
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * 1_000_000
    body = b"\x40\x00\x30\xa7SQ\0\0" + len(items).to_bytes(4, "little") + items
    assert refused(head[:start] + body).code == "too_many_items"


def test_a_report_larger_than_any_machine_writes() -> None:
    padding = b"\xfc\xff\xfc\xffOB\0\0" + (dose.MAX_BYTES).to_bytes(4, "little")
    error = refused(make_report() + padding + b"\0" * dose.MAX_BYTES)
    assert error.code == "report_too_large"


def test_rest_and_the_command(
    machine: Device, clinician: User, tmp_path: Path, capsys: Any
) -> None:
    client = Client()
    client.force_login(clinician)
    data = make_report()

    def post() -> Any:
        upload = SimpleUploadedFile("dose.dcm", data)
        return client.post("/api/v1/images/", {"file": upload})

    first, again = post(), post()
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() | {"duplicate": True} == again.json()
    assert (first.json()["events"], first.json()["device"]) == (1, machine.pk)
    path = tmp_path / "report.dcm"
    path.write_bytes(make_report())
    call_command("import_images", str(path), json=True)
    said = json.loads(capsys.readouterr().out)
    assert (said["events"], said["duplicate"]) == (1, False)
    page = client.get("/upload/").content.decode()
    assert "Radiation dose report with 1 exposures." not in page or "dose.dcm" in page


def test_the_dose_shows_on_the_twin(machine: Device) -> None:
    take(make_report())
    client = Client()
    client.force_login(f.user())
    text = client.get(f"/devices/{machine.pk}/?range=90d&at=2026-03-02T00:00").content.decode()
    assert "Dose area product" in text
