"""The environment: an accepted Python, `.venv/`, and the locked packages in it.

Standard library only, and readable by older Pythons, so that those get a sentence and no traceback.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOWEST, HIGHEST = (3, 11), (3, 13)
RUN_LOCK = "requirements.txt"
DEV_LOCK = "requirements-dev.txt"


class SetupError(Exception):
    """Something that a person has to do first; the text says what."""


def check_python(version: tuple[int, ...] | None = None) -> None:
    """Accept Python 3.11 to 3.13.

    Raises:
        SetupError: another version runs.
    """
    version = version or tuple(sys.version_info[:3])
    if not LOWEST <= version[:2] <= HIGHEST:
        have = ".".join(str(part) for part in version)
        raise SetupError(
            f"TwinHealth needs Python 3.11 to 3.13 (tested on 3.11), this is {have}.\n"
            "Install one of them, or name it: make run PYTHON=/path/to/python3.11"
        )


def torch_pin(lock: Path) -> tuple[str, str]:
    """The lock's lines of torch and torchvision."""
    lines = lock.read_text().splitlines()
    torch = next(line for line in lines if line.startswith("torch=="))
    vision = next(line for line in lines if line.startswith("torchvision=="))
    return torch, vision


def fingerprint(lock: Path, python: str, index: str) -> str:
    """Changes whenever an install would give something else."""
    parts = (lock.read_bytes(), python.encode(), index.encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def venv_version(python: Path) -> str:
    """`3.11` of a working virtual environment with pip, or an empty string."""
    if not python.exists():
        return ""
    code = "import sys, pip; print('.'.join(map(str, sys.version_info[:2])))"
    answer = subprocess.run(
        [str(python), "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    return answer.stdout.strip() if answer.returncode == 0 else ""


def make_venv(venv: Path, say: Callable[[str], None]) -> Path:
    """Make the virtual environment, or take the one that is there.

    Raises:
        SetupError: Python's venv is not installed, or the folder can't be written.
    """
    python = venv / "bin" / "python"
    version = venv_version(python)
    if version:
        check_python(tuple(int(part) for part in version.split(".")))
        return python
    say(f"making {venv.name}/ with Python {sys.version.split()[0]}")
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SetupError(
            "Python's venv did not work; on Debian and Ubuntu: apt-get install python3-venv\n"
            + (done.stderr or done.stdout).strip()
        )
    return python


def install_commands(python: Path, lock: Path, index: str) -> list[list[str]]:
    """The pip commands that bring one lock file in.

    torch comes first and with its companions (CUDA or CPU); everything else is in the lock, so no
    resolver is asked (docs/decisions/0006). Proxy, mirror and certificates are pip's own settings.
    """
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-qq"]
    commands = []
    if lock.name == RUN_LOCK:
        torch, vision = torch_pin(lock)
        if index:
            commands.append([*pip, "--index-url", index, torch, vision])
        else:
            commands.append([*pip, "-c", str(lock), torch])
    commands.append([*pip, "--no-deps", "-r", str(lock)])
    return commands


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Two commands at once don't install into one folder."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ensure(
    *,
    venv: Path,
    dev: bool = False,
    say: Callable[[str], None] = print,
    root: Path = ROOT,
) -> Path:
    """Give the environment's Python; install only what changed since the last time.

    Args:
        venv: folder of the virtual environment.
        dev: the tools of `make test` too.
        say: takes one line for the person who waits.
        root: where the lock files stand.

    Raises:
        SetupError: pip could not install; its own words were shown.
    """
    check_python()
    index = os.environ.get("TORCH_INDEX_URL", "").strip()
    python = make_venv(venv, say)
    for name in (RUN_LOCK, DEV_LOCK) if dev else (RUN_LOCK,):
        lock = root / name
        stamp = venv / f".installed-{lock.stem}"
        with _only_one(venv / ".installing"):
            wanted = fingerprint(lock, venv_version(python), index)
            if stamp.exists() and stamp.read_text() == wanted:
                continue
            say(f"installing {name} (the first time takes some minutes)")
            for command in install_commands(python, lock, index):
                if subprocess.run(command, check=False).returncode != 0:
                    raise SetupError(
                        f"pip could not install {name}. Behind a proxy or with a mirror, set "
                        "pip up for it (PIP_INDEX_URL, HTTPS_PROXY, PIP_CERT) and run this again."
                    )
            stamp.write_text(wanted)
    return python


def need_programs(*names: str) -> list[str]:
    """Those of the named programs that are not on the PATH."""
    return [name for name in names if shutil.which(name) is None]
