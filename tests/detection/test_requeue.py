from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from detection import tasks
from detection.models import DetectionRun, DetectorVersion, RunState, WorklistItem
from detection.services import requeue
from detection.services.requeue import requeue_lost_runs
from detection.services.worklist import refresh_items
from tests.detection.factories import make_image, make_run, make_version

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def queued(version: DetectorVersion, seconds: float) -> DetectionRun:
    at = ago(seconds)
    return make_run(make_image(), version, RunState.QUEUED, queued_at=at, sent_at=at)


def test_a_message_that_nobody_picked_up_is_sent_again_once(version: DetectorVersion) -> None:
    lost = queued(version, 60)
    queued(version, 5)
    assert requeue_lost_runs() == [lost.pk]
    assert requeue_lost_runs() == []
    lost.refresh_from_db()
    assert timezone.now() - lost.sent_at < timedelta(seconds=10)


def test_a_long_line_is_not_sent_again_while_workers_work_through_it(
    version: DetectorVersion,
) -> None:
    overtaken = queued(version, 100)
    make_run(make_image(), version, RunState.RUNNING, sent_at=ago(90), started_at=ago(2))
    queued(version, 80)
    assert requeue_lost_runs() == [overtaken.pk]


def test_when_workers_stand_still_the_oldest_are_sent_again_in_batches(
    version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requeue, "BATCH", 2)
    runs = [queued(version, 100 - n) for n in range(5)]
    make_run(make_image(), version, sent_at=ago(90), started_at=ago(60))
    batches = [requeue_lost_runs() for _ in range(4)]
    assert batches == [[r.pk for r in runs[:2]], [r.pk for r in runs[2:4]], [runs[4].pk], []]


def test_a_dead_workers_run_goes_back_with_its_attempts(
    version: DetectorVersion, settings: Any
) -> None:
    gone = make_run(make_image(), version, RunState.RUNNING, lease_until=ago(1), attempts=2)
    alive = make_run(make_image(), version, RunState.RUNNING)
    assert requeue_lost_runs() == [gone.pk]
    gone.refresh_from_db()
    alive.refresh_from_db()
    assert (gone.state, gone.attempts, gone.lease_token) == (RunState.QUEUED, 2, "")
    assert alive.state == RunState.RUNNING


def test_a_film_that_kills_each_worker_fails_in_the_end(
    version: DetectorVersion, settings: Any
) -> None:
    run = make_run(
        make_image(),
        version,
        RunState.RUNNING,
        lease_until=ago(1),
        attempts=settings.RUN_MAX_ATTEMPTS,
    )
    assert requeue_lost_runs() == []
    run.refresh_from_db()
    assert (run.state, run.reason_code) == (RunState.FAILED, "reader_died")
    assert run.finished_at
    assert WorklistItem.objects.get(image=run.image_id).needs_reader


def test_a_run_that_was_queued_with_no_attempt_left_does_not_wait_for_ever(
    version: DetectorVersion, settings: Any
) -> None:
    """A setting was lowered meanwhile."""
    settings.RUN_MAX_ATTEMPTS = 1
    run = make_run(make_image(), version, RunState.RUNNING, lease_until=ago(1), attempts=2)
    requeue_lost_runs()
    run.refresh_from_db()
    assert run.state == RunState.FAILED


def test_films_that_came_before_any_version_get_their_run() -> None:
    image = make_image()
    refused = make_image(display_problem="cannot_display", display_message="Not shown here.")
    refresh_items(image_ids=[image.pk, refused.pk])
    assert requeue_lost_runs() == []
    assert not DetectionRun.objects.exists()
    version = make_version()
    run_id = requeue_lost_runs()
    assert list(image.runs.values_list("pk", "version")) == [(run_id[0], version.pk)]
    assert refused.runs.get().state == RunState.REFUSED
    assert requeue_lost_runs() == []


def test_the_task_sends_what_it_finds(
    version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = [queued(version, 60), queued(version, 50)]
    sent: list[int] = []
    monkeypatch.setattr(tasks.execute_run_task, "delay", sent.append)
    tasks.requeue_lost_runs_task()
    assert sent == [r.pk for r in lost]
