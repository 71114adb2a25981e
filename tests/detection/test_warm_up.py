from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from celery.signals import worker_process_init
from django.db import OperationalError

from detection import warm_up
from detection.models import DetectorVersion
from detection.services import engine
from twinhealth.errors import UnavailableError

pytestmark = pytest.mark.django_db


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(engine, "detector_for", lambda version: names.append(version.name))
    monkeypatch.setattr(warm_up.connection, "close", lambda: None)  # the test's own
    return names


def consume(monkeypatch: pytest.MonkeyPatch, *queues: str) -> None:
    monkeypatch.setattr(
        type(current_app.amqp.queues), "consume_from", property(lambda _: dict.fromkeys(queues))
    )


def test_a_worker_that_reads_films_loads_the_active_version(
    loads: list[str], version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    consume(monkeypatch, "detect", "default")
    worker_process_init.send(sender=None)
    assert loads == [version.name]


def test_any_other_worker_stays_small(
    loads: list[str], version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    consume(monkeypatch, "default")
    warm_up.load_detector()
    assert loads == []


def test_a_worker_starts_without_any_version(
    loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    consume(monkeypatch, "detect")
    warm_up.load_detector()
    assert loads == []


@pytest.mark.parametrize(
    "error", [UnavailableError("weights_unusable", "x"), OperationalError("away")]
)
def test_a_worker_starts_though_loading_fails(
    loads: list[str], version: DetectorVersion, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    def fail(_: Any) -> None:
        raise error

    consume(monkeypatch, "detect")
    monkeypatch.setattr(engine, "detector_for", fail)
    warm_up.load_detector()


@pytest.mark.parametrize(
    ("queues", "nicer"), [(("shadow",), [10]), (("detect",), []), (("detect", "shadow"), [])]
)
def test_a_worker_that_only_reads_apart_stands_back(
    monkeypatch: pytest.MonkeyPatch, queues: tuple[str, ...], nicer: list[int]
) -> None:
    lowered: list[int] = []
    monkeypatch.setattr(warm_up.os, "nice", lowered.append)
    consume(monkeypatch, *queues)
    warm_up.stand_back()
    assert lowered == nicer
