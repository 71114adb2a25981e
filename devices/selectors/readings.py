"""Readings over a span: raw, or in steps of five minutes, an hour or a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.utils import timezone

from devices.charts import Point
from devices.models import Device, Metric, Reading, ReadingDay
from devices.rollup import FIVE_MINUTES, HOUR
from twinhealth.errors import InvalidInputError, NotFoundError

from . import rolled
from .retention import SAFE, Floors, floors

RESOLUTIONS = ("raw", "5min", "hour", "day")
MAX_POINTS = 20_000
RAW_UP_TO = timedelta(hours=48)
HOURS_UP_TO = timedelta(days=31)


def choose_resolution(
    device: Device, start: datetime, end: datetime, metric: Metric | None = None
) -> str:
    """The finest that the span allows, that is kept, and that fits into one answer.

    Raw up to 2 days, 5 minutes and hours up to 31, else days.
    """
    span = rolled.Span(device, start, end, metric)
    length = end - start
    if length > HOURS_UP_TO:
        return "day"
    kept = floors() if start < timezone.now() - SAFE else Floors()
    if kept.hour is not None and start < kept.hour:
        return "day"
    readings, metrics = rolled.readings_up_to(span)

    def fits(seconds: int) -> bool:
        steps = metrics * (int(length.total_seconds()) // seconds + 2)
        return min(steps, readings) <= MAX_POINTS

    raw_is_there = kept.raw is None or start >= kept.raw
    if length <= RAW_UP_TO and readings <= MAX_POINTS and raw_is_there:
        return "raw"
    if fits(FIVE_MINUTES) and (kept.five_minute is None or start >= kept.five_minute):
        return "5min"
    # of a machine with many metrics the hours are counted: days say little of a short span
    return "hour" if fits(HOUR) or rolled.hours_in(span) <= MAX_POINTS else "day"


def _raw(span: rolled.Span) -> dict[int, list[Point]]:
    rows = span.of(Reading.objects).filter(measured_at__gte=span.start, measured_at__lte=span.end)
    found: dict[int, list[Point]] = defaultdict(list)
    ordered = rows.order_by("metric_id", "measured_at")
    for number, at, value in ordered.values_list("metric_id", "measured_at", "value")[
        : MAX_POINTS + 1
    ]:
        found[number].append(Point(at, value, value, value, 1))
    return found


def series(
    *,
    device: Device,
    start: datetime,
    end: datetime,
    resolution: str = "",
    metric: Metric | None = None,
) -> tuple[str, dict[int, list[Point]]]:
    """Points per metric id, oldest first; six queries at most, one more for old spans.

    Args:
        device: whose.
        start: first moment.
        end: last moment, included.
        resolution: one of `RESOLUTIONS`; unless told, the finest that the span allows, that is
            kept, and that fits into one answer.
        metric: only this one.

    Returns:
        The resolution, and the points.

    Raises:
        InvalidInputError: `unknown_resolution`, `bad_span`, `too_many_points`.
    """
    if start > end:
        raise InvalidInputError("bad_span", "The span ends before it starts.")
    span = rolled.Span(device, start, end, metric)
    resolution = resolution or choose_resolution(device, start, end, metric)
    if resolution not in RESOLUTIONS:
        raise InvalidInputError(
            "unknown_resolution", "Choose a known resolution.", known=list(RESOLUTIONS)
        )
    limit = MAX_POINTS + 1
    found = _raw(span) if resolution == "raw" else rolled.steps(span, resolution, limit)
    if sum(len(points) for points in found.values()) > MAX_POINTS:
        raise InvalidInputError(
            "too_many_points",
            "That is too much for one answer; ask for a shorter span, one metric, or longer steps.",
            limit=MAX_POINTS,
        )
    return resolution, {number: points for number, points in found.items() if points}


def daily(
    device_ids: Iterable[int], metric_ids: Iterable[int], start: date, end: date
) -> dict[tuple[int, int], list[ReadingDay]]:
    """What the readings of each day of the hospital come to, oldest first; one query.

    Args:
        device_ids: of which machines.
        metric_ids: of which metrics.
        start: first day.
        end: last day, included.

    Returns:
        By machine's and metric's id; days without a reading are left out.
    """
    rows = ReadingDay.objects.filter(
        device__in=list(device_ids), metric__in=list(metric_ids), day__gte=start, day__lte=end
    )
    found: dict[tuple[int, int], list[ReadingDay]] = defaultdict(list)
    for row in rows.order_by("device_id", "metric_id", "day"):
        found[row.device_id, row.metric_id].append(row)
    return dict(found)


def metric_of(device: Device, key: str) -> Metric:
    """The metric of the device's model.

    Raises:
        NotFoundError: `unknown_metric`.
    """
    found = Metric.objects.filter(device_model=device.model_id, key=key).first()
    if found is None:
        raise NotFoundError("unknown_metric", "The device's model has no such metric.")
    return found
