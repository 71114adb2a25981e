from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection
from django.utils import timezone

from detection.models import DetectionRun, DetectorVersion, Finding, RunState, WorklistItem
from detection.services import engine, execute
from detection.services.execute import execute_run
from detection.services.requeue import requeue_lost_runs
from tests.detection.factories import make_image, make_run
from tests.detection.fakes import FakeDetector, install
from twinhealth.errors import InvalidInputError, UnavailableError

pytestmark = pytest.mark.django_db
COVID = ("covid", 0.9, 10.0, 20.0, 30.0, 40.0)


@pytest.fixture
def run(version: DetectorVersion) -> DetectionRun:
    return make_run(make_image(), version, RunState.QUEUED)


def raising(error: BaseException) -> Any:
    def during() -> None:
        raise error

    return during


def test_a_queued_run_ends_done_with_findings_trust_and_worklist(
    run: DetectionRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, FakeDetector(COVID, ("normal", 0.8, 200.0, 20.0, 30.0, 40.0)))
    assert execute_run(run_id=run.pk) is True
    run.refresh_from_db()
    assert (run.state, run.attempts, run.seconds) == (RunState.DONE, 1, 0.25)
    assert (run.lease_token, run.lease_until) == ("", None)
    assert run.started_at <= run.finished_at
    assert (run.device_trust, run.trust_device) == ("unknown", None)
    assert run.trust_at is not None
    assert [(f.label, f.score, f.x, f.y, f.w, f.h) for f in run.findings.all()] == [
        COVID,
        ("normal", 0.8, 200.0, 20.0, 30.0, 40.0),
    ]
    item = WorklistItem.objects.get(image=run.image_id)
    assert (item.run_state, item.flagged, item.label, item.score) == ("done", True, "covid", 0.9)


