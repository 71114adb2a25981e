"""/healthz, /readyz, /metrics: asked by machines, answered whatever the host name."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from twinhealth import probes
from twinhealth.web import metrics


@pytest.fixture
def weights(tmp_path: Path, settings: Any) -> Path:
    """A whole weights file with its manifest."""
    path = tmp_path / "w" / "active.pth"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    manifest = {"sha256": hashlib.sha256(b"weights").hexdigest(), "file": path.name}
    path.with_suffix(".json").write_text(json.dumps(manifest))
    settings.DETECTOR_WEIGHTS = path
    return path


@pytest.fixture
def place(tmp_path: Path, settings: Any) -> Path:
    """Storage and queue of the embedded shape in a folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PIXEL_CACHE_ROOT = tmp_path / "cache"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "tmp"
    settings.CELERY_BROKER_URL = "filesystem://"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_out": str(tmp_path / "queue")}
    return tmp_path


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/readyz")
    return response.status_code, response.json()


def test_healthz_asks_nothing(client: Client, django_db_blocker: Any) -> None:
    with django_db_blocker.block():
        response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_the_container_asks_by_an_address_that_is_no_host_name(client: Client, path: str) -> None:
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200


def test_only_reading_is_answered(client: Client) -> None:
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_ready(client: Client, place: Path, weights: Path) -> None:
    status, body = ready(client)
    assert status == 200, body
    assert body["status"] == "ok"
    assert set(body["checks"]) == {"database", "queue", "storage", "weights"}
    assert all(check == {"ok": True, "why": ""} for check in body["checks"].values())


def broken_storage(place: Path, settings: Any) -> None:
    (place / "file").write_text("")
    settings.MEDIA_ROOT = place / "file" / "media"


def no_room(place: Path, settings: Any) -> None:
    settings.MIN_FREE_BYTES = 2**62


def broken_queue(place: Path, settings: Any) -> None:
    (place / "queue").rmdir()
    (place / "queue").write_text("")


def no_redis(place: Path, settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://:topsecret@127.0.0.1:1/0"


def changed_weights(place: Path, settings: Any) -> None:
    settings.DETECTOR_WEIGHTS.write_bytes(b"weightz")


def no_weights(place: Path, settings: Any) -> None:
    settings.DETECTOR_WEIGHTS.unlink()


def no_manifest(place: Path, settings: Any) -> None:
    settings.DETECTOR_WEIGHTS.with_suffix(".json").unlink()


def bad_manifest(place: Path, settings: Any) -> None:
    settings.DETECTOR_WEIGHTS.with_suffix(".json").write_text("[1]")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("harm", "check", "why"),
    [
        (broken_storage, "storage", "can't be written"),
        (no_room, "storage", "MiB are free"),
        (broken_queue, "queue", "can't be written"),
        (no_redis, "queue", "does not answer"),
        (changed_weights, "weights", "is damaged: its sha256"),
        (no_weights, "weights", "can't be read"),
        (no_manifest, "weights", "is not beside"),
        (bad_manifest, "weights", "names no sha256"),
    ],
)
def test_not_ready_says_why(
    client: Client, place: Path, weights: Path, settings: Any, harm: Any, check: str, why: str
) -> None:
    assert ready(client)[0] == 200
    harm(place, settings)
    status, body = ready(client)
    assert status == 503
    assert body["status"] == "unavailable"
    assert [name for name, c in body["checks"].items() if not c["ok"]] == [check]
    assert why in body["checks"][check]["why"]
    assert "topsecret" not in json.dumps(body)


@pytest.mark.django_db
def test_the_database_is_away(
    client: Client, place: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("password=topsecret host=db refused")

    monkeypatch.setattr(connection, "cursor", away)
    status, body = ready(client)
    assert status == 503
    assert body["checks"]["database"]["why"] == "the database does not answer (OperationalError)"


@pytest.mark.django_db
def test_missing_migrations_are_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_migrated", set())
    assert probes.database() is None
    monkeypatch.setattr(probes, "_migrated", set())
    monkeypatch.setattr(
        "twinhealth.probes.MigrationExecutor.migration_plan", lambda self, targets: [("a", False)]
    )
    assert "manage.py migrate" in str(probes.database())


def test_weights_are_hashed_once_per_change(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    original = hashlib.file_digest

    def counting(file: Any, name: str) -> Any:
        hashed.append(file.name)
        return original(file, name)

    monkeypatch.setattr(hashlib, "file_digest", counting)
    assert probes.weights() is None
    assert probes.weights() is None
    assert len(hashed) == 1
    status = weights.stat()
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
    assert probes.weights() is None
    assert len(hashed) == 2


# --- metrics


def figures(client: Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = client.get("/metrics").content.decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def requests(client: Client, route: str) -> float:
    return sum(
        value
        for (name, labels), value in figures(client).items()
        if name == "twinhealth_http_requests_total" and dict(labels)["route"] == route
    )


@pytest.fixture
def rooms() -> Iterator[None]:
    """What the rooms registered, put back afterwards."""
    before = dict(metrics._collectors)
    yield
    metrics._collectors.clear()
    metrics._collectors.update(before)


@pytest.mark.django_db
def test_requests_are_counted_by_name_of_the_address(client: Client) -> None:
    before, unknown = requests(client, "accounts:login"), requests(client, "unmatched")
    client.get("/login/")
    client.get("/login/?next=/patients/ID8841/")
    client.get("/patients-of-john-doe/")
    assert requests(client, "accounts:login") == before + 2
    assert requests(client, "unmatched") == unknown + 1
    text = client.get("/metrics").content.decode()
    assert "twinhealth_http_request_seconds_bucket" in text
    assert not re.search("john|ID8841", text)


@pytest.mark.django_db
def test_an_odd_method_makes_no_label_of_its_own(client: Client) -> None:
    client.generic("BREW", "/login/")
    assert "BREW" not in client.get("/metrics").content.decode()


def test_a_rooms_figures(client: Client, rooms: None) -> None:
    family = GaugeMetricFamily("twinhealth_test_runs", "Runs by state.", labels=["state"])
    family.add_metric(["queued"], 3)
    metrics.register("test", lambda: [family])
    got = figures(client)
    assert got["twinhealth_test_runs", (("state", "queued"),)] == 3
    assert got["twinhealth_collector_failed", (("room", "test"),)] == 0


def test_a_room_that_fails_hides_none_of_the_others(client: Client, rooms: None) -> None:
    def broken() -> list[GaugeMetricFamily]:
        raise OperationalError("no such table")

    metrics.register("broken", broken)
    metrics.register("whole", lambda: [GaugeMetricFamily("twinhealth_whole", "x", value=1)])
    got = figures(client)
    assert got["twinhealth_collector_failed", (("room", "broken"),)] == 1
    assert got["twinhealth_whole", ()] == 1
