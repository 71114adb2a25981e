"""The share of refused films is a reading of the machine, once a day, however often it is looked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from detection.models import DetectionRun
from detection.services.reject_rates import record_reject_rates
from detection.tasks import record_reject_rates_task
from devices.models import Reading
from imaging.models import Image
from tests.detection.factories import make_image, make_run, make_version
from tests.devices import factories as f

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=ZoneInfo(settings.TIME_ZONE))
DAY = timedelta(days=1)


def film(device: Any, version: Any, at: datetime, *, refused: bool = False) -> None:
    image = make_image()
    Image.objects.filter(pk=image.pk).update(device=device, acquired_at=at)
    run = make_run(image, version, "refused" if refused else "done")
    if refused:
        DetectionRun.objects.filter(pk=run.pk).update(gate_code="not_a_chest", gate_at=at)


def test_once_per_machine_and_day() -> None:
    made = f.model()
    f.metric(made, "reject_rate", unit="%")
    device, few, version = f.device(made), f.device(made), make_version("active")
    for index in range(8):
        film(device, version, NOON - DAY, refused=index < 2)
    film(few, version, NOON - DAY, refused=True)
    film(device, version, NOON, refused=True)  # a day that isn't over
    assert record_reject_rates(now=NOON) == 1
    assert record_reject_rates(now=NOON + timedelta(hours=3)) == 0
    (reading,) = Reading.objects.all()
    assert (reading.device, reading.value) == (device, 25.0)
    midnight = NOON.replace(hour=0)
    assert reading.measured_at == midnight - timedelta(seconds=1)
    record_reject_rates_task()


def test_nothing_before_the_night_is_read_and_nothing_without_the_metric() -> None:
    device, version = f.device(), make_version("active")
    for _ in range(6):
        film(device, version, NOON - DAY)
    assert record_reject_rates(now=NOON) == 0
    f.metric(device.model, "reject_rate", unit="%")
    assert record_reject_rates(now=NOON.replace(hour=5)) == 0
    assert record_reject_rates(now=NOON) == 1
