"""Findings of a failing machine are doubted from the last good test on, and not before."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from detection.services.reread_work import work_lists
from detection.services.trust import trust_of
from devices.models import Device
from imaging.models import Image
from tests.detection.factories import make_image, make_run, make_version
from tests.devices import factories as f
from tests.quality import rows

pytestmark = pytest.mark.django_db


def film(device: Device, at: datetime) -> Image:
    return make_image(device=device, device_serial=device.serial, acquired_at=at)


def test_trust_follows_the_sessions() -> None:
    device = rows.machine()
    noise = f.metric(device.model, "pixel_noise")
    f.rule(noise)
    protocol = rows.protocol(device)
    good = rows.signed(protocol, device, 30)
    hour = timedelta(hours=1)
    before, after = film(device, good.performed_at - hour), film(device, good.performed_at + hour)
    later = film(device, rows.ago(0.5))
    for each in (before, after, later):
        f.reading(device, noise, 1.0, each.acquired_at - timedelta(minutes=5))
    version = make_version()
    long_ago = {"trust_at": rows.ago(1), "device_trust": "full"}
    runs = [
        make_run(each, version, boxes=(("covid", 0.9),), **long_ago)
        for each in (before, after, later)
    ]
    assert [trust_of(each).level for each in (before, after, later)] == ["full"] * 3

    bad = rows.signed(protocol, device, 1, kv=76)
    levels = [trust_of(each).level for each in (before, after, later)]
    assert levels == ["full", "reduced", "reduced"]
    assert "Monthly constancy" in trust_of(after).reasons[0]["text"]
    assert not work_lists(seconds=60, now=timezone.now() + timedelta(minutes=5))
    for run in runs:
        run.refresh_from_db()
    assert [run.device_trust for run in runs] == ["full", "reduced", "reduced"]

    repaired = rows.signed(protocol, device, 0.75)
    assert repaired.performed_at > bad.performed_at
    levels = [trust_of(each).level for each in (before, after, later)]
    assert levels == ["full", "reduced", "full"]
