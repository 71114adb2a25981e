"""Snapshots of a twin's journal: they follow from it alone, and every moment folds the same."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices import projection
from devices.models import TwinEvent, TwinSnapshot, TwinState
from devices.selectors.twin import state_at
from devices.services import snapshots
from devices.services.events import append, rebuild
from tests.devices import factories as f

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "EVERY", 3)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), max_size=16))
def test_any_order_of_arrival_gives_the_full_fold_at_every_moment(
    events: list[tuple[int, int]],
) -> None:
    device = f.device()
    base = device.registered_at
    for day, value in events:
        append(
            device=device,
            kind="config_reported",
            at=base + timedelta(days=day),
            payload={"config": {"sw": value, f"k{day}": value}},
        )
    journal = list(device.events.all())
    twin = TwinState.objects.get(device=device)
    assert twin.state == projection.fold(journal)
    ordered = sorted(journal, key=lambda e: (e.at, e.revision))
    stored = TwinSnapshot.objects.filter(device=device)
    assert [(s.events, s.at, s.revision, s.state) for s in stored] == [
        (n, ordered[n - 1].at, ordered[n - 1].revision, projection.fold(ordered[:n]))
        for n in range(3, len(ordered) + 1, 3)
    ]
    assert twin.loose == len(ordered) % 3
    for day in range(-1, 8):
        at = base + timedelta(days=day)
        assert state_at(device, at) == projection.fold([e for e in journal if e.at <= at])
    assert rebuild(device=device, repair=False)


def test_a_past_moment_folds_no_more_than_lies_between_two(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = f.device()
    for n in range(20):
        at = device.registered_at + f.minutes(n)
        append(device=device, kind="config_reported", at=at, payload={"config": {"n": n}})
    folded: list[int] = []
    step = projection.step

    def counted(state: dict[str, Any], event: Any) -> None:
        folded.append(event.revision)
        step(state, event)

    monkeypatch.setattr(projection, "step", counted)
    for minute in range(20):
        folded.clear()
        with django_assert_num_queries(2):
            state = state_at(device, device.registered_at + f.minutes(minute))
        assert state["reported"]["n"]["value"] == minute
        assert len(folded) < 3


def test_a_late_event_folds_no_more_than_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    device = f.device()
    for n in range(30):
        at = device.registered_at + f.minutes(n)
        append(device=device, kind="config_reported", at=at, payload={"config": {"n": n}})
    folded: list[int] = []
    step = projection.step

    def counted(state: dict[str, Any], event: Any) -> None:
        folded.append(event.revision)
        step(state, event)

    monkeypatch.setattr(projection, "step", counted)
    at = device.registered_at + f.minutes(27.5)
    append(device=device, kind="config_reported", at=at, payload={"config": {"late": 1}})
    assert len(folded) <= 3 + 3
    assert rebuild(device=device, repair=False)


def test_a_journal_from_before_there_were_snapshots_gets_them_with_its_next_event() -> None:
    device = f.device()
    for n in range(10):
        append(device=device, kind="config_reported", payload={"config": {"n": n}})
    TwinSnapshot.objects.all().delete()
    TwinState.objects.filter(device=device).update(loose=TwinEvent.objects.count())
    append(device=device, kind="config_reported", payload={"config": {"n": 11}})
    assert rebuild(device=device, repair=False)
    assert TwinSnapshot.objects.count() == TwinEvent.objects.count() // 3


@pytest.mark.parametrize("spoil", ["state", "missing", "extra"])
def test_check_finds_a_wrong_snapshot_and_repair_mends_it(spoil: str) -> None:
    device = f.device()
    for n in range(10):
        append(device=device, kind="config_reported", payload={"config": {"n": n}})
    first = TwinSnapshot.objects.first()
    assert first is not None
    if spoil == "state":
        first.state["reported"]["n"]["value"] = 99
        first.save()
    elif spoil == "missing":
        first.delete()
    else:
        TwinSnapshot.objects.create(
            device=device, events=99, at=f.NOW + timedelta(days=9_000), revision=99, state={}
        )
    with pytest.raises(CommandError):
        call_command("rebuild_twins", "--check", stdout=StringIO())
    call_command("rebuild_twins", stdout=StringIO())
    call_command("rebuild_twins", "--check", stdout=StringIO())
