from __future__ import annotations

import socket
from typing import Any

import pytest
from django.db import transaction

from accounts.models import AuditEntry, User
from detection.models import DetectionRun, DetectorVersion, RunState, WorklistItem
from detection.services.request import request_run, retry_run
from detection.tasks import execute_run_task
from imaging.signals import image_stored
from tests.detection.factories import make_image, make_run
from twinhealth.errors import ConflictError, NotFoundError

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    ids: list[int] = []
    monkeypatch.setattr(execute_run_task, "delay", ids.append)
    return ids


def test_asking_twice_gives_one_run_and_one_message(
    version: DetectorVersion, sent: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    image = make_image()
    with django_capture_on_commit_callbacks(execute=True):
        first = request_run(image=image)
        assert sent == []
        again = request_run(image=image)
    assert first is not None
    assert first == again
    assert sent == [first.pk]
    assert (first.state, first.version) == (RunState.QUEUED, version)
    assert WorklistItem.objects.get(image=image).run == first


def test_nothing_is_sent_for_a_film_that_was_not_stored(
    version: DetectorVersion, sent: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    def store_half() -> None:
        with transaction.atomic():
            request_run(image=image)
            raise RuntimeError("disk full")

    image = make_image()
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError):
        store_half()
    assert sent == []
    assert not DetectionRun.objects.exists()


def test_a_film_that_cannot_be_shown_is_refused_at_once(
    version: DetectorVersion, sent: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    image = make_image(display_problem="cannot_display", display_message="12-bit JPEG.")
    with django_capture_on_commit_callbacks(execute=True):
        run = request_run(image=image)
    assert run is not None
    assert (run.state, run.reason_code, run.reason) == (
        RunState.REFUSED,
        "cannot_display",
        "12-bit JPEG.",
    )
    assert sent == []
    assert WorklistItem.objects.get(image=image).needs_reader


def test_without_an_active_version_the_film_waits(sent: list[int]) -> None:
    image = make_image()
    assert request_run(image=image) is None
    assert WorklistItem.objects.get(image=image).run is None


def test_a_stored_image_is_read_in_its_own_transaction(
    version: DetectorVersion, sent: list[int]
) -> None:
    image = make_image()
    image_stored.send(sender=type(image), image=image, dataset=None, pixels=None)
    assert image.runs.get().state == RunState.QUEUED


@pytest.mark.parametrize("broker", ["refuses", "silent"])
@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_away_does_not_fail_the_upload(
    version: DetectorVersion, broker: str
) -> None:
    """A real connection to a port where nobody listens, or where somebody never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if broker == "silent":
            listener.listen()
        port = listener.getsockname()[1]
        away = execute_run_task.app.connection_for_write(
            url=f"redis://127.0.0.1:{port}/0",
            transport_options={"socket_timeout": 1, "socket_connect_timeout": 1},
        )
        image = make_image()
        original = execute_run_task.apply_async
        try:
            execute_run_task.apply_async = lambda args=None, kwargs=None, **o: original(
                args, kwargs, connection=away, **o
            )
            run = request_run(image=image)
        finally:
            execute_run_task.apply_async = original
            away.release()
    assert run is not None
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def test_a_person_has_a_failed_run_tried_again(
    version: DetectorVersion,
    reader: User,
    sent: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    run = make_run(make_image(), version, RunState.FAILED, attempts=3, reason="x", reason_code="y")
    with django_capture_on_commit_callbacks(execute=True):
        again = retry_run(run_id=run.pk, user=reader)
    assert (again.state, again.attempts, again.reason, again.finished_at) == ("queued", 0, "", None)
    assert sent == [run.pk]
    entry = AuditEntry.objects.get(verb="retried")
    assert (entry.actor, entry.patient_ref) == (reader, run.image.series.study.patient_id)
    assert WorklistItem.objects.get(image=run.image_id).run_state == "queued"


@pytest.mark.parametrize(
    "state", [RunState.QUEUED, RunState.RUNNING, RunState.DONE, RunState.REFUSED]
)
def test_only_a_failed_run_is_tried_again(
    version: DetectorVersion, reader: User, sent: list[int], state: str
) -> None:
    run = make_run(make_image(), version, state)
    with pytest.raises(ConflictError) as caught:
        retry_run(run_id=run.pk, user=reader)
    assert caught.value.code == "bad_transition"
    with pytest.raises(NotFoundError):
        retry_run(run_id=10**9, user=reader)
    assert sent == []
