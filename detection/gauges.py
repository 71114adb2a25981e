"""What /metrics shows of this room: runs by state, and how long the oldest waits."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from detection.models import DetectionRun, RunState
from twinhealth.web import metrics


def connect() -> None:
    """Have them in /metrics; called once, when the room is ready."""
    metrics.register("detection", collect)


def collect() -> Iterator[Metric]:
    """Two queries; every state is there, zero included, so that an alarm can be written for it."""
    counts = dict(DetectionRun.objects.order_by().values_list("state").annotate(count=Count("pk")))
    runs = GaugeMetricFamily("twinhealth_runs", "Detection runs by state.", labels=["state"])
    for state in RunState.values:
        runs.add_metric([state], counts.get(state, 0))
    yield runs
    oldest = DetectionRun.objects.filter(state=RunState.QUEUED).aggregate(at=Min("queued_at"))["at"]
    seconds = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    yield GaugeMetricFamily(
        "twinhealth_queue_age_seconds", "Age of the oldest queued run.", value=max(0.0, seconds)
    )
