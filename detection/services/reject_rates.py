"""How many of a machine's films the image gate refused is a reading of the machine, once a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from devices.models import Device, Reading
from devices.models.reading import ReadingSource
from devices.services.readings import ReadingIn, record_readings

METRIC = "reject_rate"
DAYS = 3  # that are looked back at, so that a stopped worker leaves no hole
SETTLED = timedelta(hours=6)  # after midnight; films of the night are read by then
LEAST = 5  # films without which a share says nothing


def record_reject_rates(*, now: datetime) -> int:
    """Record the share of refused films per machine and whole day; one that is there stays.

    A film counts as refused where the gate refused it for any version, also where a person had it
    read in spite of that: it was taken badly or doesn't belong. Films that wait don't count.

    Args:
        now: days that ended `SETTLED` before it are looked at.

    Returns:
        Readings stored.
    """
    midnight = timezone.localtime(now - SETTLED).replace(hour=0, minute=0, second=0, microsecond=0)
    stored = 0
    for back in range(DAYS):
        end = _midnight(midnight - timedelta(days=back))
        start = _midnight(midnight - timedelta(days=back + 1))
        for device in _counted(start, end):
            share = 100 * device.refused / device.films  # type: ignore[attr-defined]
            item = ReadingIn(METRIC, share, "%", end - timedelta(seconds=1))
            result = record_readings(device=device, items=[item], source=ReadingSource.PIXELS)
            stored += result.accepted
    return stored


def _midnight(day: datetime) -> datetime:
    """The beginning of the local day, also where clocks were changed."""
    return timezone.make_aware(day.replace(tzinfo=None))


def _counted(start: datetime, end: datetime) -> list[Device]:
    """Machines with enough films of that day, which their model has a metric for; one query."""
    taken = Q(
        images__acquired_at__gte=start,
        images__acquired_at__lt=end,
        images__runs__finished_at__isnull=False,
    )
    known = Reading.objects.filter(
        device=OuterRef("pk"), metric__key=METRIC, measured_at=end - timedelta(seconds=1)
    )
    return list(
        Device.objects.filter(model__metrics__key=METRIC)
        .filter(~Exists(known))
        .annotate(
            films=Count("images", filter=taken, distinct=True),
            refused=Count("images", filter=taken & ~Q(images__runs__gate_code=""), distinct=True),
        )
        .filter(films__gte=LEAST)
        .order_by("pk")
    )
