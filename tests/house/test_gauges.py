"""What the rooms show in /metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from detection.models import RunState
from devices.models import Alert
from tests.detection.factories import make_image, make_run, make_version
from tests.devices.factories import watched_device

from . import hospital

pytestmark = pytest.mark.django_db


def scrape(client: Client) -> dict[tuple[str, ...], float]:
    text = client.get("/metrics").content.decode()
    return {
        (sample.name, *(v for _, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_an_empty_hospital_counts_nothing_and_says_so(client: Client) -> None:
    got = scrape(client)
    assert {got["twinhealth_runs", state] for state in RunState.values} == {0}
    assert got["twinhealth_queue_age_seconds",] == 0
    assert got["twinhealth_alerts", "act", "open"] == 0
    assert got["twinhealth_notifications", "dead"] == 0
    assert got["twinhealth_collector_failed", "detection"] == 0
    assert got["twinhealth_collector_failed", "devices"] == 0


def test_runs_and_the_age_of_the_queue(client: Client) -> None:
    now = timezone.now()
    version = make_version()
    for minutes in (3, 10):
        since = now - timedelta(minutes=minutes)
        make_run(make_image(), version, RunState.QUEUED, queued_at=since)
    make_run(make_image(), version, RunState.DONE)
    got = scrape(client)
    assert got["twinhealth_runs", "queued"] == 2
    assert got["twinhealth_runs", "done"] == 1
    assert 600 <= got["twinhealth_queue_age_seconds",] < 660


def test_resolved_alerts_are_not_counted(client: Client) -> None:
    now = timezone.now()

    def alert(**fields: Any) -> None:
        device, _, rule = watched_device()
        Alert.objects.create(
            device=device,
            rule=rule,
            message="m",
            since=now,
            opened_at=now,
            last_seen_at=now,
            value=1,
            **fields,
        )

    alert(severity="act")
    alert(severity="watch", state="acknowledged", acknowledged_at=now)
    alert(severity="act", state="resolved", resolved_at=now, resolve_reason="repaired")
    got = scrape(client)
    assert got["twinhealth_alerts", "act", "open"] == 1
    assert got["twinhealth_alerts", "watch", "acknowledged"] == 1
    assert sum(value for key, value in got.items() if key[0] == "twinhealth_alerts") == 2


def test_messages_that_wait_or_were_given_up(client: Client) -> None:
    hospital.build()
    got = scrape(client)
    assert got["twinhealth_notifications", "dead"] == 1
    assert got["twinhealth_notifications", "queued"] == 0


def test_five_queries_a_scrape(client: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(5):
        client.get("/metrics")
