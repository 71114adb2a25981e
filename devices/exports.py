"""CSV of what the pages show: RFC 4180, UTF-8, times with offset, units as UCUM codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

from accounts import csvsafe
from devices.models import Device, Metric, Reading
from devices.selectors.fleet import FleetRow
from devices.selectors.readings import MAX_POINTS, RESOLUTIONS, choose_resolution, series
from devices.spans import Span
from twinhealth.errors import InvalidInputError

FLEET_HEADER = (
    "id", "serial", "name", "location", "model", "modality", "lifecycle", "criticality",
    "synthetic", "health", "score", "checks_answered", "checks", "because", "since",
    "alerts_unresolved", "images_today", "next_maintenance", "overdue", "as_of",
)  # fmt: skip
_AGGREGATES = ("mean", "min", "max")


def _local(at: datetime) -> str:
    return timezone.localtime(at).isoformat()


def _answer(lines: Iterable[str], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "export"
    response.headers["Content-Disposition"] = f'attachment; filename="{safe}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def fleet(rows: Iterable[FleetRow], *, now: datetime) -> StreamingHttpResponse:
    """A line per machine, in the table's order."""
    stamp = f"{timezone.localtime(now):%Y-%m-%d-%H%M}"
    return _answer(
        csvsafe.stream(FLEET_HEADER, (_fleet_line(row, now) for row in rows)), f"fleet-{stamp}"
    )


def _fleet_line(row: FleetRow, now: datetime) -> tuple[Any, ...]:
    device, health, because = row.device, row.health, row.because
    due = row.next_due
    return (
        device.pk,
        device.serial,
        device.name,
        device.location,
        str(device.model),
        device.model.modality,
        device.lifecycle,
        device.get_criticality_display(),
        "yes" if device.is_synthetic else "no",
        health.state,
        health.score,
        health.coverage[0],
        health.coverage[1],
        because.text if because else "",
        _local(because.since) if because and because.since else "",
        row.open_alerts,
        row.images_today,
        due.due_on.isoformat() if due else "",
        ("yes" if due.overdue else "no") if due else "",
        _local(now),
    )


def readings(
    *, device: Device, span: Span, resolution: str = "", keys: Sequence[str] = ()
) -> StreamingHttpResponse:
    """What a machine's charts show: a line per time, columns per metric with its unit.

    Raw readings are streamed and have no limit; steps are added up first.

    Args:
        device: whose.
        span: both ends included.
        resolution: one of `RESOLUTIONS`; as the charts choose it unless told.
        keys: only these metrics; empty: all of the model.

    Raises:
        InvalidInputError: `unknown_resolution`, `unknown_metric`, `too_many_points`.
    """
    chosen = resolution or choose_resolution(device, span.start, span.end)
    if chosen not in RESOLUTIONS:
        raise InvalidInputError(
            "unknown_resolution", "Choose a known resolution.", known=list(RESOLUTIONS)
        )
    metrics = list(device.model.metrics.order_by("key"))
    unknown = sorted(set(keys) - {m.key for m in metrics})
    if unknown:
        raise InvalidInputError(
            "unknown_metric", "The device's model has no such metric.", metrics=unknown
        )
    metrics = [m for m in metrics if not keys or m.key in keys]
    name = f"{device.serial}-{timezone.localtime(span.start):%Y%m%dT%H%M}-{chosen}"
    header = ["measured_at"]
    if chosen == "raw":
        header += [f"{m.key} [{m.unit}]" for m in metrics]
        return _answer(csvsafe.stream(header, _raw(device, span, metrics)), name)
    for metric in metrics:
        header += [f"{metric.key} {what} [{metric.unit}]" for what in _AGGREGATES]
        header.append(f"{metric.key} n")
    return _answer(csvsafe.stream(header, _steps(device, span, metrics, chosen)), name)


def _raw(device: Device, span: Span, metrics: Sequence[Metric]) -> Iterator[list[Any]]:
    place = {m.pk: column for column, m in enumerate(metrics)}
    rows = (
        Reading.objects.filter(
            device=device,
            metric__in=list(place),
            measured_at__gte=span.start,
            measured_at__lte=span.end,
        )
        .order_by("measured_at", "metric_id")
        .values_list("measured_at", "metric_id", "value")
        .iterator(chunk_size=5000)
    )
    for at, group in groupby(rows, key=lambda row: row[0]):
        cells: list[Any] = [None] * len(metrics)
        for _, metric, value in group:
            cells[place[metric]] = value
        yield [_local(at), *cells]


def _steps(
    device: Device, span: Span, metrics: Sequence[Metric], resolution: str
) -> list[list[Any]]:
    """Every step is computed before the first line goes out: an error must not end a file."""
    width = len(_AGGREGATES) + 1
    lines: dict[datetime, list[Any]] = {}
    for column, metric in enumerate(metrics):
        _, found = series(
            device=device, start=span.start, end=span.end, resolution=resolution, metric=metric
        )
        for point in found.get(metric.pk, []):
            cells = lines.setdefault(point.at, [None] * (width * len(metrics)))
            at = column * width
            cells[at : at + width] = [point.value, point.low, point.high, point.n]
        if len(lines) > MAX_POINTS:
            raise InvalidInputError(
                "too_many_points", "Ask for a shorter span or longer steps.", limit=MAX_POINTS
            )
    return [[_local(at), *cells] for at, cells in sorted(lines.items())]
