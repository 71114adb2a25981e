"""What is usual for a machine: its own readings at the same hour of the day, in the weeks before.

The band is drawn behind the charts for the eye; no check and no alert follows from it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.db.models import Avg, Count, F, Q, Window
from django.db.models.functions import Ceil, ExtractHour, RowNumber, TruncDay
from django.utils import timezone

from devices.models import Device, Reading
from devices.spans import Span

BEFORE = timedelta(days=28)
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
FEWEST = 10  # values of which a band is said; of fewer, 5 and 95 % mean nothing


@dataclass(frozen=True, slots=True)
class Usual:
    """5 %, median and 95 % of `n` values, in the metric's unit."""

    low: float
    middle: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was usual before a span.

    Attributes:
        kind: `hour`, or `day` for spans that are shown in daily means.
        hours: metric key -> hour of the day in the hospital's zone -> what was usual.
        days: metric key -> what daily means were.
    """

    kind: str
    start: datetime
    end: datetime
    hours: dict[str, dict[int, Usual]]
    days: dict[str, Usual]

    def as_dict(self) -> dict[str, Any]:
        """JSON: `{kind, from, to, metrics: {key: {"<hour>" or "day": [low, middle, high, n]}}}`."""
        found: dict[str, dict[str, list[float]]] = {
            key: {str(hour): _row(usual) for hour, usual in sorted(hours.items())}
            for key, hours in self.hours.items()
        }
        found |= {key: {"day": _row(usual)} for key, usual in self.days.items()}
        return {
            "kind": self.kind,
            "from": self.start,
            "to": self.end,
            "metrics": found,
        }


def _row(usual: Usual) -> list[float]:
    return [usual.low, usual.middle, usual.high, usual.n]


def baseline(device: Device, span: Span, *, resolution: str) -> Baseline:
    """Median and 5 to 95 % of the four weeks before a span; two queries.

    Percentiles are nearest ranks (the smallest value that so many percent don't exceed), which the
    database finds itself, so that three rows an hour and metric come over instead of all readings.

    Args:
        device: whose.
        span: that is shown.
        resolution: of the charts; daily means are compared with daily means.
    """
    start, end = span.start - BEFORE, span.start
    keys = dict(device.model.metrics.values_list("pk", "key"))
    rows = Reading.objects.filter(device=device, measured_at__gte=start, measured_at__lt=end)
    if resolution == "day":
        return Baseline("day", start, end, {}, _days(rows, keys))
    return Baseline("hour", start, end, _hours(rows, keys), {})


def _hours(rows: Any, keys: dict[int, str]) -> dict[str, dict[int, Usual]]:
    parts = [F("metric_id"), F("hour")]
    ranked = (
        rows.annotate(hour=ExtractHour("measured_at", tzinfo=timezone.get_current_timezone()))
        .annotate(
            rank=Window(RowNumber(), partition_by=parts, order_by=F("value").asc()),
            n=Window(Count("pk"), partition_by=parts),
        )
        .filter(
            Q(rank=Ceil(F("n") * LOW))
            | Q(rank=Ceil(F("n") * MIDDLE))
            | Q(rank=Ceil(F("n") * HIGH)),
            n__gte=FEWEST,
        )
        .order_by("metric_id", "hour", "rank")
        .values_list("metric_id", "hour", "n", "value")
    )
    values: dict[tuple[int, int], list[float]] = defaultdict(list)
    counts: dict[tuple[int, int], int] = {}
    for metric, hour, n, value in ranked:
        values[metric, hour].append(value)
        counts[metric, hour] = n
    found: dict[str, dict[int, Usual]] = defaultdict(dict)
    for (metric, hour), (low, middle, high) in values.items():
        if metric in keys:
            found[keys[metric]][hour] = Usual(low, middle, high, counts[metric, hour])
    return dict(found)


def _days(rows: Any, keys: dict[int, str]) -> dict[str, Usual]:
    means: dict[int, list[float]] = defaultdict(list)
    days = (
        rows.order_by()
        .values("metric_id", day=TruncDay("measured_at", tzinfo=timezone.get_current_timezone()))
        .annotate(mean=Avg("value"))
    )
    for row in days:
        means[row["metric_id"]].append(row["mean"])
    found = {}
    for metric, listed in means.items():
        if len(listed) < FEWEST or metric not in keys:
            continue
        ordered = sorted(listed)
        low, middle, high = (ordered[ceil(len(ordered) * p) - 1] for p in (LOW, MIDDLE, HIGH))
        found[keys[metric]] = Usual(low, middle, high, len(ordered))
    return found
