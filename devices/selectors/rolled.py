"""Points in steps of five minutes, an hour or a day, from what readings come to.

A step that the span cuts is added up again from what lies inside, so that a chart as of a past
moment knows nothing later. Where the shorter steps are deleted the whole step stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Count,
    ExpressionWrapper,
    Manager,
    Q,
    QuerySet,
    Sum,
    TextField,
)
from django.db.models.functions import Cast
from django.utils import timezone

from devices import rollup
from devices.charts import Point
from devices.models import (
    Device,
    Metric,
    Reading,
    Reading5Min,
    ReadingDay,
    ReadingHour,
    ReadingLatest,
)  # fmt: skip

from .retention import floors

FIVE_MINUTES = timedelta(seconds=rollup.FIVE_MINUTES)
_Found = dict[int, list[Point]]
_Piece = tuple[int, datetime, int, float, float, float]  # metric, moment, n, total, low, high


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
        if self.metric is not None:
            return mine.filter(metric=self.metric)
        # the keys of the tables are machine, metric, time: without the metrics the database reads
        # all the times of the machine
        told = ReadingLatest.objects.filter(device=self.device).values("metric")
        return mine.filter(metric__in=told)


def readings_up_to(span: Span) -> tuple[int, int]:
    """How many readings, at most, and metrics the days of a span have; one query."""
    days = span.of(ReadingDay.objects).filter(
        day__gte=local_day(span.start), day__lte=local_day(span.end)
    )
    found = days.aggregate(n=Sum("n"), metrics=Count("metric", distinct=True))
    return found["n"] or 0, found["metrics"]


def hours_in(span: Span) -> int:
    """How many hours of all its metrics have readings, the cut ones too; one query."""
    rows = span.of(ReadingHour.objects)
    return rows.filter(starts_at__gte=rollup.hour(span.start), starts_at__lte=span.end).count()


@dataclass(frozen=True, slots=True)
class _Step:
    """A resolution: where its rows are, and where the step begins and ends that has a moment."""

    model: Any
    field: str
    begin: Callable[[datetime], datetime]
    end: Callable[[datetime], datetime]


def _midnight_before(moment: datetime) -> datetime:
    return midnight(local_day(moment))


_STEPS = {
    "5min": _Step(
        Reading5Min,
        "starts_at",
        rollup.five_minutes,
        lambda moment: rollup.five_minutes(moment) + FIVE_MINUTES,
    ),
    "hour": _Step(
        ReadingHour,
        "starts_at",
        rollup.hour,
        lambda moment: rollup.hour(moment) + timedelta(hours=1),
    ),
    "day": _Step(
        ReadingDay,
        "day",
        _midnight_before,
        lambda moment: midnight(local_day(moment) + timedelta(days=1)),
    ),
}


def steps(span: Span, resolution: str, limit: int) -> _Found:
    """Points of `5min`, `hour` or `day`, oldest first per metric, as many as the limit allows.

    One query; up to three more where the span cuts a step with readings on both sides of the cut.
    """
    step = _STEPS[resolution]
    by_day = resolution == "day"
    first: Any = local_day(span.start) if by_day else step.begin(span.start)
    last: Any = local_day(span.end) if by_day else span.end
    # compared by the database, and the step's beginning as text, of which all metrics have the
    # same: to read moments takes longer than all the rest
    apart = Q(first_at__lt=span.start) | Q(last_at__gt=span.end)
    rows = (
        span.of(step.model.objects)
        .filter((f"{step.field}__gte", first), (f"{step.field}__lte", last))
        .filter(last_at__gte=span.start, first_at__lte=span.end)
        .annotate(cut=ExpressionWrapper(apart, BooleanField()), text=Cast(step.field, TextField()))
        .order_by("metric_id", step.field)
        .values_list("metric_id", "text", "n", "total", "low", "high", "cut")
    )
    found: _Found = defaultdict(list)
    cut: dict[tuple[int, datetime], int] = {}
    begins: dict[str, datetime] = {}
    for number, text, n, total, low, high, is_cut in rows[:limit]:
        begin = begins.get(text) or begins.setdefault(text, _begin(text))
        points = found[number]
        if is_cut:
            cut[number, begin] = len(points)
        points.append(Point(begin, total / n, low, high, n))
    if cut:
        _recount(found, cut, span, step)
    return found


def _begin(text: str) -> datetime:
    """Where a step begins, of the text that the database makes of its moment or day."""
    if len(text) == len("2026-03-01"):
        return midnight(date.fromisoformat(text))
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _recount(found: _Found, cut: dict[tuple[int, datetime], int], span: Span, step: _Step) -> None:
    """Add up the steps that the span cuts from what lies inside."""
    kept = floors()
    shorter_from = kept.raw if step.model is Reading5Min else kept.five_minute
    wanted = {
        (number, begin): place
        for (number, begin), place in cut.items()
        if shorter_from is None or begin >= shorter_from
    }
    if not wanted:
        return
    if step.model is Reading5Min:
        pieces = _readings(span, wanted)
    else:
        pieces = _fives(span, wanted, step, kept.raw)
    inside: dict[tuple[int, datetime], list[_Piece]] = defaultdict(list)
    for piece in pieces:
        inside[piece[0], step.begin(piece[1])].append(piece)
    # from behind: what is taken out moves the places after it
    for (number, begin), place in sorted(wanted.items(), key=lambda item: -item[1]):
        parts = inside.get((number, begin))
        if parts:
            _, _, counts, totals, lows, highs = zip(*parts, strict=True)
            n = sum(counts)
            found[number][place] = Point(begin, sum(totals) / n, min(lows), max(highs), n)
        else:
            del found[number][place]


def _fives(
    span: Span,
    cut: Collection[tuple[int, datetime]],
    step: _Step,
    raw_from: datetime | None,
) -> Iterator[_Piece]:
    """Five minutes of the cut steps that lie inside, and the readings of those that are cut too.

    Where those readings are deleted their five minutes are left out: they may know what is later.
    """
    windows = Q()
    for edge in (span.start, span.end):
        windows |= Q(starts_at__gte=step.begin(edge), starts_at__lt=step.end(edge))
    rows = Reading5Min.objects.filter(
        windows,
        device=span.device,
        metric__in={number for number, _ in cut},
        last_at__gte=span.start,
        first_at__lte=span.end,
    )
    apart = set()
    for number, begin, n, total, low, high, first_at, last_at in rows.values_list(
        "metric_id", "starts_at", "n", "total", "low", "high", "first_at", "last_at"
    ):
        if (number, step.begin(begin)) not in cut:
            continue
        if span.start <= first_at and last_at <= span.end:
            yield number, begin, n, total, low, high
        elif raw_from is None or begin >= raw_from:
            apart.add((number, begin))
    if apart:
        yield from _readings(span, apart)


def _readings(span: Span, cut: Collection[tuple[int, datetime]]) -> Iterator[_Piece]:
    """Readings inside of the span that lie in five minutes that it cuts."""
    windows = Q()
    for edge in (span.start, span.end):
        begin = rollup.five_minutes(edge)
        windows |= Q(measured_at__gte=begin, measured_at__lt=begin + FIVE_MINUTES)
    rows = Reading.objects.filter(
        windows,
        device=span.device,
        metric__in={number for number, _ in cut},
        measured_at__gte=span.start,
        measured_at__lte=span.end,
    )
    for number, at, value in rows.values_list("metric_id", "measured_at", "value"):
        if (number, rollup.five_minutes(at)) in cut:
            yield number, at, 1, value, value, value
