"""PostgreSQL, Redis and Mosquitto of our own for the time of a test run, from installed programs.

Started in a temporary folder, reached over sockets in it, ended and removed afterwards: the tests
create and empty databases, and nobody's own server should be asked to suffer that.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

POSTGRES_HOMES = "/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt"
MOSQUITTO = Path(__file__).resolve().parent / "mosquitto"
START_SECONDS = 60.0
# speed instead of durability: the data lives as long as the run
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


class ServerError(Exception):
    """A server did not start; the text has its last words."""


def postgres_programs() -> Path | None:
    """The folder with `initdb` and `postgres`, of the newest version that is installed."""
    found = shutil.which("postgres")
    if found and (Path(found).parent / "initdb").exists():
        return Path(found).parent
    homes = [Path(home) for home in POSTGRES_HOMES]
    folders = [p.parent for home in homes if home.exists() for p in home.glob("*/bin/initdb")]
    versions = [f for f in folders if f.parent.name.replace(".", "").isdigit()]
    return max(versions, key=lambda f: float(f.parent.name), default=None)


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom to run PostgreSQL as, which refuses root; None where we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerError("running as root, and there is no user `postgres` or `nobody`")


@contextmanager
def _folder(owner: pwd.struct_passwd | None) -> Iterator[Path]:
    """A temporary folder with a short name: socket paths have at most 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="th-", dir="/tmp"))
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-800:] if path.exists() else ""


@contextmanager
def postgres(name: str, settings: Sequence[str] = FAST) -> Iterator[str]:
    """Run a PostgreSQL server.

    Args:
        name: of the database in the address; Django makes `test_<name>` beside it.
        settings: `name=value` each; none for one that is as durable as a hospital's.

    Yields:
        the DATABASE_URL.

    Raises:
        ServerError: not installed, or it did not start.
    """
    programs = postgres_programs()
    if programs is None:
        raise ServerError("PostgreSQL's server programs are not installed")
    user = _unprivileged()
    with _folder(user) as folder:
        data, log = folder / "data", folder / "postgres.log"
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-A", "trust", "-U", "test", "-E", "UTF8", "-N"],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=folder,
            **as_user,  # type: ignore[call-overload]
        )
        if made.returncode != 0:
            raise ServerError(f"initdb: {made.stderr[-800:]}")
        options = [part for setting in settings for part in ("-c", setting)]
        command = [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [*command, *options],
                stdout=output,
                stderr=output,
                env=environment,
                cwd=folder,
                **as_user,  # type: ignore[call-overload]
            )
        try:
            ready = b"database system is ready to accept connections"
            _wait_until(lambda: ready in log.read_bytes(), server, log)
            yield f"postgres://test@/{name}?host={folder}"
        finally:
            _end(server, signal.SIGINT)  # "fast": it ends sessions and itself


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis server; yields its REDIS_URL.

    Raises:
        ServerError: not installed, or it did not start.
    """
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise ServerError("redis-server is not installed")
    with _folder(None) as folder:
        port, log = free_port(), folder / "redis.log"
        settings = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        with log.open("wb") as output:
            server = subprocess.Popen([program, *settings], stdout=output, stderr=output)
        try:
            _wait_until(lambda: b"Ready to accept connections" in log.read_bytes(), server, log)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            _end(server, signal.SIGTERM)


def mosquitto_program() -> str | None:
    """Debian puts it where only root's PATH leads."""
    return shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")


class Mosquitto:
    """An MQTT broker with the configuration that the compose file ships, and a port of its own.

    It can be stopped and started again on the same data.

    Args:
        folder: for its files; not removed.

    Raises:
        ServerError: not installed.
    """

    LISTENER = "listener-password"  # of the one account that may read

    def __init__(self, folder: Path) -> None:
        program = mosquitto_program()
        if program is None:
            raise ServerError("mosquitto is not installed")
        self.program, self.folder, self.port = program, folder, free_port()
        self.url = f"mqtt://listener:{self.LISTENER}@127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        text = (MOSQUITTO / "mosquitto.conf").read_text()
        for shipped, own in (
            ("listener 1883", f"listener {self.port} 127.0.0.1"),
            ("/tmp/passwords", f"{folder}/passwords"),  # noqa: S108 - the container's own
            ("/mosquitto/config/", f"{MOSQUITTO}/"),
            ("/mosquitto/data/", f"{folder}/"),
        ):
            if shipped not in text:
                raise ServerError(f"mosquitto.conf has no {shipped}")
            text = text.replace(shipped, own)
        if os.geteuid() == 0:  # it would become another user, who can't write here
            text += "user root\n"
        (folder / "mosquitto.conf").write_text(text)
        subprocess.run(
            ["mosquitto_passwd", "-b", "-c", folder / "passwords", "listener", self.LISTENER],
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Start and wait until it answers."""
        log = self.folder / "mosquitto.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [self.program, "-c", self.folder / "mosquitto.conf"], stdout=output, stderr=output
            )
        _wait_until(lambda: _listens(self.port), self.process, log)

    def stop(self) -> None:
        """End it as a service would; it writes down what it holds for others."""
        if self.process is not None:
            _end(self.process, signal.SIGTERM)
            self.process = None


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until(condition: Callable[[], bool], server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if condition():
            return
        if server.poll() is not None:
            raise ServerError(f"ended at once: {_tail(log)}")
        time.sleep(0.05)
    raise ServerError(f"not ready after {START_SECONDS:g} s: {_tail(log)}")


def _end(server: subprocess.Popen[bytes], number: int) -> None:
    if server.poll() is None:
        server.send_signal(number)
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
