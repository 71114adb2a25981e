"""`make run`: what it reads, refuses and keeps, without starting the hospital."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from scripts import run
from scripts.bootstrap import SetupError

ROOT = Path(__file__).resolve().parents[2]


def test_defaults(tmp_path: Path) -> None:
    config = run.read_config({}, tmp_path)
    assert (config.host, config.port, config.dicom_port) == ("127.0.0.1", 8000, 11112)
    assert config.data_dir == tmp_path / "var"
    assert config.demo
    assert config.address == "http://localhost:8000/"


def test_choices(tmp_path: Path) -> None:
    env = {"PORT": "9001", "DICOM_PORT": "9002", "DATA_DIR": "/x/y", "DEMO": "0", "HOST": "::1"}
    config = run.read_config(env, tmp_path)
    assert (config.port, config.dicom_port, config.data_dir) == (9001, 9002, Path("/x/y"))
    assert not config.demo


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"PORT": "http"}, "PORT=http"),
        ({"PORT": "0"}, "PORT=0"),
        ({"DICOM_PORT": "70000"}, "DICOM_PORT=70000"),
        ({"PORT": "11112"}, "both 11112"),
        ({"DEMO": "maybe"}, "DEMO=maybe"),
    ],
)
def test_values_that_make_no_sense_are_named(env: dict[str, str], words: str) -> None:
    with pytest.raises(SetupError, match=words):
        run.read_config(env)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_is_a_clear_error(host: str) -> None:
    with socket.socket() as other:
        other.bind((host, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"Port {port} is taken"):
            run.check_port("127.0.0.1", port)
    run.check_port("127.0.0.1", port)  # free again


def test_the_port_is_seen_as_taken_on_the_other_localhost_too() -> None:
    try:
        other = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with other, pytest.raises(SetupError, match="is taken"):
        run.check_port("127.0.0.1", other.getsockname()[1])


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(SetupError, match=r"192\.0\.2\.1"):
        run.check_port("192.0.2.1", 8000)


def test_make_run_stops_before_anything_when_the_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        env = {**os.environ, "PORT": str(port), "DATA_DIR": str(tmp_path / "data")}
        done = subprocess.run(
            [sys.executable, "-m", "scripts.run"],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_one_data_folder_one_run(tmp_path: Path) -> None:
    with run.lock_data_dir(tmp_path / "data"):
        with pytest.raises(SetupError, match=f"process {os.getpid()}"):
            run.lock_data_dir(tmp_path / "data")
        run.lock_data_dir(tmp_path / "other").close()  # another hospital
    run.lock_data_dir(tmp_path / "data").close()


def test_a_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="can't be written"):
        run.lock_data_dir(tmp_path / "file" / "data")


def test_the_password_is_made_once_and_kept_for_us_alone(tmp_path: Path) -> None:
    first = run.demo_password({}, tmp_path)
    assert len(first) >= 12
    assert run.demo_password({}, tmp_path) == first
    assert stat.S_IMODE((tmp_path / "demo-password").stat().st_mode) == 0o600
    assert run.demo_password({"DEMO_PASSWORD": "chosen"}, tmp_path) == "chosen"
    assert run.demo_password({}, tmp_path) == "chosen"  # what the accounts have now
    (tmp_path / "b").mkdir()
    assert run.demo_password({}, tmp_path / "b") != first


def test_always_the_embedded_settings(tmp_path: Path) -> None:
    env = {
        "DJANGO_SETTINGS_MODULE": "twinhealth.settings.production",
        "DATABASE_URL": "postgres://x/y",
        "REDIS_URL": "redis://x",
    }
    got = run.child_environment(run.read_config({"DATA_DIR": "d"}, tmp_path), env)
    assert got["DJANGO_SETTINGS_MODULE"] == "twinhealth.settings.embedded"
    assert got["DATA_DIR"] == str(tmp_path / "d")
    assert got["DATABASE_URL"] == "postgres://x/y"  # where the rows are, not which mode


def test_the_processes(tmp_path: Path) -> None:
    config = run.read_config({"PORT": "9000", "HOST": "::1"}, tmp_path)
    commands = run.commands(Path("py"), config)
    assert list(commands) == ["web", "detect", "shadow", "default", "beat"]
    mqtt = run.commands(Path("py"), run.read_config({"MQTT_URL": "mqtt://broker"}, tmp_path))
    assert list(mqtt) == [*commands, "mqtt"]
    assert "[::1]:9000" in commands["web"]
    queues = {name: c[c.index("--queues") + 1] for name, c in commands.items() if "worker" in c}
    assert queues == {"detect": "detect", "shadow": "shadow", "default": "default"}


class _Answer(BaseHTTPRequestHandler):
    status = 200
    body = b"{}"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"{}", None),
        (
            503,
            b'{"checks": {"queue": {"ok": false, "why": "away"}, "database": {"ok": true, "why": ""}}}',
            "queue: away",
        ),
        (500, b"<html>", "status 500"),
    ],
)
def test_readiness_says_what_is_missing(status: int, body: bytes, expected: str | None) -> None:
    handler = type("Answer", (_Answer,), {"status": status, "body": body})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.handle_request).start()
        assert run.why_not_ready(f"http://127.0.0.1:{server.server_port}/") == expected


def test_no_answer_yet() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert "does not answer" in str(run.why_not_ready(f"http://127.0.0.1:{port}/"))
