"""Points in steps of five minutes, an hour or a day, from what readings come to.

A step that the span cuts is added up from its readings, so that a chart as of a past moment knows
nothing later. Where those readings are deleted the whole step stands.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Manager, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Trunc
from django.utils import timezone

from devices import rollup
from devices.charts import Point
from devices.models import Device, Metric, Reading, Reading5Min, ReadingDay

from .retention import floors

FIVE_MINUTES = timedelta(seconds=rollup.FIVE_MINUTES)
_STEP: dict[str, tuple[Any, str]] = {"5min": (Reading5Min, "starts_at"), "day": (ReadingDay, "day")}
_Found = dict[int, list[Point]]


def local_day(moment: datetime) -> date:
    """The day of the hospital in which a moment lies."""
    return timezone.localtime(moment, timezone.get_default_timezone()).date()


def midnight(day: date) -> datetime:
    """Where a day of the hospital begins."""
    return datetime.combine(day, time(), tzinfo=timezone.get_default_timezone())


@dataclass(frozen=True, slots=True)
class Span:
    """What is asked for.

    Attributes:
        device: whose readings.
        start: first moment.
        end: last moment, included.
        metric: only this one; `None` for all.
    """

    device: Device
    start: datetime
    end: datetime
    metric: Metric | None

    def of(self, rows: Manager[Any]) -> QuerySet[Any]:
        """The machine's and the metric's rows, of any time."""
        mine = rows.filter(device=self.device)
        return mine if self.metric is None else mine.filter(metric=self.metric)


def readings_up_to(span: Span) -> tuple[int, int]:
    """How many readings, at most, and metrics the days of a span have; one query."""
    days = span.of(ReadingDay.objects).filter(
        day__gte=local_day(span.start), day__lte=local_day(span.end)
    )
    found = days.aggregate(n=Sum("n"), metrics=Count("metric", distinct=True))
    return found["n"] or 0, found["metrics"]


def steps(span: Span, resolution: str, limit: int) -> _Found:
    """Points of `5min` or `day`, oldest first per metric, as many as the limit allows.

    One query, two where the span cuts a step that has readings on both sides of the cut.
    """
    model, step = _STEP[resolution]
    start, end = span.start, span.end
    first: Any = local_day(start) if resolution == "day" else rollup.five_minutes(start)
    last: Any = local_day(end) if resolution == "day" else end
    rows = span.of(model.objects).filter((f"{step}__gte", first), (f"{step}__lte", last))
    found: _Found = defaultdict(list)
    cut: list[tuple[int, int, datetime]] = []
    for number, at, n, total, low, high, first_at, last_at in rows.order_by(
        "metric_id", step
    ).values_list("metric_id", step, "n", "total", "low", "high", "first_at", "last_at")[:limit]:
        begin = midnight(at) if resolution == "day" else at
        if last_at < start or first_at > end:
            continue
        if first_at < start or last_at > end:
            cut.append((number, len(found[number]), begin))
        found[number].append(Point(begin, total / n, low, high, n))
    if cut:
        _recount(found, cut, span, resolution)
    return found


def _recount(
    found: _Found, cut: list[tuple[int, int, datetime]], span: Span, resolution: str
) -> None:
    """Add up the steps that the span cuts from the readings inside."""
    raw_from = floors().raw
    inside = Q()
    wanted: dict[tuple[int, datetime], int] = {}
    for number, place, begin in cut:
        if raw_from is not None and begin < raw_from:
            continue
        after = midnight(local_day(begin) + timedelta(days=1))
        until = after if resolution == "day" else begin + FIVE_MINUTES
        inside |= Q(metric=number, measured_at__gte=max(begin, span.start), measured_at__lt=until)
        wanted[number, begin] = place
    if not wanted:
        return
    rows = Reading.objects.filter(inside, device=span.device, measured_at__lte=span.end)
    sums: dict[tuple[int, datetime], list[float]] = defaultdict(list)
    for number, at, value in rows.values_list("metric_id", "measured_at", "value"):
        begin = midnight(local_day(at)) if resolution == "day" else rollup.five_minutes(at)
        sums[number, begin].append(value)
    empty: dict[int, list[int]] = defaultdict(list)
    for (number, begin), place in wanted.items():
        values = sums.get((number, begin))
        if values:
            mean = sum(values) / len(values)
            found[number][place] = Point(begin, mean, min(values), max(values), len(values))
        else:
            empty[number].append(place)
    for number, places in empty.items():
        for place in sorted(places, reverse=True):
            del found[number][place]
        if not found[number]:
            del found[number]


def hours(span: Span, limit: int) -> _Found:
    """Points of hours of UTC, from the five minutes that lie inside of the span; one query."""
    rows = span.of(Reading5Min.objects).filter(
        starts_at__gte=rollup.five_minutes(span.start),
        starts_at__lte=span.end,
        first_at__gte=span.start,
        last_at__lte=span.end,
    )
    added = (
        rows.order_by()
        .values("metric_id", step=Trunc("starts_at", "hour", tzinfo=UTC))
        .annotate(count=Sum("n"), sum=Sum("total"), least=Min("low"), most=Max("high"))
        .order_by("metric_id", "step")
        .values_list("metric_id", "step", "count", "sum", "least", "most")
    )
    found: _Found = defaultdict(list)
    for number, at, n, total, low, high in added[:limit]:
        found[number].append(Point(at, total / n, low, high, n))
    return found