def test_a_second_message_does_nothing(run: DetectionRun, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = install(monkeypatch, FakeDetector(COVID))
    assert [execute_run(run_id=run.pk) for _ in range(3)] == [True, False, False]
    assert detector.calls == 1
    assert Finding.objects.count() == 1


@pytest.mark.parametrize("state", [RunState.DONE, RunState.FAILED, RunState.REFUSED])
def test_a_run_that_ended_is_left_alone(
    version: DetectorVersion, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    detector = install(monkeypatch, FakeDetector(COVID))
    run = make_run(make_image(), version, state)
    assert execute_run(run_id=run.pk) is False
    assert execute_run(run_id=10**9) is False
    assert detector.calls == 0


def test_a_run_that_another_worker_holds_is_left_alone(
    version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = install(monkeypatch, FakeDetector(COVID))
    run = make_run(make_image(), version, RunState.RUNNING)
    assert execute_run(run_id=run.pk) is False
    assert detector.calls == 0


def test_a_dead_workers_run_is_taken_over(
    version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, FakeDetector(COVID))
    gone = timezone.now() - timedelta(seconds=1)
    run = make_run(make_image(), version, RunState.RUNNING, lease_until=gone)
    assert execute_run(run_id=run.pk) is True
    run.refresh_from_db()
    assert (run.state, run.attempts) == (RunState.DONE, 2)


def test_prediction_runs_outside_a_transaction_of_ours(
    run: DetectionRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    depth = len(connection.savepoint_ids)
    seen = []
    install(monkeypatch, FakeDetector(during=lambda: seen.append(len(connection.savepoint_ids))))
    execute_run(run_id=run.pk)
    assert seen == [depth]


def test_a_worker_that_lost_its_lease_drops_its_result(
    run: DetectionRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first worker is slow; its lease runs out, another one reads the film meanwhile."""

    def overtake() -> None:
        past = timezone.now() - timedelta(seconds=1)
        DetectionRun.objects.filter(pk=run.pk).update(lease_until=past)
        assert requeue_lost_runs() == [run.pk]
        install(monkeypatch, FakeDetector(COVID))
        assert execute_run(run_id=run.pk) is True

    slow = FakeDetector(("pneumonia", 0.99, 1.0, 1.0, 5.0, 5.0), during=overtake)
    install(monkeypatch, slow)
    assert execute_run(run_id=run.pk) is False
    run.refresh_from_db()
    assert (run.state, run.attempts) == (RunState.DONE, 2)
    assert [f.label for f in run.findings.all()] == ["covid"]


def test_a_late_failure_does_not_touch_the_other_workers_run(
    run: DetectionRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken() -> None:
        DetectionRun.objects.filter(pk=run.pk).update(lease_token="another")
        raise RuntimeError("too late")

    install(monkeypatch, FakeDetector(during=overtaken))
    assert execute_run(run_id=run.pk) is False
    run.refresh_from_db()
    assert (run.state, run.lease_token) == (RunState.RUNNING, "another")


def test_a_film_that_cannot_be_read_is_refused_with_the_reason(
    run: DetectionRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = InvalidInputError("cannot_display", "This compression is not supported.")
    install(monkeypatch, FakeDetector(during=raising(error)))
    assert execute_run(run_id=run.pk) is False
    run.refresh_from_db()
    assert (run.state, run.reason_code, run.reason) == (
        RunState.REFUSED,
        "cannot_display",
        "This compression is not supported.",
    )
    assert run.finished_at
    assert WorklistItem.objects.get(image=run.image_id).needs_reader


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("secret detail"),
        SoftTimeLimitExceeded(),
        MemoryError(),
        UnavailableError("file_missing", "The file is away."),
    ],
)
def test_our_own_failure_is_tried_again_and_then_fails_in_general_words(
    run: DetectionRun,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    settings: Any,
) -> None:
    detector = install(monkeypatch, FakeDetector(during=raising(error)))
    for attempt in range(1, settings.RUN_MAX_ATTEMPTS):
        execute_run(run_id=run.pk)
        run.refresh_from_db()
        assert (run.state, run.attempts) == (RunState.QUEUED, attempt)
    execute_run(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.reason_code) == (RunState.FAILED, "reader_failed")
    assert "secret" not in run.reason
    assert execute_run(run_id=run.pk) is False
    assert detector.calls == settings.RUN_MAX_ATTEMPTS
    item = WorklistItem.objects.get(image=run.image_id)
    assert (item.run_state, item.needs_reader) == ("failed", True)


def test_broken_weights_cost_no_attempt_and_the_row_says_what_it_waits_for(
    run: DetectionRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unusable(version: DetectorVersion) -> None:
        raise UnavailableError("weights_unusable", "The weights can't be used.")

    with monkeypatch.context() as patch:
        patch.setattr(engine, "detector_for", unusable)
        for _ in range(5):
            assert execute_run(run_id=run.pk) is False
    run.refresh_from_db()
    assert (run.state, run.attempts, run.reason_code) == (RunState.QUEUED, 0, "weights_unusable")
    install(monkeypatch, FakeDetector(COVID))
    assert execute_run(run_id=run.pk) is True
    run.refresh_from_db()
    assert (run.state, run.reason_code, run.reason) == (RunState.DONE, "", "")


def test_findings_and_state_are_stored_together_or_not_at_all(
    run: DetectionRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, FakeDetector(COVID, ("covid", 7.0, 1.0, 1.0, 5.0, 5.0)))  # no such score
    assert execute_run(run_id=run.pk) is False
    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assert not Finding.objects.exists()


def test_the_time_limits_lie_below_the_lease(settings: Any) -> None:
    from detection.tasks import execute_run_task

    soft, hard = execute_run_task.soft_time_limit, execute_run_task.time_limit
    assert soft < hard < settings.RUN_LEASE_SECONDS


def test_the_lease_is_as_long_as_the_settings_say(
    run: DetectionRun, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.RUN_LEASE_SECONDS = 77
    leases = []

    def look() -> None:
        run.refresh_from_db()
        leases.append(run.lease_until - run.started_at)

    install(monkeypatch, FakeDetector(during=look))
    execute.execute_run(run_id=run.pk)
    assert leases == [timedelta(seconds=77)]
