"""Many calls with readings become one look at many machines, and no machine is forgotten."""

from __future__ import annotations

import queue
import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices import tasks
from devices.models import Alert, Device, Reading, Wake
from devices.services import evaluation, wake
from devices.services.readings import ReadingIn, record_readings
from tests.devices import factories as f
from tests.devices.test_events import in_threads

pytestmark = pytest.mark.django_db
NOW = f.NOW


def machines(count: int) -> list[int]:
    made = f.model()
    return [f.device(made).pk for _ in range(count)]


def test_the_first_asks_for_a_message_and_the_others_need_none() -> None:
    one, two, three = machines(3)
    assert wake.ask(device_ids=[two], now=NOW)
    assert not wake.ask(device_ids=[two], now=NOW)
    assert not wake.ask(device_ids=[one, three], now=NOW)
    assert wake.take() == ([one, two, three], False)
    assert wake.ask(device_ids=[one, three], now=NOW)
    assert wake.take() == ([one, three], False)
    assert wake.take() == ([], False)


def test_a_message_that_nobody_serves_is_sent_again() -> None:
    one, two = machines(2)
    assert wake.ask(device_ids=[one], now=NOW)
    late = NOW + wake.LOST_AFTER + timedelta(seconds=1)
    assert not wake.ask(device_ids=[two], now=late)
    assert wake.ask(device_ids=[one], now=late)
    assert not wake.ask(device_ids=[one], now=late)  # once in that time


def test_readings_of_one_transaction_ask_together(
    django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = machines(3)
    sent: list[int] = []
    with (
        django_capture_on_commit_callbacks(execute=True) as hooks,
        transaction.atomic(),
    ):
        wake.ask_on_commit(device_ids=ids, send=lambda: sent.append(1))
    assert (len(hooks), sent) == (1, [1])
    assert wake.take() == (sorted(ids), False)


def test_nothing_is_asked_where_nothing_was_stored(
    django_capture_on_commit_callbacks: Any,
) -> None:
    (one,) = machines(1)
    with django_capture_on_commit_callbacks(execute=True) as hooks, transaction.atomic():
        wake.ask_on_commit(device_ids=[one], send=pytest.fail)
        transaction.set_rollback(True)
    assert hooks == []
    assert wake.take() == ([], False)


def test_a_database_that_goes_after_the_commit_fails_nobody(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any, caplog: Any
) -> None:
    def away(**_: Any) -> bool:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(wake, "ask", away)
    device, _, _ = f.watched_device()
    with django_capture_on_commit_callbacks(execute=True):
        record_readings(device=device, items=[ReadingIn("noise", 1, "1", NOW)], source="rest")
    assert Reading.objects.count() == 1
    assert "wake_not_noted" in caplog.text


def test_one_look_for_all_and_only_those_that_need_it_are_judged(
    django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, noise, _ = f.watched_device()
    others = [f.device(device.model) for _ in range(40)]
    now = timezone.now()
    for each in others:
        f.reading(each, noise, 1, now)
    f.reading(device, noise, 11, now)
    wake.ask(device_ids=[d.pk for d in (device, *others)], now=now)
    judged: list[int] = []
    monkeypatch.setattr(
        evaluation, "evaluate_device", lambda *, device_id, now: judged.append(device_id)
    )
    with django_assert_max_num_queries(15):
        assert not wake.sweep(now=now)
    assert judged == [device.pk]


def test_one_that_cannot_be_judged_does_not_silence_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (one, noise, _), (two, other, _) = f.watched_device(), f.watched_device()
    now = timezone.now()
    f.reading(one, noise, 11, now)
    f.reading(two, other, 11, now)
    real = evaluation.evaluate_device

    def fragile(*, device_id: int, now: Any) -> None:
        if device_id == one.pk:
            raise RuntimeError
        real(device_id=device_id, now=now)

    monkeypatch.setattr(evaluation, "evaluate_device", fragile)
    wake.ask(device_ids=[one.pk, two.pk], now=now)
    tasks.judge_waiting_task()
    assert Alert.objects.get().device_id == two.pk


def test_beat_takes_who_waits() -> None:
    wake.ask(device_ids=machines(2), now=NOW)
    tasks.evaluate_all_rules_task()
    assert not Wake.objects.exists()


STEP = st.tuples(
    st.sampled_from([0.0, 9.5, 10.0, 10.5, 11.0, 20.0]), st.integers(1, 30), st.booleans()
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(STEP, max_size=6), hysteresis=st.sampled_from([0, 1]), n=st.sampled_from([1, 2])
)
def test_who_is_passed_over_would_not_have_changed(
    steps: list[tuple[float, int, bool]], hysteresis: int, n: int
) -> None:
    """`to_judge` may name too many machines, never too few."""
    with transaction.atomic():
        device, noise, _ = f.watched_device(hysteresis=hysteresis, min_samples=n)
        now = NOW
        for value, minutes, resolve in steps:
            now += f.minutes(minutes)
            f.reading(device, noise, value, now)
            named = wake.to_judge(device_ids=[device.pk], now=now)
            before = _alerts(device)
            evaluation.evaluate_device(device_id=device.pk, now=now)
            assert named or before == _alerts(device)
            if resolve:
                Alert.objects.filter(device=device).update(
                    state="resolved", resolved_at=now, resolve_reason="repaired"
                )
        transaction.set_rollback(True)


def _alerts(device: Device) -> list[Any]:
    return list(Alert.objects.filter(device=device).order_by("pk").values())


@pytest.mark.skipif(connection.vendor != "postgresql", reason="one writer at a time anyway")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_no_wake_up_is_lost(seed: int) -> None:
    """Eight senders and four judges: in the end each machine was judged with its last reading."""
    made = f.model()
    noise = f.metric(made)
    devices = [f.device(made) for _ in range(6)]
    messages: queue.SimpleQueue[str] = queue.SimpleQueue()
    seen: list[tuple[int, int]] = []

    def judge() -> None:
        taken, more = wake.take()
        if more:
            messages.put("again")
        seen.extend((pk, Reading.objects.filter(device=pk).count()) for pk in taken)

    def work(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        for step in range(40):
            if number < 8:
                some = chance.sample(devices, chance.randint(1, 3))
                at = NOW + timedelta(seconds=number * 1000 + step)
                with transaction.atomic():
                    for device in sorted(some, key=lambda d: d.pk):
                        f.reading(device, noise, 1, at)
                    asking = [device.pk for device in some]
                    wake.ask_on_commit(device_ids=asking, send=lambda: messages.put("judge"))
            else:
                try:
                    messages.get(timeout=0.05)
                except queue.Empty:
                    continue
                judge()

    assert in_threads(12, work) == []
    sends = 0
    while not messages.empty():
        messages.get()
        sends += 1
        judge()
    assert not Wake.objects.exists()
    for device in devices:
        count = Reading.objects.filter(device=device).count()
        assert max(n for pk, n in seen if pk == device.pk) == count
    assert sends < 320  # not one a call
