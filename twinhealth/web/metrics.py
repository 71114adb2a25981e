"""/metrics: requests counted here, and gauges that rooms register. No patient data in any label.

Requests are labelled by the address's name, never by its path, which holds ids. Under gunicorn the
counters of all its processes are added up (PROMETHEUS_MULTIPROC_DIR, twinhealth/gunicorn_conf.py);
what a room registers is asked at each scrape, so it may count rows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator

import structlog
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

log = structlog.get_logger(__name__)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OWN = CollectorRegistry()
REQUESTS = Counter(
    "twinhealth_http_requests",
    "Requests answered, by name of the address.",
    ["method", "route", "status"],
    registry=OWN,
)
SECONDS = Histogram(
    "twinhealth_http_request_seconds",
    "Time from the first middleware in to the same one out.",
    ["method", "route"],
    registry=OWN,
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_collectors: dict[str, Callable[[], Iterable[Metric]]] = {}


def register(name: str, collect: Callable[[], Iterable[Metric]]) -> None:
    """Have a room's figures in /metrics.

    Args:
        name: of the room; a second registration takes the first one's place.
        collect: called at each scrape; gives prometheus_client's metric families. It should ask
            the database little, and name no patient.
    """
    _collectors[name] = collect


class _Rooms:
    """What the rooms registered; one that fails is marked and hides none of the others."""

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client."""
        failed = GaugeMetricFamily(
            "twinhealth_collector_failed", "1 where a room could not count.", labels=["room"]
        )
        for name, collect in sorted(_collectors.items()):
            try:
                families = list(collect())
            except Exception:
                log.exception("collector_failed", room=name)
                families = []
                failed.add_metric([name], 1)
            else:
                failed.add_metric([name], 0)
            yield from families
        yield failed


def exposition() -> tuple[bytes, str]:
    """The text that Prometheus reads, and its content type."""
    registry = CollectorRegistry()
    registry.register(_Rooms())
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)
        return generate_latest(registry), CONTENT_TYPE_LATEST
    return generate_latest(OWN) + generate_latest(registry), CONTENT_TYPE_LATEST


class MetricsMiddleware:
    """Counts requests and their time; stands first, so that it sees what all others take."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on and count it."""
        started = time.perf_counter()
        response = self.get_response(request)
        method = request.method if request.method in METHODS else "other"
        match = request.resolver_match
        route = (match.view_name if match else "") or "unmatched"
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        SECONDS.labels(method, route).observe(time.perf_counter() - started)
        return response
