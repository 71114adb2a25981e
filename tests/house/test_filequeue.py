"""The queue in files: whole messages, each taken once, while many processes write and read."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue
from kombu.exceptions import ChannelError
from kombu.utils.json import dumps

from twinhealth import celery
from twinhealth.filequeue import Channel, Transport
from twinhealth.settings.base import filesystem_broker

WRITERS, READERS, MESSAGES = 3, 3, 300  # messages of each writer


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Any]:
    with connect(tmp_path) as connection:
        yield connection.default_channel


def connect(folder: Path) -> Connection:
    assert celery.app  # its import says what `filesystem://` is
    return Connection("filesystem://", transport_options=filesystem_broker(folder))


def write(folder: Path, writer: int) -> None:
    # a queue of its own, too: its exchange's table changes while others read theirs
    with connect(folder) as connection, connection.Producer() as producer:
        own = Queue(f"own{writer}", Exchange("work"), routing_key=f"own{writer}")
        for number in range(MESSAGES):
            if number % 50 == 0:
                own.bind(connection.channel()).declare()
            producer.publish(
                {"number": writer * MESSAGES + number, "filling": "x" * 20_000},
                exchange=Exchange("work"),
                routing_key="work",
                declare=[Queue("work", Exchange("work"), routing_key="work")],
            )


def read(folder: Path, seconds: float) -> list[int]:
    found: list[int] = []
    until = time.monotonic() + seconds
    with connect(folder) as connection:
        channel = connection.default_channel
        # the marker comes after the last message
        while time.monotonic() < until and not (folder / "ended").exists():
            found += drain(channel)
            time.sleep(0.001)
        return found + drain(channel)


def drain(channel: Any) -> list[int]:
    found = []
    while True:
        try:
            message = channel._get("work")
        except Empty:
            return found
        found.append(channel.decode_body(message["body"], "base64"))


def test_each_message_is_taken_whole_and_once(tmp_path: Path) -> None:
    """With kombu's own transport a reader takes empty files here, and breaks."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WRITERS + READERS, mp_context=context) as pool:
        readers = [pool.submit(read, tmp_path, 60) for _ in range(READERS)]
        for writer in [pool.submit(write, tmp_path, number) for number in range(WRITERS)]:
            writer.result(timeout=60)
        (tmp_path / "ended").touch()
        bodies = [body for reader in readers for body in reader.result(timeout=60)]
    numbers = sorted(json.loads(body)["number"] for body in bodies)
    assert numbers == list(range(WRITERS * MESSAGES))
    assert list((tmp_path / "messages").iterdir()) == []  # no half-written file is left


def test_the_house_speaks_through_it() -> None:
    with celery.app.connection_for_write() as connection:
        if not connection.as_uri().startswith("filesystem"):
            pytest.skip("this run's queue is Redis")
        assert isinstance(connection.transport, Transport)


def test_oldest_first(channel: Any) -> None:
    for body in "abc":
        channel._put("work", {"body": body})
    assert [channel._get("work")["body"] for _ in "abc"] == ["a", "b", "c"]
    with pytest.raises(Empty):
        channel._get("work")


def test_another_queues_messages_stay(channel: Any) -> None:
    channel._put("detect", {"body": 1})
    with pytest.raises(Empty):
        channel._get("default")
    assert channel._size("detect") == 1
    assert channel._purge("detect") == 1


def test_a_damaged_message_is_passed_over(channel: Any, tmp_path: Path) -> None:
    (tmp_path / "messages" / "0_a.work.msg").write_text("")
    channel._put("work", {"body": 1})
    assert channel._get("work") == {"body": 1}


def test_a_file_that_is_being_written_is_nobodys(channel: Any, tmp_path: Path) -> None:
    (tmp_path / "messages" / ".0_a.work.msg.ff.part").write_text(dumps({"body": 1}))
    assert channel._size("work") == 0
    with pytest.raises(Empty):
        channel._get("work")


def test_a_folder_that_is_gone(channel: Any, tmp_path: Path) -> None:
    (tmp_path / "messages").rmdir()
    with pytest.raises(ChannelError):
        channel._put("work", {"body": 1})


def test_bindings_come_and_go(channel: Channel) -> None:
    for queue in ("one", "two", "one"):
        channel._queue_bind("work", "key", "", queue)
    assert [row.queue for row in channel.get_table("work")] == ["two", "one"]
    channel._delete("one", "work", "key", "")
    assert [row.queue for row in channel.get_table("work")] == ["two"]
    assert channel.get_table("unknown") == []
