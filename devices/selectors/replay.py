"""A rule over a machine's past: the alerts that there would have been, and a chart of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from devices import projection
from devices.charts import Point, columns
from devices.drift import drift
from devices.models import Device, Downtime, Metric, Reading, TwinEvent, WorkOrder
from devices.models.twin import EventKind
from devices.rule_kinds.replay import Mishap, Replay, of_openings, replay
from devices.rule_kinds.spec import OF_MACHINE, Spec
from devices.rules import Sample, number
from twinhealth.errors import InvalidInputError
from twinhealth.web.ucum import unit_text

LONGEST = timedelta(days=3 * 366)
MOST_READINGS = 1_500_000
POINTS = 750  # of the chart


@dataclass(frozen=True, slots=True)
class Shown:
    """A replay with the chart of what it saw; `chart` is JSON for the page's script."""

    replay: Replay
    chart: dict[str, Any]


def mishaps(device: Device, start: datetime, end: datetime) -> list[Mishap]:
    """Unplanned downtimes, and repair orders that had none; two queries."""
    found = [
        Mishap(d.starts_at, d.ends_at, d.reason)
        for d in Downtime.objects.filter(
            device=device, planned=False, starts_at__gte=start, starts_at__lte=end
        )
    ]
    repairs = WorkOrder.objects.filter(
        Q(started_at__gte=start, started_at__lte=end)
        | Q(started_at=None, created_at__gte=start, created_at__lte=end),
        device=device,
        plan=None,
        downtimes=None,
    ).exclude(state="cancelled")
    found += [
        Mishap(w.started_at or w.created_at, w.completed_at, f"WO-{w.pk} {w.title}")
        for w in repairs
    ]
    return found


def run(
    *, device: Device, metric: Metric | None, spec: Spec, start: datetime, end: datetime
) -> Shown:
    """Replay a rule, saved or not, over a span of a machine; four queries.

    Args:
        device: whose past.
        metric: that the rule is of; `None` for the machine as a whole.
        spec: the rule.
        start: of the span.
        end: of the span.

    Raises:
        InvalidInputError: `bad_span`, `other_model`, `too_many_readings`.
    """
    if not timedelta(0) < end - start <= LONGEST:
        raise InvalidInputError("bad_span", "Choose a span of at most three years.")
    if metric is not None and metric.device_model_id != device.model_id:
        raise InvalidInputError("other_model", "This machine is of another model.")
    failed = mishaps(device, start, end)
    if spec.kind in OF_MACHINE:
        openings = _openings(device, spec, end)
        found = of_openings(openings, readings=0, start=start, end=end, mishaps=failed)
        return Shown(found, _chart(spec, metric, [], found))
    samples = _samples(device, metric, start - timedelta(seconds=spec.memory_seconds), end)
    idle = _idle(device, end) if spec.kind == "silence" else []
    found = replay(spec, samples, start=start, end=end, mishaps=failed, idle=idle)
    return Shown(found, _chart(spec, metric, [s for s in samples if s.at >= start], found))


def _samples(device: Device, metric: Metric | None, start: datetime, end: datetime) -> list[Sample]:
    rows = Reading.objects.filter(
        device=device, metric=metric, measured_at__gte=start, measured_at__lte=end
    ).order_by("measured_at")
    found = [
        Sample(at, value)
        for at, value in rows.values_list("measured_at", "value")[: MOST_READINGS + 1]
    ]
    if len(found) > MOST_READINGS:
        raise InvalidInputError(
            "too_many_readings",
            "That is too much for one answer; choose a shorter span.",
            limit=MOST_READINGS,
        )
    return found


def _idle(device: Device, end: datetime) -> list[tuple[datetime, datetime | None]]:
    """Spans in which the machine was not in service."""
    found: list[tuple[datetime, datetime | None]] = []
    since: datetime | None = None
    events = TwinEvent.objects.filter(device=device, kind=EventKind.LIFECYCLE, at__lte=end)
    for at, payload in events.order_by("at", "revision").values_list("at", "payload"):
        serves = payload.get("lifecycle") == "in_service"
        if serves and since is not None:
            found.append((since, at))
            since = None
        elif not serves and since is None:
            since = at
    return found if since is None else [*found, (since, None)]


