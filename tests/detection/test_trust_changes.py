"""Trust of a finding follows the twin as of the exposure, whatever comes when; changes are kept."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.permissions import Role
from detection import trust_words
from detection.models import (
    DetectionRun,
    DetectorVersion,
    Finding,
    RunState,
    TrustChange,
    TrustCursor,
    WorklistItem,
)
from detection.services import reread_work
from detection.services import trust as trust_services
from detection.services.execute import execute_run
from detection.services.reread_work import work_lists
from detection.services.trust import refresh_late_trust
from devices.models import DegradedSpan, Device, Metric, Reading, Rule
from devices.services import degraded
from tests.detection.factories import make_device, make_image, make_run, make_user, make_version
from tests.detection.fakes import FakeDetector, install
from tests.devices.factories import reading

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def device(db: None) -> Device:
    return watched()


def watched() -> Device:
    """Its only rule: noise above 5 calls for action; a value older than ten hours says nothing."""
    device = make_device()
    metric, _ = Metric.objects.get_or_create(
        device_model=device.model, key="pixel_noise", label="noise", unit="1", max_age=36_000
    )
    Rule.objects.get_or_create(metric=metric, name="noise", severity="act", high=5.0)
    return device


@pytest.fixture
def engineer(db: None) -> User:
    return make_user(Role.ENGINEER, username="eng", display_name="E. Ng")


def read(device: Device, value: float, at: datetime) -> Reading:
    return reading(device, device.model.metrics.get(), value, at)


def film(device: Device, at: datetime, version: DetectorVersion, **fields: Any) -> DetectionRun:
    """A film that was read without the machine being looked at, long enough ago."""
    image = make_image(device=device, device_serial=device.serial, acquired_at=at)
    fields = {"boxes": (("covid", 0.9),), "trust_at": timezone.now() - 9 * HOUR} | fields
    return make_run(image, version, **fields)


def mark(device: Device, by: User, since: datetime, until: datetime | None = None) -> DegradedSpan:
    return degraded.mark(device=device, since=since, until=until, reason="stripes", actor=by)[0]


def settle() -> None:
    """What beat does, a few minutes later and again."""
    for minutes in (1, 5, 9):
        now = timezone.now() + timedelta(minutes=minutes)
        refresh_late_trust(now=now)
        assert not work_lists(seconds=60, now=now)


def test_a_mark_reduces_the_trust_of_films_read_before_it(
    device: Device, engineer: User, version: DetectorVersion
) -> None:
    now = timezone.now()
    Device.objects.filter(pk=device.pk).update(registered_at=now - 90 * HOUR)
    early, inside = (film(device, now - h * HOUR, version, device_trust="full") for h in (9, 3))
    read(device, 1.0, now - 10 * HOUR)
    before = WorklistItem.objects.get(run=inside)
    scores = list(Finding.objects.order_by("pk").values())
    span = mark(device, engineer, now - 5 * HOUR)
    settle()
    early.refresh_from_db()
    inside.refresh_from_db()
    assert (early.device_trust, inside.device_trust) == ("full", "reduced")
    (change,) = TrustChange.objects.filter(run=inside)
    assert (change.was, change.level, change.because, change.span) == (
        "full",
        "reduced",
        "degraded",
        span,
    )
    after = WorklistItem.objects.get(run=inside)
    assert after.rank < before.rank or after.head_start > before.head_start  # nearer to the top
    assert after.needs_reader
    assert (after.flagged, after.label, after.score) == (True, "covid", 0.9)
    assert list(Finding.objects.order_by("pk").values()) == scores
    settle()
    assert TrustChange.objects.filter(run=inside).count() == 1


def test_an_unflagged_film_comes_forward_and_none_is_hidden(
    device: Device, engineer: User, version: DetectorVersion
) -> None:
    now = timezone.now()
    Device.objects.filter(pk=device.pk).update(registered_at=now - 90 * HOUR)
    read(device, 1.0, now - 4 * HOUR)
    run = film(device, now - 3 * HOUR, version, boxes=(), device_trust="full")
    before = WorklistItem.objects.get(run=run)
    mark(device, engineer, now - 5 * HOUR)
    settle()
    after = WorklistItem.objects.get(run=run)
    assert not before.needs_reader
    assert after.needs_reader
    assert after.head_start > before.head_start
    assert not after.flagged


def test_films_read_while_it_lasts_know_it_at_once(
    device: Device, engineer: User, version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark(device, engineer, timezone.now())
    image = make_image(device=device, device_serial=device.serial, acquired_at=timezone.now())
    run = make_run(image, version, RunState.QUEUED)
    install(monkeypatch, FakeDetector())
    execute_run(run_id=run.pk)
    run.refresh_from_db()
    assert run.device_trust == "reduced"
    assert run.trust_reasons[0]["text"] == "The machine is marked as degraded: stripes"
    settle()
    assert not TrustChange.objects.exists()


def test_the_end_and_the_withdrawal_give_it_back(
    device: Device, engineer: User, version: DetectorVersion
) -> None:
    now = timezone.now()
    Device.objects.filter(pk=device.pk).update(registered_at=now - 90 * HOUR)
    read(device, 1.0, now - 10 * HOUR)
    first, last = (film(device, now - h * HOUR, version, device_trust="full") for h in (4, 1))
    span = mark(device, engineer, now - 5 * HOUR)
    settle()
    degraded.end(span=span, until=now - 2 * HOUR, reason="replaced", actor=engineer)
    age_runs()
    settle()
    assert levels(first, last) == ["reduced", "full"]
    degraded.withdraw(span=span, reason="wrong machine", actor=engineer)
    age_runs()
    settle()
    assert levels(first, last) == ["full", "full"]
    said = [c.because for c in TrustChange.objects.filter(run=last)]
    assert said == ["degraded", "ended"]
    told = trust_words.history(TrustChange.objects.filter(run=first), signed_at=now)
    assert [t.because for t in told] == ["degraded", "withdrawn"]
    assert told[0].text.startswith("full to reduced, because the machine was marked as degraded ")
    assert told[0].text.endswith("by E. Ng: stripes")
    assert told[1].text.endswith("was withdrawn by E. Ng: wrong machine")
    assert all(t.after_signing for t in told)


def age_runs() -> None:
    """So that what was reckoned a moment ago isn't left for the next look."""
    DetectionRun.objects.update(trust_at=timezone.now() - HOUR)


