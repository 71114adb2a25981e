"""`make run`: the whole hospital in one terminal.

Environment, database, demo on the first start, then web, three workers and beat, and the MQTT door
where MQTT_URL names a broker. Always the embedded settings; production is its own settings module
and never inferred from a variable.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from scripts.bootstrap import ROOT, SetupError, check_python, ensure
from scripts.supervise import Supervisor

DEMO_NAMES = "clinician, clinician2, engineer, admin"
COMPLAIN_AFTER_SECONDS = 30.0


@dataclass(frozen=True)
class Config:
    """What the person who starts it may choose."""

    host: str
    port: int
    dicom_port: int
    data_dir: Path
    demo: bool
    venv: Path
    mqtt: bool = False  # whether there is a broker to listen to

    @property
    def address(self) -> str:
        """What to type into the browser."""
        local = self.host in {"127.0.0.1", "0.0.0.0", "localhost"}  # noqa: S104 - compared only
        return f"http://{'localhost' if local else self.host}:{self.port}/"


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SetupError(f"{name}={text} is not a port (1 to 65535)")
    return int(text)


def read_config(env: Mapping[str, str], root: Path = ROOT) -> Config:
    """Read the environment.

    Raises:
        SetupError: a value makes no sense; the text names it.
    """
    demo = (env.get("DEMO") or "1").lower()
    if demo not in {"0", "1", "true", "false", "yes", "no"}:
        raise SetupError(f"DEMO={demo} is neither 0 nor 1")
    config = Config(
        host=env.get("HOST") or "127.0.0.1",
        port=_port(env, "PORT", 8000),
        dicom_port=_port(env, "DICOM_PORT", 11112),
        data_dir=(root / (env.get("DATA_DIR") or "var")).resolve(),
        demo=demo in {"1", "true", "yes"},
        venv=root / (env.get("VENV") or ".venv"),
        mqtt=bool((env.get("MQTT_URL") or env.get("MQTT_URL_FILE") or "").strip()),
    )
    if config.port == config.dicom_port:
        raise SetupError(f"PORT and DICOM_PORT are both {config.port}")
    return config


def check_port(host: str, port: int) -> None:
    """See that nobody listens there, on IPv6's localhost neither: browsers may try that first.

    Raises:
        SetupError: the port is taken, or this machine doesn't have the address.
    """
    taken = f"Port {port} is taken; end the program that uses it or choose another: PORT={port + 1}"
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except PermissionError:
        raise SetupError(f"Port {port} needs root; choose one above 1023: PORT=8000") from None
    except OSError as error:
        if error.errno in {98, 48}:  # EADDRINUSE on Linux, on BSD
            raise SetupError(taken) from None
        raise SetupError(f"Can't listen on {host}:{port}: {error.strerror or error}") from None
    with suppress(OSError), socket.create_connection(("::1", port), timeout=0.3):
        raise SetupError(taken)


def lock_data_dir(data_dir: Path) -> IO[str]:
    """Hold the data folder for this run; the lock ends with the process, however it ends.

    Raises:
        SetupError: another run holds it, or it can't be written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = (data_dir / "run.lock").open("a+")
    except OSError as error:
        raise SetupError(f"DATA_DIR {data_dir} can't be written: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        pid = file.read().strip() or "unknown"
        file.close()
        raise SetupError(
            f"Another `make run` (process {pid}) uses {data_dir}; end it, or choose another "
            "hospital: DATA_DIR=other"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def demo_password(env: Mapping[str, str], data_dir: Path) -> str:
    """What DEMO_PASSWORD says, else one made once for this data folder."""
    path = data_dir / "demo-password"
    given = env.get("DEMO_PASSWORD", "")
    if not given and path.exists():
        return path.read_text().strip()
    password = given or f"{secrets.token_hex(3)}-{secrets.token_hex(3)}"
    path.touch(mode=0o600)
    path.write_text(password)
    return password


def child_environment(config: Config, env: Mapping[str, str]) -> dict[str, str]:
    """Environment of everything that is started."""
    return {
        **env,
        "DJANGO_SETTINGS_MODULE": "twinhealth.settings.embedded",
        "DATA_DIR": str(config.data_dir),
        "PORT": str(config.port),
        "DICOM_PORT": str(config.dicom_port),
        "PYTHONUNBUFFERED": "1",
    }


def commands(python: Path, config: Config) -> dict[str, list[str]]:
    """The processes of the hospital."""
    celery = [str(python), "-m", "celery", "-A", "twinhealth"]
    # nodes don't ask after each other: states stand in the database
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]

    def worker(queue: str, processes: int = 1) -> list[str]:
        return [
            *(*celery, "worker", "--loglevel", "INFO", *quiet, "--concurrency", str(processes)),
            *("--queues", queue, "--hostname", f"{queue}@%h"),
        ]

    gunicorn = [str(python), "-m", "gunicorn", "--config", "python:twinhealth.gunicorn_conf"]
    bind = (
        f"[{config.host}]:{config.port}" if ":" in config.host else f"{config.host}:{config.port}"
    )
    schedule = str(config.data_dir / "beat-schedule")
    doors = {"mqtt": [str(python), "manage.py", "run_mqtt_ingest"]} if config.mqtt else {}
    return {
        "web": [*gunicorn, "--bind", bind, "twinhealth.wsgi"],
        "detect": worker("detect"),
        "shadow": worker("shadow"),
        # two: while one writes a set, the other brings lost runs back
        "default": worker("default", processes=2),
        "beat": [*celery, "beat", "--loglevel", "INFO", "--schedule", schedule, "--pidfile="],
        **doors,
    }


def why_not_ready(address: str) -> str | None:
    """None when /readyz says yes, else what it says."""
    try:
        # the address is ours, made of PORT and HOST
        with urllib.request.urlopen(f"{address}readyz", timeout=3):  # noqa: S310
            return None
    except urllib.error.HTTPError as error:
        with suppress(ValueError, AttributeError):
            checks = json.loads(error.read()).get("checks", {})
            return "; ".join(f"{k}: {v['why']}" for k, v in checks.items() if not v["ok"])
        return f"status {error.code}"
    except OSError:
        return "the web process does not answer yet"


def _start(env: Mapping[str, str]) -> int:
    started = time.monotonic()
    config = read_config(env)
    check_port(config.host, config.port)
    python = ensure(venv=config.venv)
    with lock_data_dir(config.data_dir):
        environment = child_environment(config, env)
        password = demo_password(env, config.data_dir) if config.demo else ""
        prepare = [str(python), "manage.py", "prepare"]
        if config.demo:
            prepare.append("--demo")
            environment["DEMO_PASSWORD"] = password
        quiet = {"LOG_LEVEL": "WARNING", **environment}  # its own lines are enough
        # a session of its own: Ctrl-C comes here alone, and it ends without a traceback
        done = subprocess.run(prepare, cwd=ROOT, env=quiet, check=False, start_new_session=True)
        if done.returncode != 0:
            raise SetupError("Nothing was started; see above.")
        environment.pop("DEMO_PASSWORD", None)  # the processes have no use for it
        check_port(config.host, config.port)
        local = config.address.replace("localhost", "127.0.0.1")
        complained = [time.monotonic() + COMPLAIN_AFTER_SECONDS]

        def question() -> str | None:
            why = why_not_ready(local)
            if why and time.monotonic() > complained[0]:
                complained[0] = time.monotonic() + COMPLAIN_AFTER_SECONDS
                print(f"still waiting: {why}", flush=True)
            return why

        def ready() -> None:
            print(f"\nTwinHealth is ready: {config.address}  ({time.monotonic() - started:.1f} s)")
            if config.demo:
                print(f"  accounts: {DEMO_NAMES}\n  password: {password}")
            else:
                print("  first account: " + _create_admin(config))
            print(f"  data and logs: {config.data_dir}, end it with Ctrl-C\n", flush=True)

        return Supervisor(
            commands(python, config),
            env=environment,
            cwd=ROOT,
            log_dir=config.data_dir / "logs",
            say=lambda line: print(line, flush=True),
            is_ready=question,
            on_ready=ready,
        ).run()


def _create_admin(config: Config) -> str:
    return f"DATA_DIR={config.data_dir} {config.venv}/bin/python manage.py create_admin"


def main() -> int:
    """Run until Ctrl-C; a clear sentence and exit code 1 where something is in the way."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, until all is up
    try:
        check_python()
        return _start(os.environ)
    except SetupError as error:
        print(f"\nmake run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped before it was up", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
