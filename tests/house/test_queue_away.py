"""A queue that refuses: what is committed is answered as stored, and beat does the rest."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from detection.models import DetectionRun, RunState
from devices.models import Reading
from devices.tasks import judge_waiting_task
from tests.detection.factories import make_version
from tests.devices.factories import device, metric, model
from tests.imaging.factories import make_dicom
from twinhealth.celery import app

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Messages go to a Redis that isn't there: nothing listens on port 1."""
    pool = app.amqp._producer_pool
    app.amqp._producer_pool = None
    connect = app.connection_for_write
    away = partial(connect, "redis://127.0.0.1:1/0", transport_options={})
    monkeypatch.setattr(app, "connection_for_write", away)
    yield
    app.amqp._producer_pool = pool


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_user(f"{role}-away", role=role))
    return client


def test_the_broker_really_refuses(refusing: None) -> None:
    with pytest.raises(OperationalError):
        judge_waiting_task.delay()


def test_readings_are_answered_as_stored(refusing: None) -> None:
    make = model()
    noise, machine = metric(make), device(make)
    body = [
        {"metric": noise.key, "value": 1, "unit": "1", "measured_at": timezone.now().isoformat()}
    ]
    answer = signed_in("engineer").post(
        f"/api/v1/devices/{machine.pk}/readings/", body, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert Reading.objects.filter(device=machine).count() == 1


def test_a_film_is_answered_as_stored(refusing: None, settings, tmp_path) -> None:
    settings.MEDIA_ROOT, settings.PIXEL_CACHE_ROOT = tmp_path / "media", tmp_path / "cache"
    make_version()
    film = io.BytesIO(make_dicom())
    film.name = "film.dcm"
    answer = signed_in("clinician").post("/api/v1/images/", {"file": film})
    assert answer.status_code == 201, answer.content
    assert answer.json()["run"]["state"] == "queued"
    assert DetectionRun.objects.get().state == RunState.QUEUED
