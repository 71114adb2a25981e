from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection import tasks
from detection.models import (
    DetectionRun,
    DetectorVersion,
    Finding,
    Purpose,
    ReadingState,
    RunState,
    VersionReading,
    VersionState,
    WorklistItem,
)
from detection.services import apart, engine, readings
from detection.services.execute import execute_run
from detection.services.runs import ensure_run
from detection.services.sign import sign
from imaging.models import Image
from tests.detection.factories import make_image, make_run, make_version
from tests.detection.fakes import FakeDetector, install
from twinhealth.errors import ConflictError, InvalidInputError, UnavailableError

pytestmark = pytest.mark.django_db
LUNG = (20.0, 30.0, 100.0, 120.0)


@pytest.fixture
def shadow(version: DetectorVersion) -> DetectorVersion:
    return make_version(VersionState.SHADOW)


def arrived() -> Image:
    """A film that just came, with its run by the active version."""
    image = make_image()
    ensure_run(image=image)
    return image


def read_all(**kwargs: Any) -> int:
    return apart.read_apart(seconds=60, **kwargs)


def finish_runs() -> None:
    for run in DetectionRun.objects.filter(state=RunState.QUEUED):
        execute_run(run_id=run.pk)


def test_a_new_film_is_read_along_and_no_clinician_sees_it(
    shadow: DetectorVersion, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = arrived()
    install(monkeypatch, FakeDetector(("normal", 0.9, *LUNG)))
    finish_runs()
    install(monkeypatch, FakeDetector(("covid", 0.97, *LUNG), ("normal", 0.2, *LUNG)))
    assert read_all() == 1
    reading = VersionReading.objects.get()
    assert (reading.version, reading.state, reading.purpose) == (shadow, "done", "shadow")
    assert reading.scores == {"covid": 0.97, "pneumonia": 0.0, "normal": 0.2}
    assert reading.boxes == [["covid", 0.97, *LUNG], ["normal", 0.2, *LUNG]]
    # nothing of it anywhere a clinician or the triage looks
    assert Finding.objects.filter(label="covid").count() == 0
    item = WorklistItem.objects.get(image=image)
    assert (item.flagged, item.label) == (False, "")
    client = Client()
    client.force_login(reader)
    for address in (
        "/worklist/?show=all",
        f"/films/{image.pk}/",
        f"/api/v1/images/{image.pk}/",
        "/api/v1/worklist/",
    ):
        answer = client.get(address)
        assert answer.status_code == 200
        html = answer.content.decode()
        assert shadow.name not in html
        assert "0.97" not in html
    assert DetectionRun.objects.count() == 1


def test_without_a_shadow_nothing_is_asked_for(version: DetectorVersion) -> None:
    arrived()
    make_version(VersionState.CANDIDATE)
    assert not VersionReading.objects.exists()


def test_a_film_that_cannot_be_shown_is_not_read_along(shadow: DetectorVersion) -> None:
    ensure_run(image=make_image(display_problem="no_pixels", display_message="none"))
    assert not VersionReading.objects.exists()


@pytest.mark.parametrize(
    ("state", "fields", "gives_way"),
    [
        (RunState.QUEUED, {}, True),
        (RunState.RUNNING, {}, True),
        (RunState.RUNNING, {"lease_until": timezone.now() - timedelta(hours=1)}, False),
        (RunState.QUEUED, {"reason_code": "weights_unusable"}, False),
        (RunState.FAILED, {}, False),
        (RunState.DONE, {}, False),
    ],
)
def test_it_gives_way_to_a_clinicians_film(
    shadow: DetectorVersion,
    version: DetectorVersion,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    fields: dict[str, Any],
    gives_way: bool,
) -> None:
    detector = install(monkeypatch, FakeDetector())
    readings.read_along(make_image())
    make_run(make_image(), version, state, **fields)
    assert read_all() == (0 if gives_way else 1)
    assert detector.calls == (0 if gives_way else 1)
    assert read_all(give_way=False) == (1 if gives_way else 0)


def test_it_stops_in_mid_batch_when_a_film_comes(
    shadow: DetectorVersion, version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        readings.read_along(make_image())
    comes = FakeDetector(during=lambda: make_run(make_image(), version, RunState.QUEUED))
    install(monkeypatch, comes)
    assert read_all() == 1
    assert apart.waiting().count() == 2


def test_a_batch_is_of_one_version_and_the_oldest_comes_first(
    shadow: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = make_version(VersionState.CANDIDATE)
    install(monkeypatch, FakeDetector())
    loaded: list[DetectorVersion] = []
    monkeypatch.setattr(
        engine, "detector_for", lambda found: loaded.append(found) or FakeDetector()
    )
    now = timezone.now()
    for age, found in enumerate([shadow, candidate, shadow, candidate, shadow]):
        VersionReading.objects.create(
            version=found,
            image=make_image(),
            purpose=Purpose.SCORING,
            queued_at=now - timedelta(minutes=10 - age),
        )
    assert [read_all(), read_all(), read_all()] == [3, 2, 0]
    assert loaded == [shadow, candidate]  # twice, not five times


def test_weights_that_cannot_be_used_hold_no_other_version_up(
    shadow: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = make_version(VersionState.CANDIDATE)
    install(monkeypatch, FakeDetector())

    def detector_for(found: DetectorVersion) -> FakeDetector:
        if found == shadow:
            raise UnavailableError("weights_unusable", "Put the file back.")
        return FakeDetector()

    monkeypatch.setattr(engine, "detector_for", detector_for)
    readings.read_along(make_image())
    VersionReading.objects.create(
        version=candidate,
        image=make_image(),
        purpose=Purpose.SCORING,
        queued_at=timezone.now() + timedelta(minutes=1),
    )
    assert read_all() == 1
    stuck = VersionReading.objects.get(version=shadow)
    assert (stuck.state, stuck.reason, stuck.attempts) == ("queued", "Put the file back.", 0)


def raising(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_a_film_that_cannot_be_read_is_given_up_with_the_reason(
    shadow: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings.read_along(make_image())
    error = InvalidInputError("decode_failed", "The pixels can't be decoded.")
    install(monkeypatch, FakeDetector(during=raising(error)))
    assert read_all() == 1
    reading = VersionReading.objects.get()
    assert (reading.state, reading.reason_code) == (ReadingState.FAILED, "decode_failed")


def test_our_own_failure_is_tried_again_and_then_given_up(
    shadow: DetectorVersion, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.RUN_MAX_ATTEMPTS = 3
    readings.read_along(make_image())
    detector = install(monkeypatch, FakeDetector(during=raising(RuntimeError("defect"))))
    assert read_all() == 3
    assert detector.calls == 3
    reading = VersionReading.objects.get()
    assert (reading.state, reading.reason_code) == (ReadingState.FAILED, "reader_failed")


def test_a_dead_workers_film_is_taken_over_and_not_for_ever(
    shadow: DetectorVersion, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.RUN_MAX_ATTEMPTS = 3
    detector = install(monkeypatch, FakeDetector())
    past = timezone.now() - timedelta(minutes=1)
    for attempts in (1, 3):
        readings.read_along(make_image())
        VersionReading.objects.filter(attempts=0).update(
            lease_token="dead", lease_until=past, attempts=attempts
        )
    readings.read_along(make_image())
    VersionReading.objects.filter(attempts=0).update(
        lease_token="alive", lease_until=timezone.now() + timedelta(minutes=1)
    )
    read_all()
    assert detector.calls == 1
    states = VersionReading.objects.order_by("id").values_list("state", "reason_code")
    assert list(states) == [("done", ""), ("failed", "reader_died"), ("queued", "")]


def test_a_result_whose_lease_was_lost_is_dropped(
    shadow: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings.read_along(make_image())
    install(
        monkeypatch,
        FakeDetector(
            ("covid", 0.9, *LUNG),
            during=lambda: VersionReading.objects.update(lease_token="another"),
        ),
    )
    read_all()
    assert VersionReading.objects.get().state == ReadingState.QUEUED


def test_few_boxes_are_kept_but_every_score_counts(
    shadow: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings.read_along(make_image())
    many = [("covid", 0.9 - i / 100, *LUNG) for i in range(40)] + [("normal", 0.02, *LUNG)]
    install(monkeypatch, FakeDetector(*many))
    read_all()
    reading = VersionReading.objects.get()
    assert len(reading.boxes) == apart.KEEP_BOXES
    assert reading.scores == {"covid": 0.9, "pneumonia": 0.0, "normal": 0.02}


# --- signed films


def signed_film(user: User, conclusion: str = "normal") -> Image:
    image = make_image()
    sign(image_id=image.pk, user=user, conclusion=conclusion)
    return image


def test_the_newest_signed_films_are_asked_for_once(
    version: DetectorVersion, reader: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_film(reader, "not_readable")
    films = [signed_film(reader) for _ in range(4)]
    asked = {"version_id": version.pk, "user": admin}
    assert readings.score_signed_films(last=3, **asked) == 3
    found = VersionReading.objects.values_list("image_id", flat=True)
    assert set(found) == {film.pk for film in films[1:]}
    assert readings.score_signed_films(last=3, **asked) == 0
    install(monkeypatch, FakeDetector())
    assert read_all() == 3
    VersionReading.objects.filter(image=films[1]).update(state="failed")
    assert readings.score_signed_films(last=4, **asked) == 2  # one new, one more try
    entry = AuditEntry.objects.filter(verb="asked_to_score").latest("id")
    assert entry.detail == {"version": version.name, "last": 4, "added": 2}


def test_nothing_signed_and_senseless_numbers(version: DetectorVersion, admin: User) -> None:
    with pytest.raises(ConflictError) as conflict:
        readings.score_signed_films(version_id=version.pk, last=5, user=admin)
    assert conflict.value.code == "no_signed_films"
    for last in (0, 10**6):
        with pytest.raises(InvalidInputError):
            readings.score_signed_films(version_id=version.pk, last=last, user=admin)


def test_the_command_reads_here_and_now(
    version: DetectorVersion, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_film(reader)
    make_run(make_image(), version, RunState.QUEUED)  # it was asked for by a person: goes on
    install(monkeypatch, FakeDetector(("covid", 0.9, *LUNG)))
    out = io.StringIO()
    call_command("score_version", version.name, "--last", "10", stdout=out)
    assert "1 films read" in out.getvalue()
    assert VersionReading.objects.get().state == ReadingState.DONE
    with pytest.raises(CommandError, match="no_such_version"):
        call_command("score_version", "nobody")


def test_beat_sends_a_message_while_something_waits(
    shadow: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        tasks.read_apart_task, "apply_async", lambda *a, **options: sent.append(options)
    )
    tasks.requeue_lost_runs_task()
    assert sent == []
    readings.read_along(make_image())
    tasks.requeue_lost_runs_task()
    assert len(sent) == 1
    assert sent[0]["expires"] > 0  # messages don't pile up where no worker takes them
