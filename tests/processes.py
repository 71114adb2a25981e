"""A hospital of real processes: web, workers, beat, on the database and queue of the test run.

`TEST_DATABASE_URL` and `TEST_REDIS_URL` say which; without them SQLite and the file-system queue
in a folder of its own.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import redis
import requests

from scripts.servers import free_port, postgres_programs
from tests.migrated import ROOT, SQLITE, bare_environment, fill_postgres, fill_sqlite

# short, so that lost work comes back within a test's patience; yet a lease must outlast a real
# detector's first film on a machine that is busy with other tests
FAST = {
    "RUN_LEASE_SECONDS": "15",
    "RUN_RESEND_SECONDS": "2",
    "REQUEUE_SECONDS": "0.5",
    "DETECTOR_THREADS": "1",
}


def wait_for(condition: Callable[[], Any], seconds: float = 60.0, what: str = "") -> Any:
    """Ask until the answer is true; gives it.

    Raises:
        AssertionError: it never was.
    """
    until = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:g} s: {what or condition}")
        time.sleep(0.1)


class Hospital:
    """One data folder, one database, one queue, and the processes on them.

    Args:
        folder: empty; DATA_DIR.
        database_url: `None`: SQLite in the folder.
        redis_url: `None`: the file-system queue in the folder.
        worker_app: what `celery -A` is given; a test's wrapper of `twinhealth.celery`.
        environment: more settings.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str | None = None,
        redis_url: str | None = None,
        worker_app: str = "twinhealth.celery",
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.database_url = database_url
        self.redis_url = redis_url
        self.worker_app = worker_app
        self.port = free_port()
        self.running: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **bare_environment(),
            "DJANGO_SETTINGS_MODULE": "twinhealth.settings.testing",
            "DATA_DIR": str(folder),
            "PYTHONPATH": str(ROOT),
            "TEST_DATABASE_URL": database_url or "",
            "TEST_REDIS_URL": redis_url or "",
            **FAST,
            **(environment or {}),
        }

    def make_tables(self) -> None:
        """Fill an empty database as `migrate` would; one of `fresh_database` is filled already."""
        if self.database_url is None:
            fill_sqlite(self.folder)
        elif not self.query("SELECT to_regclass('django_migrations') IS NOT NULL")[0][0]:
            fill_postgres(self.database_url)

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end; its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a process in a group of its own; its output goes to `<name>.log`."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def web(self) -> subprocess.Popen[bytes]:
        """Gunicorn with the real application; returns when it answers."""
        process = self.start(
            "web", sys.executable, "-m", "gunicorn", "twinhealth.wsgi", "--bind",
            f"127.0.0.1:{self.port}", "--workers", "1", "--threads", "2", "--timeout", "60",
        )  # fmt: skip
        wait_for(lambda: self._answers(process), what=f"web: {self.log('web')}")
        return process

    def worker(self, name: str = "worker", *, concurrency: int = 1) -> subprocess.Popen[bytes]:
        """A prefork worker on both queues; returns when it takes messages."""
        before = self.log(name).count(" ready.")
        process = self.start(
            name, sys.executable, "-m", "celery", "-A", self.worker_app, "worker", "--queues",
            "detect,default", "--concurrency", str(concurrency), "--hostname", f"{name}@%h",
            "--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat",
        )  # fmt: skip
        wait_for(
            lambda: self._lives(process, name) and self.log(name).count(" ready.") > before,
            seconds=150,  # it loads the detector first
            what=f"{name} ready",
        )
        return process

    def beat(self) -> subprocess.Popen[bytes]:
        """The clock."""
        schedule = str(self.folder / "beat-schedule")
        return self.start(
            "beat", sys.executable, "-m", "celery", "-A", self.worker_app, "beat", "--schedule",
            schedule, "--pidfile=",
        )  # fmt: skip

    def log(self, name: str) -> str:
        """What a process wrote so far."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Read the database beside Django, as a stranger would."""
        if self.database_url:
            link = psycopg2.connect(self.database_url)
            with contextlib.closing(link), link.cursor() as cursor:
                cursor.execute(statement.replace("?", "%s"), parameters)
                return list(cursor.fetchall())
        path = self.folder / SQLITE
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as file:
            return list(file.execute(statement, parameters).fetchall())

    def wipe_queue(self) -> int:
        """Throw every waiting message away; how many there were."""
        if self.redis_url:
            client = redis.Redis.from_url(self.redis_url)
            try:
                waiting = int(client.llen("detect")) + int(client.llen("default"))  # type: ignore[arg-type]
                client.flushdb()
            finally:
                client.close()
            return waiting
        messages = list((self.folder / "queue" / "messages").glob("*.msg"))
        for message in messages:
            message.unlink(missing_ok=True)
        return len(messages)

    def end(self) -> None:
        """Kill whatever still runs, children included."""
        for process in self.running:
            kill_group(process)

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        self._lives(process, "web")
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    def _lives(self, process: subprocess.Popen[bytes], name: str) -> bool:
        assert process.poll() is None, f"{name} ended: {self.log(name)[-3000:]}"
        return True


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """`kill -9` of a process and all its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class OwnPostgres:
    """A PostgreSQL server that a test may stop and start; durable, as a hospital's would be."""

    def __init__(self) -> None:
        programs = postgres_programs()
        assert programs is not None
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="th-own-", dir="/tmp"))
        self.as_user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses root
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.url = f"postgres://test@/postgres?host={self.folder}"
        self.process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "test", "-E", "UTF8", "-N")

    def start(self) -> None:
        """Start and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self.programs / "postgres", "-D", "data", "-k", self.folder,
                    "-c", "listen_addresses=",
                ],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **self.as_user,
            )  # fmt: skip
        wait_for(self._answers, what="own PostgreSQL")

    def stop(self) -> None:
        """Pull the plug: sessions die at once, the next start recovers."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        """Stop and delete."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.url).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            **self.as_user,
        )
