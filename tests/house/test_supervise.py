"""The supervisor with real processes: one end for all, restarts, no orphan."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.supervise import Supervisor, short_line

pytestmark = pytest.mark.processes
ROOT = Path(__file__).resolve().parents[2]
SLEEPER = "import time; time.sleep(120)"
# leaves a child of its own behind and takes no polite word
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
print("child", child.pid, flush=True)
time.sleep(120)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code)]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def supervisor(children: dict[str, list[str]], folder: Path, **options: object) -> Supervisor:
    said: list[str] = []
    made = Supervisor(
        children,
        env=os.environ,
        cwd=folder,
        log_dir=folder / "logs",
        say=said.append,
        back_off=(0.05, 0.1),
        **options,  # type: ignore[arg-type]
    )
    made.said = said  # type: ignore[attr-defined]
    return made


def test_a_signal_ends_all_and_the_logs_stay(tmp_path: Path) -> None:
    code = "print('hello from here', flush=True); import time; time.sleep(120)"
    children = {"one": python(code), "two": python(SLEEPER)}
    ready: list[bool] = []

    def question() -> str | None:
        log = tmp_path / "logs" / "one.log"
        return None if log.exists() and b"here\n" in log.read_bytes() else "not yet"

    made = supervisor(
        children,
        tmp_path,
        is_ready=question,
        on_ready=lambda: (ready.append(True), os.kill(os.getpid(), signal.SIGTERM)),
    )
    handler = signal.getsignal(signal.SIGTERM)
    assert made.run() == 0
    assert ready == [True]
    assert all(child.process is None for child in made.children)
    assert (tmp_path / "logs" / "one.log").read_text() == "hello from here\n"
    assert signal.getsignal(signal.SIGTERM) is handler  # as before


def test_a_child_that_dies_starts_again_and_its_last_words_are_shown(tmp_path: Path) -> None:
    code = f"""
    import pathlib, sys, time
    marks = pathlib.Path({str(tmp_path)!r})
    tries = len(list(marks.glob("try*")))
    (marks / f"try{{tries}}").touch()
    if tries < 2:
        sys.exit("disk on fire")
    time.sleep(120)
    """
    made = supervisor({"web": python(code)}, tmp_path)
    made.on_ready = lambda: None
    made.ready = True

    original = made._read_output

    def stop_at_third(timeout: float) -> None:
        original(timeout)
        if len(list(tmp_path.glob("try*"))) == 3:
            made.stopping += 1

    made._read_output = stop_at_third  # type: ignore[method-assign]
    assert made.run() == 0
    said = made.said  # type: ignore[attr-defined]
    assert sum("web ended (status 1)" in line for line in said) == 2
    assert any("disk on fire" in line for line in said)
    assert made.children[0].deaths == 2


def test_what_never_comes_up_is_given_up(tmp_path: Path) -> None:
    made = supervisor(
        {"web": python("raise SystemExit(3)"), "beat": python(SLEEPER)},
        tmp_path,
        is_ready=lambda: "no answer",
    )
    assert made.run() == 1
    assert any("web does not start" in line for line in made.said)  # type: ignore[attr-defined]


def test_who_takes_no_polite_word_is_killed_with_its_children(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "worker.log"
    made = supervisor(
        {"worker": python(STUBBORN)},
        tmp_path,
        is_ready=lambda: None if log.exists() and b"child" in log.read_bytes() else "no",
        on_ready=lambda: os.kill(os.getpid(), signal.SIGINT),
        grace_seconds=0.3,
    )
    assert made.run() == 0
    grandchild = int(log.read_text().split()[1])
    assert until(lambda: not alive(grandchild))
    assert any("killed" in line for line in made.said)  # type: ignore[attr-defined]


def test_a_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    code = f"""
    import os, sys
    from pathlib import Path
    from scripts.supervise import Supervisor
    folder = Path({str(tmp_path)!r})
    Supervisor(
        {{"one": [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(120)"]}},
        env=os.environ, cwd=folder, log_dir=folder / "logs",
    ).run()
    """
    process = subprocess.Popen(python(code), cwd=ROOT)
    log = tmp_path / "logs" / "one.log"
    try:
        assert until(lambda: log.exists() and log.read_text().strip().isdigit())
        child = int(log.read_text())
        assert alive(child)
    finally:
        process.kill()
        process.wait()
    assert until(lambda: not alive(child))


def test_a_large_log_is_put_aside_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.supervise.LOG_BYTES", 10)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "one.log").write_text("x" * 11)
    made = supervisor(
        {"one": python(SLEEPER)}, tmp_path, on_ready=lambda: os.kill(os.getpid(), signal.SIGINT)
    )
    assert made.run() == 0
    assert (tmp_path / "logs" / "one.log.1").read_text() == "x" * 11
    assert (tmp_path / "logs" / "one.log").read_text() == ""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (json.dumps({"level": "error", "event": "a\nb"}), "web      error: a b"),
        (
            json.dumps({"level": "error", "event": "start_refused", "problem": "disk full"}),
            "web      error: start_refused: disk full",
        ),
        (
            json.dumps({"level": "error", "event": "a", "exception": "Trace\n  x\nKeyError: 1"}),
            "web      error: a: KeyError: 1",
        ),
        (json.dumps({"level": "info", "event": "a"}), None),
        (json.dumps([1]), None),
        ("Traceback (most recent call last):", None),
    ],
)
def test_the_terminal_shows_warnings_and_worse(line: str, expected: str | None) -> None:
    assert short_line("web", line) == expected
