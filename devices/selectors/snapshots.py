"""Stored folds of a journal, and the events that come after one."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from devices.models import TwinEvent, TwinSnapshot


def newest_snapshot(device_id: int, at: datetime | None = None) -> TwinSnapshot | None:
    """The device's last one, or the last up to a moment."""
    stored = TwinSnapshot.objects.filter(device=device_id)
    if at is not None:
        stored = stored.filter(at__lte=at)
    return stored.order_by("-at", "-revision").first()


def events_after(device_id: int, base: TwinSnapshot | None) -> QuerySet[TwinEvent]:
    """The device's events after a snapshot, in the order of the fold, with what it needs."""
    events = TwinEvent.objects.filter(device=device_id).order_by("at", "revision")
    if base is not None:
        # the first part is what the index begins at
        events = events.filter(at__gte=base.at).filter(
            Q(at__gt=base.at) | Q(revision__gt=base.revision)
        )
    return events.only("device", "revision", "kind", "at", "payload")
