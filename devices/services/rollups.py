"""Whether newest readings, five minutes, hours and days are what the readings come to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import reduce
from itertools import groupby
from typing import Any

from django.db import transaction

from devices import rollup
from devices.models import Device, Reading, Reading5Min, ReadingDay, ReadingHour, ReadingLatest
from devices.rollup import Sums
from devices.selectors.retention import Floors, floors
from devices.selectors.rolled import local_day, midnight

from .events import lock_twin

_FIELDS = ("n", "total", "m2", "low", "high", "first_at", "last_at")
_CLOSE = 1e-9  # the order of adding changes the last digits
_ROWS = 5_000
_True = Callable[[], Iterator[tuple[tuple[int, Any], Sums]]]  # by metric and step, in this order


@transaction.atomic
def rebuild_rollups(*, device: Device, repair: bool) -> bool:
    """Compare with the readings; hours and days with the five minutes, which outlive those.

    Args:
        device: whose.
        repair: write what the readings come to where it differs.

    Returns:
        True where all were right.
    """
    lock_twin(device.pk)
    kept = floors()
    right = _latest(device, kept, repair=repair)
    right &= _five_minutes(device, kept, repair=repair)
    right &= _hours(device, kept, repair=repair)  # from the five minutes as they are by now
    return _days(device, kept, repair=repair) and right


def _latest(device: Device, kept: Floors, *, repair: bool) -> bool:
    stored = {row.metric_id: row for row in ReadingLatest.objects.filter(device=device)}
    raw = Reading.objects.filter(device=device).order_by("metric_id", "-measured_at")
    found: dict[int, Reading] = {}
    for metric in set(raw.order_by().values_list("metric_id", flat=True).distinct()) | set(stored):
        newest = raw.filter(metric=metric).first()
        if newest is not None:
            found[metric] = newest
    # of a metric that has been silent since before the readings were deleted, it is all there is
    alone = {
        m for m, row in stored.items() if m not in found and kept.raw and row.measured_at < kept.raw
    }
    told = {m: (r.measured_at, r.value, r.received_at) for m, r in stored.items() if m not in alone}
    true = {m: (r.measured_at, r.value, r.received_at) for m, r in found.items()}
    if told != true and repair:
        ReadingLatest.objects.filter(device=device).exclude(metric__in=alone).delete()
        ReadingLatest.objects.bulk_create(
            ReadingLatest(
                device=device, metric_id=m, measured_at=at, value=value, received_at=received
            )
            for m, (at, value, received) in true.items()
        )
    return told == true


def _five_minutes(device: Device, kept: Floors, *, repair: bool) -> bool:
    stored = Reading5Min.objects.filter(device=device)
    raw = Reading.objects.filter(device=device)
    if kept.raw is not None:
        stored, raw = stored.filter(starts_at__gte=kept.raw), raw.filter(measured_at__gte=kept.raw)
    return _compare(stored, device, lambda: _fives(raw), repair=repair)


def _fives(raw: Any) -> Iterator[tuple[tuple[int, datetime], Sums]]:
    rows = raw.order_by("metric_id", "measured_at").values_list("metric_id", "measured_at", "value")
    steps = groupby(rows.iterator(_ROWS), lambda row: (row[0], rollup.five_minutes(row[1])))
    for key, group in steps:
        yield key, rollup.add([(at, value) for _, at, value in group])


def _hours(device: Device, kept: Floors, *, repair: bool) -> bool:
    """What lies before the five minutes that are kept stays as it is."""
    stored = ReadingHour.objects.filter(device=device)
    fives = Reading5Min.objects.filter(device=device)
    if kept.five_minute is not None:
        stored = stored.filter(starts_at__gte=kept.five_minute)
        fives = fives.filter(starts_at__gte=kept.five_minute)
    return _compare(stored, device, lambda: _merged(fives, rollup.hour), repair=repair)


def _days(device: Device, kept: Floors, *, repair: bool) -> bool:
    """A day that the zone has moved is found too: its five minutes lie in another day now."""
    stored = ReadingDay.objects.filter(device=device)
    fives = Reading5Min.objects.filter(device=device)
    if kept.five_minute is not None:
        # the day that the deletion cut keeps what it came to
        begin = local_day(kept.five_minute) + timedelta(days=1)
        stored = stored.filter(day__gte=begin)
        fives = fives.filter(starts_at__gte=midnight(begin))
    return _compare(stored, device, lambda: _merged(fives, local_day), repair=repair)


def _merged(fives: Any, step: Callable[[datetime], Any]) -> Iterator[tuple[tuple[int, Any], Sums]]:
    """Longer steps, in the order of metric and time."""
    rows = fives.order_by("metric_id", "starts_at").iterator(_ROWS)
    for key, group in groupby(rows, lambda row: (row.metric_id, step(row.starts_at))):
        yield key, reduce(rollup.merge, map(_sums, group))


def _compare(stored: Any, device: Device, true: _True, *, repair: bool) -> bool:
    """Stored steps with what they should be, which is added up once more for the repair."""
    field = "day" if stored.model is ReadingDay else "starts_at"
    rows = stored.order_by("metric_id", field).iterator(_ROWS)
    right = _same((((row.metric_id, getattr(row, field)), _sums(row)) for row in rows), true())
    if not right and repair:
        stored.delete()
        stored.model.objects.bulk_create(
            (
                stored.model(device=device, metric_id=m, **{field: at}, **_as_fields(sums))
                for (m, at), sums in true()
            ),
            batch_size=_ROWS,
        )
    return right


def _same(told: Iterable[tuple[Any, Sums]], true: Iterable[tuple[Any, Sums]]) -> bool:
    """Both in the same order; sums may differ in their last digits."""
    ours, theirs = iter(told), iter(true)
    for one in ours:
        other = next(theirs, None)
        if other is None or one[0] != other[0] or not _close(one[1], other[1]):
            return False
    return next(theirs, None) is None


def _close(one: Sums, other: Sums) -> bool:
    exact = ("n", "low", "high", "first_at", "last_at")
    if any(getattr(one, name) != getattr(other, name) for name in exact):
        return False
    # what cancels out leaves the last digits of the values themselves
    largest = max(abs(one.low), abs(one.high))
    return math.isclose(
        one.total, other.total, rel_tol=_CLOSE, abs_tol=_CLOSE * largest * one.n
    ) and math.isclose(one.m2, other.m2, rel_tol=_CLOSE, abs_tol=_CLOSE * largest**2 * one.n)


def _sums(row: Reading5Min | ReadingHour | ReadingDay) -> Sums:
    return Sums(*(getattr(row, name) for name in _FIELDS))


def _as_fields(sums: Sums) -> dict[str, Any]:
    return {name: getattr(sums, name) for name in _FIELDS}
