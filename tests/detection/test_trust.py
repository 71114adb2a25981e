from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from detection.models import DetectionRun, DetectorVersion, RunState, TrustCursor, WorklistItem
from detection.services import trust
from detection.services.execute import execute_run
from detection.services.trust import refresh_late_trust, refresh_trust, trust_of
from devices.models import Device, Metric, Reading, Rule
from imaging.models import Image
from imaging.services.link import link_waiting_images
from tests.detection.factories import make_device, make_image, make_run
from tests.detection.fakes import FakeDetector, install
from tests.devices.factories import reading

pytestmark = pytest.mark.django_db


def now() -> datetime:
    return timezone.now()


@pytest.fixture
def device(db: None) -> Device:
    """Its only rule: noise above 5 calls for action."""
    device = make_device()
    metric = Metric.objects.create(
        device_model=device.model, key="pixel_noise", label="noise", unit="1"
    )
    Rule.objects.create(metric=metric, name="noise", severity="act", high=5.0)
    return device


def read(device: Device, value: float, at: datetime) -> Reading:
    return reading(device, device.model.metrics.get(key="pixel_noise"), value, at)


def image_of(device: Device, at: datetime) -> Image:
    return make_image(device=device, device_serial=device.serial, acquired_at=at)


def settled(seconds: float = 30) -> datetime:
    """A beat later: what was computed a moment ago is not so fresh any more."""
    return now() + timedelta(seconds=seconds)


def test_trust_is_the_twins_as_of_the_exposure(device: Device) -> None:
    at = now() - timedelta(hours=5)
    read(device, 1.0, at - timedelta(hours=1))
    read(device, 9.0, at + timedelta(hours=1))
    assert trust_of(image_of(device, at)).level == "full"
    facts = trust_of(image_of(device, at + timedelta(hours=2)))
    assert facts.level == "reduced"
    assert [(r["rule"], r["state"]) for r in facts.reasons] == [("noise", "act")]
    assert facts.device_id == device.pk


def test_no_machine_or_no_data_is_unknown(device: Device) -> None:
    assert trust_of(make_image()).level == "unknown"
    assert trust_of(image_of(device, now())).level == "unknown"


