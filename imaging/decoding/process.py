"""The parent's side of one decoding process."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .protocol import ProtocolError, pack, unpack

_ROOT = Path(__file__).resolve().parent.parent.parent
_CHUNK = 1 << 20


class ChildDiedError(Exception):
    """It crashed or talked nonsense; it's gone and reaped."""


class ChildTimeoutError(Exception):
    """It took too long; it's gone and reaped."""


class Child:
    """One `imaging.decoding.child`, for one request at a time.

    Args:
        memory_bytes: limit of its address space.
    """

    def __init__(self, *, memory_bytes: int) -> None:
        self.asked = 0
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "imaging.decoding.child", str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            bufsize=0,
            # no secrets; one thread per decoder, since address space is limited
            env={
                "PATH": os.environ.get("PATH", ""),
                "LC_ALL": "C.UTF-8",
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
            },
        )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ask(
        self, request: dict[str, Any], *, seconds: float, max_body: int
    ) -> tuple[dict[str, Any], bytes | bytearray]:
        """Send one request, wait for the answer.

        Raises:
            ChildDiedError: it crashed, or answered nonsense.
            ChildTimeoutError: no answer within `seconds`.
        """
        self.asked += 1
        deadline = time.monotonic() + seconds
        try:
            self._stdin.write(pack(request))
            return unpack(lambda size: self._read(size, deadline), max_body=max_body)
        except (BrokenPipeError, EOFError, ProtocolError) as error:
            self.kill()
            msg = f"exit status {self._process.returncode}"
            raise ChildDiedError(msg) from error
        except BaseException:
            # also a task's soft time limit: half an answer must not meet the next question
            self.kill()
            raise

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    def _read(self, size: int, deadline: float) -> bytearray:
        """Exactly `size` bytes."""
        descriptor = self._process.stdout.fileno()  # type: ignore[union-attr]
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        data = bytearray(size)
        view, filled = memoryview(data), 0
        while filled < size:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise ChildTimeoutError
            count = os.readv(descriptor, [view[filled : filled + _CHUNK]])
            if count == 0:
                raise EOFError
            filled += count
        return data

    def kill(self) -> None:
        """End it now and reap it."""
        self._process.kill()
        self._process.wait()
        self.forget()

    def forget(self) -> None:
        """Close our ends of the pipes: after a fork the process belongs to somebody else."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        if self._process.returncode is None:
            # it isn't our child any more: nothing to wait for, nothing to warn of
            self._process.returncode = 0
