"""Several processes in one terminal: one Ctrl-C ends all, one that dies comes back.

Each child runs in its own session, so that the terminal's Ctrl-C reaches the supervisor alone and
the end has an order; and each is told by the kernel when the supervisor dies, so that even a
`kill -9` leaves no orphan. Output goes to a file per child; warnings and errors are echoed short.
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
ECHOED = {"warning", "error", "critical"}
LOG_BYTES = 10 * 1024**2
TICK_SECONDS = 0.2
STEADY_SECONDS = 60.0  # alive so long, a child starts with a clean record
BACK_OFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
DEATHS_BEFORE_READY = 4  # so many while starting up, and something is wrong for good

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Child:
    """One process: what to start, and what became of it."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float | None = 0.0
    deaths: int = 0
    rest: bytes = b""
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=8))


def _record(line: str) -> dict[str, object]:
    """A JSON log line, or nothing for other text."""
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def plain(line: str) -> str:
    """A log line for a person: event, what is wrong, the last line of a traceback."""
    record = _record(line)
    if not record:
        return line[:200]
    exception = str(record.get("exception", "")).strip().splitlines()
    parts = [str(record.get("event", "")), str(record.get("problem", "")), *exception[-1:]]
    return ": ".join(" ".join(part.split()) for part in parts if part.strip())[:200]


def short_line(name: str, line: str) -> str | None:
    """What the terminal shows of a log line: warnings and worse, in one short line."""
    level = _record(line).get("level")
    return f"{name:<8} {level}: {plain(line)}" if level in ECHOED else None


class Supervisor:
    """Starts children, watches them, ends them.

    Args:
        children: name -> command.
        env: environment of all of them.
        cwd: folder in which they start.
        log_dir: one `<name>.log` each; a file above 10 MB is kept once as `.1`.
        say: takes one line for the terminal.
        is_ready: asked about twice a second until true; gives a reason while it isn't.
        on_ready: called once.
        grace_seconds: between the polite and the other signal.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        children: Mapping[str, Sequence[str]],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log_dir: Path,
        say: Callable[[str], None] = print,
        is_ready: Callable[[], str | None] = lambda: None,
        on_ready: Callable[[], None] = lambda: None,
        grace_seconds: float = 20.0,
        back_off: Sequence[float] = BACK_OFF_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.children = [Child(name, command) for name, command in children.items()]
        self.env = dict(env)
        self.cwd = cwd
        self.log_dir = log_dir
        self.say = say
        self.is_ready = is_ready
        self.on_ready = on_ready
        self.grace_seconds = grace_seconds
        self.back_off = back_off
        self.clock = clock
        self.ready = False
        self.stopping = 0  # how often somebody asked
        self._selector = selectors.DefaultSelector()
        self._files: dict[str, IO[bytes]] = {}

    def run(self) -> int:
        """Until a signal comes. Gives 0 then, 1 if the start did not succeed."""
        self.log_dir.mkdir(parents=True, exist_ok=True)
        before = {
            number: signal.signal(number, self._asked)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            return self._watch()
        finally:
            self._end_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked(self, number: int, frame: object) -> None:
        self.stopping += 1

    def _watch(self) -> int:
        next_question = 0.0
        while not self.stopping:
            for child in self.children:
                self._look_after(child)
                if not self.ready and child.deaths >= DEATHS_BEFORE_READY:
                    self.say(f"{child.name} does not start; see {self._log_path(child)}")
                    return 1
            self._read_output(TICK_SECONDS)
            if not self.ready and self.clock() >= next_question:
                next_question = self.clock() + 0.5
                if self.is_ready() is None:
                    self.ready = True
                    self.on_ready()
        self.say("stopping")
        return 0

    def _look_after(self, child: Child) -> None:
        now = self.clock()
        if child.process is None:
            if child.start_again_at is not None and now >= child.start_again_at:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        self._drain(child)
        self._kill_group(child)  # what it may have left behind
        child.process = None
        child.deaths = 1 if now - child.started_at >= STEADY_SECONDS else child.deaths + 1
        wait = self.back_off[min(child.deaths, len(self.back_off)) - 1]
        child.start_again_at = now + wait
        how = f"signal {-code}" if code < 0 else f"status {code}"
        self.say(f"{child.name} ended ({how}); starts again in {wait:g} s. Its last words:")
        for line in child.last_lines:
            self.say(f"    {plain(line)}")

    def _start(self, child: Child) -> None:
        path = self._log_path(child)
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        self._files[child.name] = path.open("ab")
        child.last_lines.clear()
        child.rest = b""
        supervisor = os.getpid()

        def die_with_the_supervisor() -> None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != supervisor:  # it died between fork and here
                os._exit(1)

        child.process = subprocess.Popen(
            list(child.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.env,
            cwd=self.cwd,
            start_new_session=True,
            preexec_fn=die_with_the_supervisor,  # noqa: PLW1509 - this process has no threads
        )
        child.started_at = self.clock()
        child.start_again_at = None
        assert child.process.stdout is not None  # noqa: S101 - PIPE was asked for
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _log_path(self, child: Child) -> Path:
        return self.log_dir / f"{child.name}.log"

    def _read_output(self, timeout: float) -> None:
        if not self._selector.get_map():
            time.sleep(timeout)
            return
        for key, _ in self._selector.select(timeout):
            self._take(key.data)

    def _take(self, child: Child) -> bool:
        """Take what a child wrote; false when there is nothing more."""
        if child.process is None or child.process.stdout is None or child.process.stdout.closed:
            return False
        try:
            data = os.read(child.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(child.process.stdout)
            child.process.stdout.close()
            return False
        file = self._files[child.name]
        file.write(data)
        file.flush()
        *lines, child.rest = (child.rest + data).split(b"\n")
        for raw in lines:
            line = raw.decode(errors="replace").rstrip()
            if not line:
                continue
            child.last_lines.append(line)
            short = short_line(child.name, line)
            if short:
                self.say(short)
        return True

    def _drain(self, child: Child) -> None:
        while self._take(child):
            pass
        out = child.process.stdout if child.process else None
        if out is not None and not out.closed:
            self._selector.unregister(out)
            out.close()
        self._files.pop(child.name).close()

    def _kill_group(self, child: Child) -> None:
        if child.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)

    def _end_all(self) -> None:
        """Ask all, wait, then end the rest with their whole groups."""
        asked_before = self.stopping
        running = [(child, child.process) for child in self.children if child.process is not None]
        for _, process in running:
            with suppress(ProcessLookupError):
                process.terminate()
        until = self.clock() + self.grace_seconds
        while self.clock() < until and self.stopping <= max(asked_before, 1):
            if all(process.poll() is not None for _, process in running):
                break
            self._read_output(0.05)
        for child, process in running:
            if process.poll() is None:
                self.say(f"{child.name} did not end by itself; killed")
            self._kill_group(child)
            process.wait()
            self._drain(child)
            child.process = None
