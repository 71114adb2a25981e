"""Readings over a span: raw, in 5-minute or in day steps, added up by the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, Expression, Func, IntegerField, Max, Min, QuerySet
from django.db.models.functions import TruncDay
from django.utils import timezone

from devices.charts import Point
from devices.models import Device, Metric, Reading
from twinhealth.errors import InvalidInputError, NotFoundError

RESOLUTIONS = ("raw", "5min", "day")
FIVE_MINUTES = 300
MAX_POINTS = 20_000
RAW_UP_TO = timedelta(hours=48)
FIVE_MINUTES_UP_TO = timedelta(days=31)


class Bucket(Func):
    """Number of the 5-minute step since 1970 in which a time lies, on both databases."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQLite keeps UTC text."""
        template = f"(CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) / {FIVE_MINUTES})"
        return super().as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL keeps a moment."""
        template = f"FLOOR(EXTRACT(EPOCH FROM %(expressions)s) / {FIVE_MINUTES})::bigint"
        return super().as_sql(compiler, connection, template=template, **context)


def choose_resolution(span: timedelta) -> str:
    """Fine enough for the span: raw up to 2 days, 5 minutes up to 31, else days."""
    if span <= RAW_UP_TO:
        return "raw"
    return "5min" if span <= FIVE_MINUTES_UP_TO else "day"


def _aggregated(rows: QuerySet[Reading], resolution: str) -> dict[int, list[Point]]:
    zone = timezone.get_current_timezone()
    step: Expression = (
        Bucket("measured_at") if resolution == "5min" else TruncDay("measured_at", tzinfo=zone)
    )
    found: dict[int, list[Point]] = defaultdict(list)
    grouped = (
        rows.order_by()
        .values("metric_id", step=step)
        .annotate(mean=Avg("value"), low=Min("value"), high=Max("value"), n=Count("pk"))
        .order_by("metric_id", "step")
    )
    for row in grouped[: MAX_POINTS + 1]:
        at = row["step"]
        if resolution == "5min":
            at = datetime.fromtimestamp(at * FIVE_MINUTES, tz=UTC)
        point = Point(at, row["mean"], row["low"], row["high"], row["n"])
        found[row["metric_id"]].append(point)
    return found


def _raw(rows: QuerySet[Reading]) -> dict[int, list[Point]]:
    found: dict[int, list[Point]] = defaultdict(list)
    ordered = rows.order_by("metric_id", "measured_at")
    for metric, at, value in ordered.values_list("metric_id", "measured_at", "value")[
        : MAX_POINTS + 1
    ]:
        found[metric].append(Point(at, value, value, value, 1))
    return found


def series(
    *,
    device: Device,
    start: datetime,
    end: datetime,
    resolution: str = "",
    metric: Metric | None = None,
) -> tuple[str, dict[int, list[Point]]]:
    """Points per metric id, oldest first, in one query.

    Args:
        device: whose.
        start: first moment.
        end: last moment, included.
        resolution: one of `RESOLUTIONS`; chosen by the span unless told.
        metric: only this one.

    Returns:
        The resolution, and the points.

    Raises:
        InvalidInputError: `unknown_resolution`, `bad_span`, `too_many_points`.
    """
    if start > end:
        raise InvalidInputError("bad_span", "The span ends before it starts.")
    resolution = resolution or choose_resolution(end - start)
    if resolution not in RESOLUTIONS:
        raise InvalidInputError(
            "unknown_resolution", "Choose a known resolution.", known=list(RESOLUTIONS)
        )
    rows = Reading.objects.filter(device=device, measured_at__gte=start, measured_at__lte=end)
    if metric is not None:
        rows = rows.filter(metric=metric)
    found = _raw(rows) if resolution == "raw" else _aggregated(rows, resolution)
    if sum(len(points) for points in found.values()) > MAX_POINTS:
        raise InvalidInputError(
            "too_many_points",
            "That is too much for one answer; ask for a shorter span, one metric, or longer steps.",
            limit=MAX_POINTS,
        )
    return resolution, dict(found)


def daily(
    device_ids: Sequence[int], metric_ids: Sequence[int], start: datetime, end: datetime
) -> dict[tuple[int, int], list[Point]]:
    """Each whole day's mean, smallest and largest by (device, metric), oldest first; one query.

    Args:
        device_ids: whose.
        metric_ids: of what.
        start: first moment, the beginning of a day in the hospital's zone.
        end: before it; the beginning of a day.
    """
    rows = (
        Reading.objects.filter(
            device__in=device_ids,
            metric__in=metric_ids,
            measured_at__gte=start,
            measured_at__lt=end,
        )
        .order_by()
        .values("device_id", "metric_id", day=TruncDay("measured_at"))
        .annotate(mean=Avg("value"), low=Min("value"), high=Max("value"), n=Count("pk"))
        .order_by("device_id", "metric_id", "day")
    )
    found: dict[tuple[int, int], list[Point]] = defaultdict(list)
    for row in rows:
        point = Point(row["day"], row["mean"], row["low"], row["high"], row["n"])
        found[row["device_id"], row["metric_id"]].append(point)
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
