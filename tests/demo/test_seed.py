"""The demo hospital: complete, synthetic by mark, and made once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from demo.fleet import MACHINES
from demo.services.seed import is_seeded, seed_demo
from detection.models import DetectionRun, DetectorVersion
from devices import selectors as devices
from devices.models import (
    Alert,
    DegradedSpan,
    Device,
    Downtime,
    InboxEntry,
    MaintenancePlan,
    Spare,
    Supply,
    WorkOrder,
)  # fmt: skip
from imaging.models import Image, Intake
from patients.models import Observation, Patient
from quality.selectors import overview
from twinhealth.errors import NotFoundError

pytestmark = pytest.mark.django_db


@pytest.fixture
def hospital(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PIXEL_CACHE_ROOT = tmp_path / "cache"
    monkeypatch.setenv("DEMO_PASSWORD", "demo-password-1")
    call_command("create_demo_users", verbosity=0)
    DetectorVersion.objects.create(
        name="none",
        weights_sha256="0" * 64,
        weights_path="none",
        config="light",
        classes=["covid", "pneumonia", "normal"],
        thresholds={"covid": 0.5, "pneumonia": 0.5, "normal": 0.5},
        state="active",
    )
    now = timezone.now()
    assert seed_demo(now=now) == 11
    return now


def test_demo_hospital(hospital, capsys) -> None:
    """One seeding, looked at from each room: it takes seconds."""
    _every_room_has_something_and_says_that_it_is_synthetic()
    _health_tells_the_stories_of_the_fleet(hospital)
    _maintenance_has_every_state_that_an_admin_meets(hospital)
    _quality_has_a_warning_and_a_machine_that_fails()
    _second_start_changes_nothing(capsys)
    _interrupted_start_is_completed(hospital)


def _every_room_has_something_and_says_that_it_is_synthetic() -> None:
    assert is_seeded()
    assert Device.objects.count() == len([m for m in MACHINES if m.registered])
    assert not Device.objects.filter(is_synthetic=False).exists()
    # known since their telemetry began: the figures have hours to cover
    assert not Device.objects.filter(noted_since=None).exists()
    assert Patient.objects.filter(is_synthetic=True).count() == 11 == Patient.objects.count()
    assert not Observation.objects.filter(is_synthetic=False).exists()
    assert Image.objects.filter(is_demo=True).exclude(attribution="").count() == 11
    # nothing is written in the detector's place: every film waits for the real one
    assert set(DetectionRun.objects.values_list("state", flat=True)) == {"queued"}
    assert InboxEntry.objects.get().serial == "DX100-0999"
    assert Image.objects.filter(device=None).count() == 1


def _health_tells_the_stories_of_the_fleet(hospital) -> None:
    found = {d.name: devices.health_at(d, hospital) for d in Device.objects.all()}
    assert {name: health.state for name, health in found.items()} == {
        "XR-1": "ok",
        "XR-2": "act",
        "XR-3": "watch",
        "CR-1": "ok",
        "MX-1": "watch",
    }
    states = set(Alert.objects.values_list("state", flat=True))
    assert states == {"open", "acknowledged", "resolved"}
    panel = Supply.objects.get()
    assert set(panel.members.values_list("device__name", flat=True)) == {"XR-1", "XR-2"}
    spares = Spare.objects.values_list("device__name", "spare__name")
    assert set(spares) == {("XR-1", "XR-2"), ("XR-2", "XR-1"), ("XR-3", "MX-1")}


def _maintenance_has_every_state_that_an_admin_meets(hospital) -> None:
    today = timezone.localdate(hospital)
    open_orders = WorkOrder.objects.exclude(state__in=["done", "verified", "cancelled"])
    assert open_orders.filter(plan__isnull=False, due_on__lt=today - timedelta(days=7)).exists()
    assert open_orders.filter(plan__isnull=False, due_on__gte=today).exists()
    states = set(WorkOrder.objects.values_list("state", flat=True))
    assert {"planned", "scheduled", "done"} <= states
    assert Downtime.objects.count() == 5
    assert not MaintenancePlan.objects.filter(is_synthetic=False).exists()


def _quality_has_a_warning_and_a_machine_that_fails() -> None:
    found = {row.device.name: row for row in overview.rows()}
    assert {name: row.state for name, row in found.items()} == {
        "XR-1": "ok",  # its plan's next day is a month ahead
        "XR-2": "failing",
        "XR-3": "never",
    }
    verdicts = [s.verdict for s in found["XR-1"].protocol.sessions.filter(device__name="XR-1")]
    assert verdicts == ["pass", "tolerance", "pass", "pass"]
    failed = found["XR-2"].last
    assert failed is not None
    span = DegradedSpan.objects.get()
    good = failed.protocol.sessions.get(device=failed.device, verdict="pass")
    assert (span.device, span.since, span.until) == (failed.device, good.performed_at, None)
    assert span.alert is not None
    assert span.alert.state == "open"


def _second_start_changes_nothing(capsys) -> None:
    before = (Device.objects.count(), Image.objects.count(), WorkOrder.objects.count())
    call_command("seed_demo")
    assert "already" in capsys.readouterr().out
    assert (Device.objects.count(), Image.objects.count(), WorkOrder.objects.count()) == before


def _interrupted_start_is_completed(hospital) -> None:
    image = Image.objects.get(series__study__patient__identifier="DEMO-0004")
    DetectionRun.objects.filter(image=image).delete()
    Intake.objects.filter(image=image).delete()
    image.delete()
    Observation.objects.filter(patient__identifier__in=["DEMO-0004", "DEMO-0007"]).delete()
    assert not is_seeded()
    assert seed_demo(now=hospital) == 1
    assert is_seeded()
    assert Image.objects.count() == 11 == Patient.objects.count()


def test_without_demo_users_nothing_is_made() -> None:
    with pytest.raises(NotFoundError, match="create_demo_users"):
        seed_demo()
    assert not Device.objects.exists()


def test_production_has_no_demo(settings) -> None:
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="embedded"):
        call_command("seed_demo")
