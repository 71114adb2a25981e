"""The newest reading of machines' metrics, now or as of a past moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, OuterRef, Subquery

from devices.models import Reading, ReadingLatest

Newest = dict[tuple[int, int], tuple[datetime, float]]


def newest_many(device_ids: Sequence[int], at: datetime) -> Newest:
    """(moment, value) of the newest reading up to `at`, by machine's and metric's id.

    One query where nothing was measured after `at`, else two. Pairs without a reading are left out.

    Args:
        device_ids: of which machines.
        at: as of.
    """
    latest = ReadingLatest.objects.filter(device__in=device_ids)
    found: Newest = {}
    later = False
    for device, metric, moment, value in latest.values_list(
        "device_id", "metric_id", "measured_at", "value"
    ):
        if moment <= at:
            found[device, metric] = (moment, value)
        else:
            later = True
    if later:
        raw = Reading.objects.filter(
            device=OuterRef("device_id"), metric=OuterRef("metric_id"), measured_at__lte=at
        ).order_by("-measured_at")
        past = latest.filter(measured_at__gt=at).annotate(
            then_at=Subquery(raw.values("measured_at")[:1]),
            then=Subquery(raw.values("value")[:1]),
        )
        for device, metric, moment, value in past.values_list(
            "device_id", "metric_id", F("then_at"), F("then")
        ):
            if moment is not None:
                found[device, metric] = (moment, value)
    return found
