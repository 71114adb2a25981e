"""Two machines over one span, or one machine over two: same metrics, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Q
from django.utils import timezone

from devices.charts import Point, columns
from devices.health import ORDER
from devices.models import Device, Metric
from devices.models.device import Lifecycle
from devices.rules import CheckResult, number
from devices.spans import Span
from twinhealth.web.ucum import unit_text

from .readings import RESOLUTIONS, choose_resolution, series
from .twin import Twin, metrics, twin

FOUND = 12
SEPARATOR = " · "  # between name and serial, as the page's list of machines offers them


def find(text: str) -> list[Device]:
    """Machines that a text may mean: an id, a serial, `name · serial`, or part of a name.

    One where it is certain, at most `FOUND` where it isn't.
    """
    text = text.strip()[:256]
    if not text:
        return []
    known = Device.objects.select_related("model")
    exact = Q(serial=text) | Q(serial=text.rsplit(SEPARATOR, 1)[-1].strip())
    if text.isdecimal():
        exact |= Q(pk=int(text[:18]))
    # an id is what addresses hold, so it wins over a serial of the same digits
    certain = sorted(known.filter(exact), key=lambda d: str(d.pk) != text)
    if certain:
        return certain[:1]
    part = text[:64]
    likely = known.filter(
        Q(name__icontains=part) | Q(serial__icontains=part) | Q(location__icontains=part)
    )
    return list(likely.exclude(lifecycle=Lifecycle.RETIRED).order_by("name", "pk")[:FOUND])


def choices() -> list[str]:
    """Every machine in use as the page offers it."""
    used = Device.objects.exclude(lifecycle=Lifecycle.RETIRED).order_by("name", "pk")
    return [f"{name}{SEPARATOR}{serial}" for name, serial in used.values_list("name", "serial")]


@dataclass(frozen=True, slots=True)
class Figures:
    """A metric over a span; `middle` is the median of what the chart shows."""

    n: int
    latest: float
    latest_at: datetime
    middle: float


@dataclass(frozen=True, slots=True)
class Side:
    """One machine over its span."""

    twin: Twin
    span: Span
    metrics: dict[tuple[str, str], Metric]  # by key and unit
    points: dict[int, list[Point]]

    @property
    def device(self) -> Device:
        """Whose."""
        return self.twin.device

    def of(self, key: tuple[str, str]) -> list[Point]:
        """Points of a metric, oldest first."""
        metric = self.metrics.get(key)
        return self.points.get(metric.pk, []) if metric else []

    def figures(self, key: tuple[str, str]) -> Figures | None:
        """`None` without a reading."""
        points = self.of(key)
        if not points:
            return None
        last = points[-1]
        return Figures(
            n=sum(p.n for p in points),
            latest=last.value,
            latest_at=last.at,
            middle=median(p.value for p in points),
        )


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric on both sides; `lacks` names the side whose model hasn't got it: `a` or `b`."""

    key: str
    label: str
    unit: str  # UCUM
    a: Figures | None
    b: Figures | None
    lacks: str

    @property
    def difference(self) -> float | None:
        """B minus a, of the medians."""
        return self.b.middle - self.a.middle if self.a and self.b else None

    @property
    def difference_text(self) -> str:
        """With its sign; empty where one is unknown."""
        if self.difference is None:
            return ""
        sign = "+" if self.difference > 0 else "\N{MINUS SIGN}" if self.difference < 0 else ""
        return f"{sign}{number(abs(self.difference))} {unit_text(self.unit)}".strip()


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check on both sides."""

    rule: str
    a: CheckResult | None
    b: CheckResult | None


@dataclass(frozen=True, slots=True)
class ConfigPair:
    """One key of the reported configuration; `differs` only where both are known."""

    key: str
    a: Any
    b: Any

    @property
    def differs(self) -> bool:
        """Both are known, and not the same."""
        return self.a is not None and self.b is not None and bool(self.a != self.b)


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides; `shift` seconds move b's times onto a's axis."""

    a: Side
    b: Side
    resolution: str
    rows: list[MetricRow]
    checks: list[CheckRow]
    config: list[ConfigPair]

    @property
    def shift(self) -> float:
        """Seconds from b's span to a's."""
        return (self.a.span.start - self.b.span.start).total_seconds()

    @property
    def data(self) -> dict[str, Any]:
        """JSON for the page's script."""
        zone = timezone.get_current_timezone_name()
        charts = []
        for row in self.rows:
            pair = [_columns(side.of((row.key, row.unit))) for side in (self.a, self.b)]
            if pair[0]["t"] or pair[1]["t"]:
                charts.append(
                    {"key": row.key, "unit": unit_text(row.unit), "a": pair[0], "b": pair[1]}
                )
        return {
            "start": self.a.span.start.timestamp(),
            "end": self.a.span.end.timestamp(),
            "shift": self.shift,
            "resolution": self.resolution,
            "zone": zone,
            "charts": charts,
        }