def levels(*runs: DetectionRun) -> list[str]:
    return [DetectionRun.objects.get(pk=run.pk).device_trust for run in runs]


def test_late_readings_leave_a_row_and_only_where_they_reach(
    device: Device, version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    for hours in (20, 12, 2):
        read(device, 1.0, now - hours * HOUR)
    Reading.objects.update(received_at=now - 30 * HOUR)
    touched = film(device, now - 15 * HOUR, version, device_trust="full")
    behind = film(device, now - 1 * HOUR, version, device_trust="full")
    TrustCursor.objects.get_or_create(pk=1)
    TrustCursor.objects.update(last_reading_id=Reading.objects.order_by("-pk")[0].pk)
    looked: list[int] = []
    honest = trust_services.reckon
    monkeypatch.setattr(
        trust_services, "reckon", lambda runs: looked.extend(r.pk for r in runs) or honest(runs)
    )
    read(device, 9.0, now - 16 * HOUR)
    refresh_late_trust(now=now + timedelta(minutes=1))
    assert looked == [touched.pk]
    assert levels(touched, behind) == ["reduced", "full"]
    (change,) = TrustChange.objects.all()
    assert (change.run, change.because, change.span) == (touched, "readings", None)
    assert trust_words.history([change], None)[0].text == (
        "full to reduced, because readings came later than the film was read"
    )


def test_a_change_is_never_changed(
    device: Device, engineer: User, version: DetectorVersion
) -> None:
    now = timezone.now()
    Device.objects.filter(pk=device.pk).update(registered_at=now - 9 * HOUR)
    film(device, now - HOUR, version, device_trust="full")
    mark(device, engineer, now - 2 * HOUR)
    settle()
    for cheat in (
        lambda: TrustChange.objects.update(level="full"),
        lambda: TrustChange.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(Exception, match="only"), transaction.atomic():
            cheat()


def test_it_goes_on_where_it_stopped(
    device: Device, engineer: User, version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust_services, "BATCH", 2)
    now = timezone.now()
    Device.objects.filter(pk=device.pk).update(registered_at=now - 90 * HOUR)
    runs = [film(device, now - HOUR, version, device_trust="full") for _ in range(5)]
    mark(device, engineer, now - 2 * HOUR)
    ended = [work_lists(seconds=-1) for _ in range(3)]
    assert ended == [True, True, True]
    assert levels(*runs) == ["reduced"] * 5
    assert TrustChange.objects.count() == 5
    assert reread_work.ReReadList.objects.get().settled_steps == 0
    settle()
    assert reread_work.ReReadList.objects.get().settled_steps == 1
    assert TrustChange.objects.count() == 5


_moments = st.integers(min_value=1, max_value=40)
_readings = st.lists(
    st.tuples(_moments, st.sampled_from([1.0, 9.0])), unique_by=lambda r: r[0], max_size=8
)
_films = st.lists(_moments, min_size=1, max_size=5)
_marks = st.lists(st.tuples(_moments, st.sampled_from(["lasts", "ended", "withdrawn"])), max_size=2)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(readings=_readings, films=_films, marks=_marks, seed=st.integers(0, 999))
def test_any_order_gives_the_same_trust(
    db: None, readings: list[Any], films: list[int], marks: list[Any], seed: int
) -> None:
    with transaction.atomic():
        engineer, version = make_user(Role.ENGINEER), make_version("candidate")
        base = timezone.now() - 50 * HOUR
        parts = [("reading", r) for r in readings] + [("film", f) for f in films]
        parts += [("mark", m) for m in marks[:1]]
        ends = []
        for order in range(2):
            shuffled = list(parts)
            random.Random(seed + order).shuffle(shuffled)
            ends.append(_play(shuffled, base, engineer, version, between=order == 1))
        assert ends[0] == ends[1]
        transaction.set_rollback(True)


def _play(
    parts: list[Any], base: datetime, engineer: User, version: DetectorVersion, *, between: bool
) -> list[tuple[int, str, list[str]]]:
    """Let the parts come in this order, with a worker between any two, and look at the end."""
    device = watched()
    Device.objects.filter(pk=device.pk).update(registered_at=base)
    runs: list[tuple[int, DetectionRun]] = []
    for kind, what in parts:
        if kind == "reading":
            hour, value = what
            read(device, value, base + hour * HOUR)
        elif kind == "mark":
            hour, fate = what
            span = mark(device, engineer, base + hour * HOUR)
            if fate == "ended":
                degraded.end(span=span, until=span.since + 5 * HOUR, reason="good", actor=engineer)
            elif fate == "withdrawn":
                degraded.withdraw(span=span, reason="mistake", actor=engineer)
        else:
            image = make_image(
                device=device, device_serial=device.serial, acquired_at=base + what * HOUR
            )
            facts = trust_services.trust_of(image)
            run = make_run(image, version, **facts.as_fields())
            runs.append((what, run))
        if between:
            age_runs()
            settle()
    age_runs()
    settle()
    found = []
    for hour, run in runs:
        run.refresh_from_db()
        item = WorklistItem.objects.get(image=run.image_id)
        assert item.trust == run.device_trust
        found.append((hour, run.device_trust, sorted(r["rule"] for r in run.trust_reasons)))
    return sorted(found)
