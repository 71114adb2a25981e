"""Production, process by process: the commands of docker-compose.yml with its own settings.

Where no container engine runs, this is what can be tried: gunicorn, both workers, beat and the
migration step, against a real PostgreSQL and Redis, with the environment that the compose file gives.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from scripts.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
HOST = "twin.hospital.example"

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(
        not (os.environ.get("TEST_DATABASE_URL") and os.environ.get("TEST_REDIS_URL")),
        reason="needs PostgreSQL and Redis (TEST_DATABASE_URL, TEST_REDIS_URL)",
    ),
]


def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def beside(name: str) -> str:
    """Address of another database on the tests' server."""
    url = os.environ["TEST_DATABASE_URL"].replace("postgres://", "postgresql://", 1)
    return re.sub(r"(//[^/]*/)[^?]*", rf"\g<1>{name}", url)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    name = f"th_production_{os.getpid()}"
    with closing(psycopg2.connect(beside("postgres"))) as server:
        server.autocommit = True
        server.cursor().execute(f"CREATE DATABASE {name}")
        yield beside(name)
        server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def environment(database: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the compose file gives, with this machine's servers in place of the containers'."""
    folder = tmp_path_factory.mktemp("production")
    weights = folder / "active.pth"
    weights.write_bytes(b"stands for the weights: nothing is read here")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    weights.with_suffix(".json").write_text(json.dumps({"sha256": digest}))
    given = {
        **services()["web"]["environment"],
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": HOST,
        "DATABASE_URL": database,
        "REDIS_URL": os.environ["TEST_REDIS_URL"],
        "DATA_DIR": str(folder),
        "STATIC_ROOT": str(folder / "static"),
        "DETECTOR_WEIGHTS": str(weights),
    }
    plain = {k: _defaults(str(v)) for k, v in given.items()}
    assert not [v for v in plain.values() if "${" in v]
    return {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder),
        **plain,
    }


def _defaults(text: str) -> str:
    """What compose makes of a value where nothing is set; a default may hold another one."""
    while (inner := re.sub(r"\$\{\w+:-([^${}]*)\}", r"\1", text)) != text:
        text = inner
    return text


def manage(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def migrated(environment: dict[str, str]) -> dict[str, str]:
    for command in (["migrate", "--noinput"], ["collectstatic", "--noinput"]):
        done = manage(environment, *command)
        assert done.returncode == 0, done.stderr[-2000:]
    return environment


class Process:
    """One service's command, its log, and its polite end."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=output, stderr=output, start_new_session=True
            )

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            assert self.process.poll() is None, self.text()[-3000:]
            time.sleep(0.1)
        raise AssertionError(self.text()[-3000:])

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(90)  # children that have only begun to load come first
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"it doesn't end:\n{self.text()[-3000:]}") from error
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


@pytest.fixture
def start(tmp_path: Path, migrated: dict[str, str]) -> Iterator[Callable[..., Process]]:
    running: list[Process] = []

    def begin(service: str, *, swap: dict[str, str] | None = None, **env: str) -> Process:
        command = [(swap or {}).get(part, part) for part in services()[service]["command"]]
        made = Process(command, {**migrated, **env}, tmp_path / f"{service}.log")
        running.append(made)
        return made

    yield begin
    for process in running:
        if process.process.poll() is None:
            process.end()


def ask(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()


def answers(port: int) -> bool:
    with suppress(OSError):
        return ask(port, "/healthz")[0] == 200
    return False


def test_web(start: Callable[..., Process]) -> None:
    port = free_port()
    web = start("web", swap={"0.0.0.0:8000": f"127.0.0.1:{port}"})
    web.wait_for(lambda: answers(port))

    status, _, body = ask(port, "/readyz")
    assert (status, json.loads(body)["status"]) == (200, "ok")

    https = {"Host": HOST, "X-Forwarded-Proto": "https"}
    status, headers, body = ask(port, "/login/", **https)
    assert status == 200
    assert "csrfmiddlewaretoken" in body
    assert "max-age=31536000" in headers["Strict-Transport-Security"]
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "Secure" in headers["Set-Cookie"]

    sheet = re.search(r'href="(/static/[^"]+\.css)"', body)
    assert sheet
    assert ask(port, sheet[1], **https)[0] == 200  # whitenoise, under its hashed name

    status, headers, _ = ask(port, "/login/", Host=HOST)
    assert (status, headers["Location"]) == (301, f"https://{HOST}/login/")
    assert ask(port, "/login/", Host="evil.example", **{"X-Forwarded-Proto": "https"})[0] == 400
    assert ask(port, "/", **https)[0] == 302

    counted = ask(port, "/metrics")[2]
    assert 'twinhealth_http_requests_total{method="GET",route="accounts:login"' in counted

    assert web.end() == 0
    for line in web.text().splitlines():
        json.loads(line)  # every line, gunicorn's own too
    assert not list(Path(web.log.parent.parent).glob("**/twinhealth-metrics-*"))


@pytest.mark.parametrize("service", ["worker", "worker-default"])
def test_worker(start: Callable[..., Process], service: str) -> None:
    worker = start(service)
    worker.wait_for(lambda: "ready." in worker.text())
    assert worker.end() == 0


def test_beat(start: Callable[..., Process], tmp_path: Path) -> None:
    schedule = str(tmp_path / "schedule")
    beat = start("beat", swap={"/tmp/beat-schedule": schedule}, REQUEUE_SECONDS="1")
    beat.wait_for(lambda: "requeue_lost_runs_task" in beat.text())
    # a signal in the middle of saving the schedule gives Celery's beat a status of 1
    assert beat.end() >= 0, beat.text()[-3000:]
    assert list(tmp_path.glob("schedule*"))


@pytest.mark.parametrize("service", ["web", "worker", "beat"])
@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"])
def test_nothing_starts_without(start: Callable[..., Process], service: str, missing: str) -> None:
    process = start(service, **{missing: ""})
    assert process.process.wait(60) != 0
    assert f"{missing} is not set" in process.text()


def test_the_reading_worker_refuses_broken_weights(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    weights = tmp_path / "active.pth"
    weights.write_bytes(b"half a fi")
    weights.with_suffix(".json").write_text(json.dumps({"sha256": "0" * 64}))
    broken = start("worker", DETECTOR_WEIGHTS=str(weights))
    assert broken.process.wait(60) == 78
    (line,) = [x for x in broken.text().splitlines() if "start_refused" in x]
    assert "active.pth is damaged" in json.loads(line)["problem"]


def test_nothing_starts_on_a_folder_that_cannot_be_written(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    web = start(
        "web",
        swap={"0.0.0.0:8000": f"127.0.0.1:{free_port()}"},
        MEDIA_ROOT=str(tmp_path / "file" / "media"),
    )
    assert web.process.wait(60) != 0
    assert "can't be written" in web.text()


def test_no_demo_in_production(migrated: dict[str, str]) -> None:
    for command in (["prepare", "--demo"], ["create_demo_users"]):
        done = manage({**migrated, "DEMO_PASSWORD": "x" * 12}, *command)
        assert done.returncode != 0
        assert "embedded mode" in done.stderr


def test_djangos_own_deployment_checks(migrated: dict[str, str]) -> None:
    done = manage(migrated, "check", "--deploy", "--fail-level", "ERROR")
    assert done.returncode == 0, done.stderr