def _columns(points: Sequence[Point]) -> dict[str, list[Any]]:
    both = columns(points)
    return {"t": both["t"], "v": both["v"]}


def _side(device: Device, span: Span, resolution: str, now: datetime) -> Side:
    at = None if span.end >= now else span.end
    listed = {(m.key, m.unit): m for m in metrics(device)}
    _, points = series(device=device, start=span.start, end=span.end, resolution=resolution)
    return Side(twin(device, at=at, now=now), span, listed, points)


def compare(a: Device, b: Device, *, span_a: Span, span_b: Span, now: datetime) -> Compared:
    """Both sides and what differs; twelve queries.

    Metrics belong together where key and unit are the same. Health, checks and configuration are
    those of the end of each span.

    Args:
        a: one machine.
        b: the other, or the same.
        span_a: its span; both have the coarser of the two resolutions.
        span_b: as long as `span_a`.
        now: ours.

    Raises:
        InvalidInputError: `too_many_points`.
    """
    sides = ((a, span_a), (b, span_b))
    resolution = max(
        (choose_resolution(device, span.start, span.end) for device, span in sides),
        key=RESOLUTIONS.index,
    )
    one = _side(a, span_a, resolution, now)
    other = _side(b, span_b, resolution, now)
    return Compared(
        one,
        other,
        resolution,
        _metric_rows(one, other),
        _check_rows(one, other),
        _config(one, other),
    )


def _metric_rows(a: Side, b: Side) -> list[MetricRow]:
    rows = []
    for key in {**a.metrics, **b.metrics}:
        metric = a.metrics.get(key) or b.metrics[key]
        rows.append(
            MetricRow(
                key=metric.key,
                label=metric.label,
                unit=metric.unit,
                a=a.figures(key),
                b=b.figures(key),
                lacks="a" if key not in a.metrics else "b" if key not in b.metrics else "",
            )
        )
    return sorted(rows, key=lambda r: (bool(r.lacks), r.a is None and r.b is None, r.label))


def _check_rows(a: Side, b: Side) -> list[CheckRow]:
    sides = [{(c.metric, c.rule): c for c in side.twin.health.checks} for side in (a, b)]
    rows = [
        CheckRow(key[1], sides[0].get(key), sides[1].get(key)) for key in {**sides[0], **sides[1]}
    ]
    return sorted(rows, key=_worst)


def _worst(row: CheckRow) -> tuple[int, str]:
    return (min(ORDER[c.state] for c in (row.a, row.b) if c is not None), row.rule)


def _config(a: Side, b: Side) -> list[ConfigPair]:
    one, other = a.twin.reported, b.twin.reported
    pairs = [ConfigPair(key, one.get(key), other.get(key)) for key in {**one, **other}]
    return sorted(pairs, key=lambda p: (not p.differs, p.key))