def _openings(
    device: Device, spec: Spec, end: datetime
) -> list[tuple[datetime, datetime | None, float]]:
    """When configuration or clock was off for long enough, by the machine's journal."""
    borne = timedelta(seconds=spec.limit.for_seconds)
    found: list[tuple[datetime, datetime | None, float]] = []
    state, off_since = projection.empty(), None
    kinds = [EventKind.CONFIG_DESIRED, EventKind.CONFIG_REPORTED, EventKind.CLOCK]
    events = TwinEvent.objects.filter(device=device, kind__in=kinds, at__lte=end)
    for event in events.order_by("at", "revision"):
        state = projection.apply(state, event)
        since = _off_since(spec, state)
        if off_since is not None and since is None and event.at - off_since >= borne:
            found.append((off_since + borne, event.at, 1.0))
        off_since = (off_since or since) if since is not None else None
    if off_since is not None and end - off_since >= borne:
        found.append((off_since + borne, None, 1.0))
    return found


def _off_since(spec: Spec, state: dict[str, Any]) -> datetime | None:
    if spec.kind == "clock":
        note = state.get("clock")
        return parse_datetime(note["since"]) if note and note["state"] != "right" else None
    rows = drift(projection.values(state["desired"]), state["reported"])
    times = [
        max(row["since"], state["desired"][row["key"]]["since"]) for row in rows if row["since"]
    ]
    return parse_datetime(min(times)) if times else None


def _points(samples: list[Sample], start: datetime, end: datetime) -> tuple[str, list[Point]]:
    """At most some hundred: every reading, or steps with smallest and largest."""
    finite = [s for s in samples if math.isfinite(s.value)]
    if len(finite) <= POINTS:
        return "raw", [Point(s.at, s.value, s.value, s.value, 1) for s in finite]
    width = (end - start).total_seconds() / POINTS
    steps: dict[int, list[float]] = {}
    origin = start.timestamp()
    for sample in finite:
        steps.setdefault(int((sample.at.timestamp() - origin) / width), []).append(sample.value)
    return "steps", [
        Point(
            start + timedelta(seconds=step * width),
            math.fsum(values) / len(values),
            min(values),
            max(values),
            len(values),
        )
        for step, values in sorted(steps.items())
    ]


def limits_of(spec: Spec) -> list[dict[str, Any]]:
    """Lines of a chart in the metric's unit; other kinds judge something else than the reading."""
    if spec.unit != spec.limit.unit or spec.kind not in {"limit", "image_quality", "reject_rate"}:
        return []
    return [
        {"severity": spec.limit.severity, "value": value, "text": number(value)}
        for value in (spec.limit.low, spec.limit.high)
        if value is not None
    ]


def _chart(
    spec: Spec, metric: Metric | None, samples: list[Sample], found: Replay
) -> dict[str, Any]:
    resolution, points = _points(samples, found.start, found.end)
    return {
        "start": found.start.timestamp(),
        "end": found.end.timestamp(),
        "resolution": resolution,
        "zone": timezone.get_current_timezone_name(),
        "marks": [
            {"t": m.at.timestamp(), "kind": "failure", "label": m.text} for m in found.mishaps
        ],
        "charts": [
            {
                "key": metric.key if metric else spec.kind,
                "label": metric.label if metric else spec.limit.rule,
                "unit": unit_text(metric.unit) if metric else "",
                "limits": limits_of(spec),
                "bars": [
                    {
                        "from": r.opened_at.timestamp(),
                        "to": (r.cleared_at or found.end).timestamp(),
                        "severity": spec.limit.severity,
                    }
                    for r in found.rings
                ],
                **columns(points),
            }
        ],
    }
