"""Two at once: engineers who mark and end, readers who finish, workers who fill and reckon."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from detection.models import DetectionRun, ReRead, ReReadEvent, ReReadList, TrustChange
from detection.services import reread_work, sign
from devices.models import DegradedSpan, Device, TwinEvent
from devices.services import degraded
from reading.models import Addendum
from reading.services import re_reads
from tests.detection.factories import make_device, make_image, make_run, make_user, make_version
from tests.detection.test_races import hammer

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def machine() -> Device:
    device = make_device()
    Device.objects.filter(pk=device.pk).update(registered_at=timezone.now() - 99 * HOUR)
    return Device.objects.get(pk=device.pk)


def test_engineers_who_mark_and_end_at_once() -> None:
    device, since = machine(), timezone.now() - HOUR
    people = [make_user("engineer") for _ in range(4)]
    seen = hammer(
        [
            partial(degraded.mark, device=device, since=since, reason=f"seen by {p}", actor=p)
            for p in people
        ]
    )
    assert seen == {"ok": 1, "degraded_overlap": 3}
    span = DegradedSpan.objects.get()
    seen = hammer([partial(degraded.end, span=span, reason="good", actor=p) for p in people])
    assert seen == {"ok": 1, "degraded_ended": 3}
    assert TwinEvent.objects.filter(device=device, kind__startswith="degraded").count() == 2


def test_pressed_twice_makes_one() -> None:
    device, since, person = machine(), timezone.now() - HOUR, make_user("engineer")
    press = partial(degraded.mark, device=device, since=since, reason="stripes", actor=person)
    assert hammer([press] * 4) == {"ok": 4}
    assert DegradedSpan.objects.count() == ReReadList.objects.count() == 1


def test_workers_and_readers_at_once() -> None:
    device, version, engineer = machine(), make_version(), make_user("engineer")
    now = timezone.now()
    for _ in range(6):
        image = make_image(device=device, acquired_at=now - HOUR)
        make_run(image, version, trust_at=now - HOUR, device_trust="full")
        sign.sign(image_id=image.pk, user=make_user(), conclusion="normal")
    degraded.mark(device=device, since=now - 2 * HOUR, reason="stripes", actor=engineer)
    seen = hammer([partial(reread_work.work_lists, seconds=60)] * 3)
    assert seen == {"ok": 3}
    assert set(DetectionRun.objects.values_list("device_trust", flat=True)) == {"reduced"}
    assert TrustChange.objects.count() == ReRead.objects.count() == 6
    item = ReRead.objects.first()
    assert item is not None
    seen = hammer(
        [
            partial(
                re_reads.record, item_id=item.pk, user=make_user(), result="changed", text="Worse."
            )
            for _ in range(3)
        ]
    )
    assert seen == {"ok": 1, "re_read_done": 2}
    assert Addendum.objects.count() == ReReadEvent.objects.count() == 1
