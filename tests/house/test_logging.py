"""Logs: one JSON line each, with the id of the request or the task that caused it."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from celery import shared_task
from celery.contrib.testing.worker import start_worker
from django.db import transaction
from django.test import Client
from kombu.exceptions import OperationalError

from twinhealth.celery import app
from twinhealth.logs import logging_config
from twinhealth.queue import HintTask

log = structlog.get_logger("tests.house.logging")


@shared_task(name="tests.house.speak")
def speak_task(number: int) -> int:
    log.info("task_speaks", number=number)
    return number


class Lines:
    """What the process wrote to its log."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def listen(self) -> None:
        """Put the product's own formatter and handler on this stream."""
        config = logging_config("INFO")
        config["handlers"]["console"]["stream"] = self.stream
        logging.config.dictConfig(config)

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def one(self, event: str) -> dict[str, Any]:
        (line,) = [line for line in self.all() if line["event"] == event]
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    made = Lines()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    made.listen()
    yield made
    root.handlers[:] = before
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()


def test_our_event(lines: Lines) -> None:
    log.info("film_stored", image=5)
    line = lines.one("film_stored")
    assert (line["level"], line["image"], line["logger"]) == ("info", 5, "tests.house.logging")
    assert line["timestamp"].endswith("Z")


def test_a_library_and_a_traceback_stay_one_line(lines: Lines) -> None:
    try:
        int("first\nsecond")
    except ValueError:
        logging.getLogger("some.library").exception('it "broke"\nhere')
    (line,) = lines.all()
    assert line["event"] == 'it "broke"\nhere'
    assert "ValueError: invalid literal" in line["exception"]


@pytest.mark.django_db
def test_a_requests_lines_carry_its_id(lines: Lines, client: Client) -> None:
    """Made here for each request: what a client says of itself is not believed."""
    client.get("/login/", headers={"x-request-id": "mine"})
    client.get("/login/")
    started = [line for line in lines.all() if line["event"] == "request_started"]
    finished = [line for line in lines.all() if line["event"] == "request_finished"]
    assert [line["request_id"] for line in started] == [line["request_id"] for line in finished]
    assert len({line["request_id"] for line in finished}) == 2
    assert "mine" not in lines.stream.getvalue()
    assert finished[0]["code"] == 200


def test_health_questions_fill_no_log(lines: Lines, client: Client) -> None:
    client.get("/healthz")
    assert lines.all() == []


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_tasks_lines_carry_task_and_request(lines: Lines) -> None:
    """A worker's lines name the task and the request that sent it."""
    structlog.contextvars.bind_contextvars(request_id="req-23")
    with start_worker(app, perform_ping_check=False, shutdown_timeout=20, queues="default"):
        lines.listen()  # the worker has set its own logs up
        message = speak_task.apply_async((3,), queue="default")
        end = time.monotonic() + 20
        while time.monotonic() < end and "task_speaks" not in lines.stream.getvalue():
            time.sleep(0.05)
    line = lines.one("task_speaks")
    assert line["task_id"] == message.id
    assert line["request_id"] == "req-23"


# --- a queue that is away


class _Away(HintTask):
    name = "tests.house.away"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def delay(self, *args: Any, **kwargs: Any) -> Any:
        raise self.error


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError("redis is away"), OSError(28, "disk full")])
def test_a_message_that_cannot_be_sent_fails_nobody(lines: Lines, error: Exception) -> None:
    """The row is committed; an error now would say that it isn't. Beat sends it again."""
    with transaction.atomic():
        _Away(error).delay_on_commit(1)
    line = lines.one("message_not_sent")
    assert (line["level"], line["task_name"]) == ("warning", "tests.house.away")


@pytest.mark.django_db(transaction=True)
def test_a_defect_in_sending_is_not_hidden() -> None:
    with pytest.raises(TypeError), transaction.atomic():
        _Away(TypeError("not JSON")).delay_on_commit(object())


def test_tasks_of_the_rooms_are_hints() -> None:
    app.finalize()
    assert isinstance(app.tasks["tests.house.speak"], HintTask)
