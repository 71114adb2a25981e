"""A small hospital with failures, exams and orders, for the tests that read the database."""

from __future__ import annotations

import itertools
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from devices.models import Device, DeviceModel, Downtime, WorkOrder
from imaging.models import Image, Series, Study
from patients.models import Patient
from tests.devices.factories import device as make_device
from tests.devices.factories import model as make_model
from tests.devices.maintenance_rows import make_order, make_plan, today

_NUMBERS = itertools.count(1)


def workday(days: int) -> int:
    """So many days from today, or the next weekday after."""
    while (timezone.localdate() + timedelta(days=days)).weekday() >= 5:
        days += 1
    return days


def failing(count: int = 3, *, model: DeviceModel | None = None, **fields: Any) -> list[Device]:
    """Machines of one model, old enough and with failures enough to have a rate."""
    of = model or make_model(modality="DX")
    made = [make_device(of, location=f"R{next(_NUMBERS)}", **fields) for _ in range(count)]
    long_ago = timezone.now() - timedelta(days=1500)
    Device.objects.filter(pk__in=[each.pk for each in made]).update(noted_since=long_ago)
    for number, each in enumerate(made):
        for years in range(2):
            begin = long_ago + timedelta(days=200 + 400 * years + 10 * number)
            Downtime.objects.create(
                device=each, starts_at=begin, ends_at=begin + timedelta(hours=5), reason="broken"
            )
    return made


def planned(device: Device, *, due: int = 10, **fields: Any) -> WorkOrder:
    """The open order of a quarterly plan."""
    plan = make_plan(device, starts_on=today(due), **fields)
    return WorkOrder.objects.get(plan=plan)


def images(device: Device, at: list[datetime]) -> None:
    """One study each."""
    patient = Patient.objects.create(identifier=f"P{next(_NUMBERS)}", issuer="test")
    for each in at:
        n = next(_NUMBERS)
        study = Study.objects.create(study_instance_uid=f"1.9.{n}", patient=patient)
        series = Series.objects.create(series_instance_uid=f"1.9.{n}.1", study=study, modality="DX")
        Image.objects.create(
            series=series, sop_instance_uid=f"1.9.{n}.1.1", sop_class_uid="1.2",
            transfer_syntax_uid="1.2.840.10008.1.2.1", sha256=f"{n:064x}", path=f"p/{n}.dcm",
            size=1, rows=1, columns=1, bits_stored=8, photometric="MONOCHROME2",
            acquired_at=each, device=device, device_serial=device.serial, door="rest",
        )  # fmt: skip


def weekly(device: Device, hours: dict[int, int], *, weeks: int = 8) -> None:
    """So many exams at an hour of every day of the last weeks."""
    days = [timezone.localdate() - timedelta(days=n) for n in range(1, 7 * weeks)]
    images(
        device,
        [
            timezone.make_aware(datetime.combine(day, time(hour, 5)))
            for day in days
            for hour, count in hours.items()
            for _ in range(count)
        ],
    )


__all__ = ["failing", "images", "make_order", "planned", "weekly", "workday"]