def test_it_is_stored_with_the_result(
    device: Device, version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(device, 9.0, now() - timedelta(hours=1))
    run = make_run(image_of(device, now()), version, RunState.QUEUED)
    install(monkeypatch, FakeDetector())
    execute_run(run_id=run.pk)
    run.refresh_from_db()
    assert (run.device_trust, run.trust_device) == ("reduced", device)
    assert run.trust_reasons[0]["rule"] == "noise"
    item = WorklistItem.objects.get(image=run.image_id)
    assert (item.trust, item.needs_reader) == ("reduced", True)


def test_readings_that_come_late_change_it(device: Device, version: DetectorVersion) -> None:
    at = now() - timedelta(hours=5)
    run = make_run(image_of(device, at), version, device_trust="full", trust_at=now())
    before = make_run(
        image_of(device, at - timedelta(hours=3)), version, device_trust="full", trust_at=now()
    )
    assert refresh_late_trust(now=settled()) == 0
    read(device, 9.0, at - timedelta(hours=1))
    assert refresh_late_trust(now=settled()) == 1
    run.refresh_from_db()
    before.refresh_from_db()
    assert (run.device_trust, before.device_trust) == ("reduced", "full")
    assert WorklistItem.objects.get(image=run.image_id).trust == "reduced"


def test_each_late_reading_is_looked_at_until_it_is_settled_and_then_no_more(
    device: Device, version: DetectorVersion
) -> None:
    at = now() - timedelta(hours=5)
    run = make_run(image_of(device, at), version, device_trust="full", trust_at=now())
    reading = read(device, 9.0, at)
    assert refresh_late_trust(now=settled()) == 1
    DetectionRun.objects.filter(pk=run.pk).update(trust_at=settled(60))
    refresh_late_trust(now=settled(600))  # the reading that came with the film
    assert refresh_late_trust(now=settled(700)) == 0
    assert TrustCursor.objects.get().last_reading_id == reading.pk


def test_a_reading_after_the_exposure_says_nothing_of_it(
    device: Device, version: DetectorVersion
) -> None:
    at = now() - timedelta(hours=5)
    make_run(image_of(device, at), version, device_trust="full", trust_at=now())
    read(device, 9.0, at + timedelta(seconds=1))
    assert refresh_late_trust(now=settled()) == 0


def test_a_machine_that_becomes_known_later(device: Device, version: DetectorVersion) -> None:
    read(device, 9.0, now() - timedelta(hours=1))
    Reading.objects.update(received_at=now() - timedelta(hours=1))
    image = make_image(device_serial="other name", acquired_at=now())
    run = make_run(image, version, trust_at=now())
    assert refresh_late_trust(now=settled()) == 0
    image.device = device
    image.save()
    assert refresh_late_trust(now=settled()) == 1
    run.refresh_from_db()
    assert (run.device_trust, run.trust_device) == ("reduced", device)
    assert refresh_late_trust(now=settled()) == 0


def test_it_is_bounded_and_comes_to_an_end(
    device: Device, version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "BATCH", 2)
    at = now() - timedelta(hours=5)
    long_ago = now() - timedelta(hours=1)
    runs = [
        make_run(image_of(device, at), version, device_trust="full", trust_at=long_ago)
        for _ in range(5)
    ]
    late = read(device, 9.0, at)
    Reading.objects.filter(pk=late.pk).update(received_at=now() - timedelta(minutes=5))
    counts = [refresh_late_trust(now=settled()) for _ in range(4)]
    assert counts == [2, 2, 1, 0]
    assert {DetectionRun.objects.get(pk=r.pk).device_trust for r in runs} == {"reduced"}


def test_only_what_is_asked_for(device: Device, version: DetectorVersion) -> None:
    at = now() - timedelta(hours=5)
    read(device, 9.0, at - timedelta(hours=1))
    old = make_run(image_of(device, at), version, device_trust="full", trust_at=at)
    new = make_run(image_of(device, now()), version, device_trust="full", trust_at=at)
    elsewhere = make_run(make_image(), version, device_trust="full", trust_at=at)
    assert refresh_trust(device=device, since=at + timedelta(hours=1)) == 1
    assert refresh_trust(image_ids=[old.image_id]) == 1
    assert refresh_trust(image_ids=[old.image_id]) == 0
    levels = [DetectionRun.objects.get(pk=r.pk).device_trust for r in (old, new, elsewhere)]
    assert levels == ["reduced", "reduced", "full"]


def test_a_film_whose_machine_is_linked_later_gets_its_trust(version: DetectorVersion) -> None:
    """The unknown machine is registered after its film was read; the film brings its readings."""
    noisy = {"readings": {"pixel_noise": [9.0, "1"]}, "config": {}}
    at = now() - timedelta(hours=1)
    image = make_image(device_serial="NEW-1", acquired_at=at, machine_facts=noisy)
    run = make_run(image, version)
    assert refresh_late_trust(now=settled()) == 0
    device = make_device(serial="NEW-1")
    metric = Metric.objects.create(
        device_model=device.model, key="pixel_noise", label="noise", unit="1"
    )
    Rule.objects.create(metric=metric, name="noise", severity="act", high=5.0)
    assert link_waiting_images() == 1
    assert refresh_late_trust(now=settled()) == 1
    run.refresh_from_db()
    assert (run.device_trust, run.trust_device_id) == ("reduced", device.pk)
    assert [reason["rule"] for reason in run.trust_reasons] == ["noise"]
    assert WorklistItem.objects.get(image=image).trust == "reduced"
    refresh_late_trust(now=settled(600))  # once more for the reading that came with the film
    assert refresh_late_trust(now=settled(700)) == 0
