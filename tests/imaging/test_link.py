"""Images whose machine was unknown get it later, with the readings they carry."""

from __future__ import annotations

import os
import time

import pytest

from devices.models import Device, DeviceAlias, Reading, TwinEvent
from devices.services.registry import register_device
from imaging.services.link import link_waiting_images
from imaging.services.sweep import sweep_incoming
from imaging.tasks import link_waiting_images_task, sweep_incoming_task

from .factories import make_dicom

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(send):
    return send(make_dicom(serial="LATE-1", KVP="110", SoftwareVersions="7")).image


def register(device: Device, serial: str) -> Device:
    return register_device(serial=serial, name="Late", model=device.model, actor=None)


def test_a_machine_registered_later_gets_its_images(waiting, device):
    assert link_waiting_images() == 0
    late = register(device, "LATE-1")
    link_waiting_images_task()
    waiting.refresh_from_db()
    assert waiting.device == late
    values = {r.metric.key: r for r in Reading.objects.filter(device=late).select_related("metric")}
    assert values["kvp"].value == 110
    assert values["kvp"].measured_at == waiting.acquired_at
    assert "pixel_noise" in values
    event = TwinEvent.objects.filter(device=late, kind="config_reported").get()
    assert event.payload["config"]["software_versions"] == "7"
    assert event.payload["source"] == f"image:{waiting.pk}"
    assert link_waiting_images() == 0


def test_a_confirmed_alias_is_a_name_too(waiting, device):
    DeviceAlias.objects.create(device=device, value="LATE-1")
    assert link_waiting_images() == 1
    waiting.refresh_from_db()
    assert waiting.device == device


def test_images_that_name_no_machine_stay_without(send, device):
    image = send(make_dicom(serial="", StationName=None)).image
    assert link_waiting_images() == 0
    image.refresh_from_db()
    assert image.device is None


def test_old_leftovers_at_the_door_are_swept(archive):
    folder = archive / "incoming"
    folder.mkdir(parents=True)
    for name, age in (("old", 7 * 3600), ("young", 60)):
        (folder / name).write_text("x")
        then = time.time() - age
        os.utime(folder / name, (then, then))
    sweep_incoming_task()
    assert [p.name for p in folder.iterdir()] == ["young"]
    assert sweep_incoming() == 0


def test_both_tasks_are_on_the_timetable(settings):
    planned = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert "imaging.tasks.link_waiting_images_task" in planned
    assert "imaging.tasks.sweep_incoming_task" in planned
