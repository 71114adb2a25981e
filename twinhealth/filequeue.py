"""The embedded queue: kombu's file-system transport, with files that are whole or not there.

kombu 5.7 opens a message's file under its final name and fills it afterwards, so a reader that
looks at that moment takes an empty message, which ends the worker and loses the message
(celery/kombu issue 1551). It changes the tables of exchanges in the same way. Here each file is
written under another name and renamed, and a message belongs to whoever removes its file.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

import structlog
from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.transport.filesystem import exchange_queue_t
from kombu.utils.json import dumps, loads

log = structlog.get_logger(__name__)
Table = list[exchange_queue_t]


class Channel(filesystem.Channel):
    """Messages as files `<time>_<uuid>.<queue>.msg`, oldest first; folders as kombu's options say.

    A file that is being written has a name that no reader asks for. Power loss may lose a message:
    rows are the truth here, and beat sends again what is missing.
    """

    def get_table(self, exchange: str) -> Table:  # type: ignore[override]
        """The queues bound to an exchange: (routing key, pattern, queue)."""
        try:
            content = self._file(exchange).read_text()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ChannelError(f"The table of {exchange!r} can't be read") from error
        return [exchange_queue_t(*row) for row in loads(content)]

    def _queue_bind(
        self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None
    ) -> None:
        binding = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._changing(exchange) as table:
            if binding not in table:
                table.insert(0, binding)

    def _delete(self, queue: str, *args: Any, **_kwargs: Any) -> None:
        exchange, routing_key, pattern = args[:3]  # kombu's own changes the table in place
        self._purge(queue)
        binding = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._changing(exchange) as table:
            if binding in table:
                table.remove(binding)

    # the stubs' two parents name it differently
    def _put(self, queue: str, payload: Any, **_kwargs: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        try:
            _write(Path(self.data_folder_out) / name, dumps(payload))
        except OSError as error:
            raise ChannelError(f"The message for {queue!r} can't be written") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - names alone
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            path = folder / name
            try:
                content = path.read_text()
                path.unlink()
            except FileNotFoundError:
                continue  # another reader has it
            except OSError as error:
                raise ChannelError(f"A message of {queue!r} can't be taken") from error
            try:
                return loads(content)
            except ValueError:  # left by an older version that was killed while it wrote
                log.warning("message_unreadable", queue=queue, file=name)
        raise Empty

    def _file(self, exchange: str) -> Path:
        path: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]  # not in the stubs
        return path

    @contextmanager
    def _changing(self, exchange: str) -> Iterator[Table]:
        """An exchange's table, stored again at the end; one process at a time."""
        path = self._file(exchange)
        try:
            self.control_folder.mkdir(parents=True, exist_ok=True)
            with path.with_suffix(".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                table = self.get_table(exchange)
                before = list(table)
                yield table
                if table != before:
                    _write(path, dumps(table))
        except OSError as error:
            raise ChannelError(f"The table of {exchange!r} can't be changed") from error


class Transport(filesystem.Transport):
    """What `filesystem://` means in this house (twinhealth/celery.py)."""

    Channel = Channel


def _write(path: Path, content: str) -> None:
    """Replace a file at once; nobody ever sees half of it."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        part.write_text(content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
