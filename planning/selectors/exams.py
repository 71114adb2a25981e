"""How many exams a machine does in each hour of the week, as it did in the last weeks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Count
from django.db.models.functions import TruncHour

from imaging.models import Image
from planning.simulation.inputs import WEEK, Floats

WEEKS = 8  # looked back
LEAST = 20  # exams of a machine in them; with fewer nobody is told a number


def per_hour_of_week(devices: Iterable[int], *, now: datetime) -> dict[int, Floats]:
    """Mean exams in each hour of the hospital's week; machines with too few are left out.

    An exam is a study of which the machine took an image; it counts in each hour in which it did.
    Where a machine's first image is younger than the span looked at, its own weeks are taken.

    Args:
        devices: their numbers.
        now: the span ends here.
    """
    begin = now - timedelta(weeks=WEEKS)
    rows = (
        Image.objects.filter(device__in=list(devices), acquired_at__gte=begin, acquired_at__lt=now)
        .annotate(hour=TruncHour("acquired_at"))
        .order_by()
        .values_list("device", "hour")
        .annotate(Count("series__study", distinct=True))
    )
    counts: dict[int, Floats] = defaultdict(lambda: np.zeros(WEEK))
    first: dict[int, datetime] = {}
    for device, hour, count in rows:
        if device is None or hour is None:
            continue
        counts[device][hour.weekday() * 24 + hour.hour] += count
        first[device] = min(first.get(device, hour), hour)
    return {
        device: found / max(1.0, (now - first[device]) / timedelta(weeks=1))
        for device, found in counts.items()
        if found.sum() >= LEAST
    }
