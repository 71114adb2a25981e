"""The real processes in a folder of their own: web, detector worker, default worker, beat."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.run import Config, commands

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "bench-only-password"  # for accounts in a throw-away folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stack:
    """Processes over one data folder; `start` what a measurement needs, `stop` ends all."""

    folder: Path
    settings: str = "twinhealth.settings.embedded"
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATA_DIR": str(self.folder),
            "DJANGO_SETTINGS_MODULE": self.settings,
            "DEMO_PASSWORD": PASSWORD,
            "LOG_LEVEL": "WARNING",
        }

    def manage(self, *args: str) -> str:
        """Run one management command and give its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=ROOT,
            env=self.env,
            check=True,
            stdout=subprocess.PIPE,
        )
        return done.stdout.decode()

    def start(self, name: str) -> subprocess.Popen[bytes]:
        config = Config(
            host="127.0.0.1",
            port=self.port,
            dicom_port=0,
            data_dir=self.folder,
            demo=False,
            venv=Path(sys.prefix),
        )
        command = commands(Path(sys.executable), config)[name]
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
        )
        if name == "web":
            self._wait_for_web()
        return self.processes[name]

    def _wait_for_web(self) -> None:
        for _ in range(150):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2)
                return
            time.sleep(0.2)
        raise RuntimeError((self.folder / "web.log").read_text()[-2000:])

    def stop(self) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    # --- the REST door, with the standard library alone

    def call(
        self, path: str, *, token: str = "", body: bytes | None = None, kind: str = ""
    ) -> tuple[int, Any]:
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Token {token}"
        if kind:
            headers["Content-Type"] = kind
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}", data=body, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def sign_in(self, username: str = "clinician") -> str:
        body = json.dumps({"username": username, "password": PASSWORD}).encode()
        status, answer = self.call("auth/token/", body=body, kind="application/json")
        if status != 200:
            raise RuntimeError(f"sign-in answered {status}: {answer}")
        return str(answer["token"])

    def upload(self, token: str, name: str, content: bytes) -> tuple[int, Any]:
        mark = "----twinhealth-bench"
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/dicom\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{mark}--\r\n".encode()
        return self.call(
            "images/", token=token, body=body, kind=f"multipart/form-data; boundary={mark}"
        )

    # --- what the system says of the processes

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the process and all it started."""
        os.killpg(self.processes[name].pid, number)

    def tree(self, name: str) -> list[int]:
        """The process and all its descendants."""
        found = [self.processes[name].pid]
        for pid in found:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            with contextlib.suppress(OSError):
                found.extend(int(child) for child in children.read_text().split())
        return found

    def rss_mb(self, name: str) -> list[float]:
        """Resident memory of each process of the tree, MiB."""
        sizes = []
        for pid in self.tree(name):
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{pid}/status").read_text()
                kb = next(line for line in text.splitlines() if line.startswith("VmRSS"))
                sizes.append(int(kb.split()[1]) / 1024)
        return sizes

    def maps_torch(self, name: str) -> bool:
        """True if any process of the tree has torch's library mapped."""
        for pid in self.tree(name):
            with contextlib.suppress(OSError):
                if "libtorch" in Path(f"/proc/{pid}/maps").read_text():
                    return True
        return False


@contextlib.contextmanager
def stack(folder: Path, *, detector: bool = True) -> Iterator[Stack]:
    """A migrated data folder with users and the active detector; everything ends with the block.

    Without a detector films wait for their reader unread.
    """
    folder.mkdir(parents=True, exist_ok=True)
    running = Stack(folder)
    running.manage("migrate", "-v0")
    running.manage("collectstatic", "--noinput", "-v0")
    running.manage("create_demo_users")
    if detector:
        running.manage("register_detector")
    try:
        yield running
    finally:
        running.stop()
