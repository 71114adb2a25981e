"""A worker that was told to end ends, whatever its pool is doing."""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace

import pytest
from celery.signals import worker_shutting_down

from twinhealth import celery


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[threading.Timer]:
    made: list[threading.Timer] = []

    class Recorded(threading.Timer):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]
            made.append(self)

        def start(self) -> None:
            """Not here: it would end the tests."""

    monkeypatch.setattr(threading, "Timer", Recorded)
    return made


def test_it_has_as_long_as_the_longest_task_and_a_grace(timers: list[threading.Timer]) -> None:
    celery.app.finalize()
    celery.app.loader.import_default_modules()
    worker_shutting_down.send(sender="worker@here", sig="SIGTERM", how="Warm", exitcode=0)
    (timer,) = timers
    limits = [float(task.time_limit or 0) for task in celery.app.tasks.values()]
    assert max(limits) > 0
    assert timer.interval == max(limits) + celery.END_GRACE_SECONDS
    assert timer.daemon  # a worker that ends in time isn't held up by it
    assert (timer.function, timer.args) == (os._exit, (1,))


def test_then_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(celery, "END_GRACE_SECONDS", 0.01)
    monkeypatch.setattr(celery, "app", SimpleNamespace(tasks={}))
    monkeypatch.setattr(os, "_exit", lambda status: ended.set())
    celery._end_for_certain()
    assert ended.wait(timeout=10)
