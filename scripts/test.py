"""`make test`: environment and every check.

Style, types, layers, Django's own checks, the REST schema; then the tests, on PostgreSQL and Redis
as in production and once more in the embedded shape. Servers are its own, from installed programs.
What is missing on this machine is said loudly, and fails the run where `CI` is set.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from scripts import servers
from scripts.bootstrap import ROOT, SetupError, check_python, ensure

NOT_OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "DJANGO_SETTINGS_MODULE",
    "DATA_DIR",
    "MEDIA_ROOT",
    "STATIC_ROOT",
    "DEMO_PASSWORD",
)
# these start programs of their own; apart, so that the others' workers stay small beside them
HEAVY = "processes or browser"
# browser and model behave the same on either database and queue; processes don't, but for those
# that tests/order.py names
BOTH = "(processes or not (browser or model)) and not indifferent"
# a file's tests on one worker, in the order of tests/order.py
SHARED_OUT = ("--dist", "loadfile", "--no-loadscope-reorder")


@dataclass
class Report:
    """What ran, how long it took, and what is missing here."""

    steps: list[tuple[str, bool, float]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    tests: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)

    def step(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> int:
        """Run one command; give its exit status."""
        print(f"\n=== {name}", flush=True)
        started = time.monotonic()
        status = subprocess.run(list(command), cwd=ROOT, env=dict(env), check=False).returncode
        self.steps.append((name, status == 0, time.monotonic() - started))
        return status

    def count(self, junit: Path, name: str) -> None:
        """Add the figures of one pytest run."""
        if not junit.exists():
            self.tests["errors"] += 1
            return
        for suite in ET.parse(junit).getroot().iter("testsuite"):  # noqa: S314 - ours
            total, failures, errors, skipped = (
                int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")
            )
            self.tests["passed"] += total - failures - errors - skipped
            self.tests["failed"] += failures
            self.tests["errors"] += errors
            self.tests["skipped"] += skipped

    def close(self, *, ci: bool) -> int:
        """Print the summary; the exit status of the whole run."""
        print("\n=== summary")
        for name, good, seconds in self.steps:
            print(f"  {'ok    ' if good else 'FAILED'} {name} ({seconds:.1f} s)")
        for text in self.missing:
            print(f"  MISSING HERE: {text}")
        if self.missing:
            skipped = self.tests["skipped"]
            print(f"  {len(self.missing)} missing, {skipped} tests skipped; fails in CI")
        bad = not all(good for _, good, _ in self.steps) or bool(ci and self.missing)
        figures = ", ".join(
            f"{self.tests[key]} {key}" for key in ("passed", "failed", "errors", "skipped")
        )
        seconds = time.monotonic() - self.started
        print(f"\nmake test: {'FAILED' if bad else 'ok'}, {figures} in {seconds:.0f} s", flush=True)
        return 1 if bad else 0


def missing_programs() -> list[str]:
    """Programs that some tests need, each with the package that brings it."""
    wanted = {
        "Chromium (apt-get install chromium): browser tests": (
            "chromium",
            "chromium-browser",
            "google-chrome",
        ),
        "dcmtk (apt-get install dcmtk): tests against another DICOM toolkit": ("dcmdump",),
        "Mosquitto (apt-get install mosquitto): tests of the MQTT door": (
            "mosquitto",
            "/usr/sbin/mosquitto",
        ),
        "git (apt-get install git): tests of what is in the repository": ("git",),
    }
    return [text for text, names in wanted.items() if not any(shutil.which(n) for n in names)]


def reachable_postgres(database: str) -> str | None:
    """Address on a server that is there already and lets us make databases."""
    import psycopg2  # noqa: PLC0415 - in .venv, which this module makes

    for host in ("", "127.0.0.1"):
        try:
            connection = psycopg2.connect(dbname="postgres", host=host or None, connect_timeout=2)
        except psycopg2.OperationalError:
            continue
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
                )
                row = cursor.fetchone()
        finally:
            connection.close()
        if row and row[0]:
            return f"postgres://{host}/{database}"
    return None


def reachable_redis() -> str | None:
    """Address of a database, of a server that is there already, that holds nothing."""
    import redis  # noqa: PLC0415 - in .venv, which this module makes

    for number in range(15, 7, -1):
        url = f"redis://127.0.0.1:6379/{number}"
        client = redis.Redis.from_url(url, socket_connect_timeout=1)
        try:
            if client.dbsize() == 0:
                return url
        except redis.exceptions.RedisError:
            return None
        finally:
            client.close()
    return None


@contextmanager
def test_servers(report: Report) -> Iterator[dict[str, str]]:
    """Give TEST_DATABASE_URL and TEST_REDIS_URL: those that are set, our own, or reachable ones."""
    database = f"th_{os.getpid()}_{int(time.time()) % 100_000}"
    found: dict[str, str] = {}
    with ExitStack() as stack:
        for name, own, reachable, package in (
            (
                "TEST_DATABASE_URL",
                lambda: servers.postgres(database),
                lambda: reachable_postgres(database),
                "PostgreSQL (apt-get install postgresql)",
            ),
            (
                "TEST_REDIS_URL",
                servers.redis,
                reachable_redis,
                "Redis (apt-get install redis-server)",
            ),
        ):
            if os.environ.get(name):
                found[name] = os.environ[name]
                continue
            try:
                found[name] = stack.enter_context(own())
            except servers.ServerError as error:
                url = reachable()
                if url:
                    found[name] = url
                else:
                    report.missing.append(f"{package}: {error}")
        yield found


def pytest(
    report: Report, name: str, env: Mapping[str, str], folder: Path, options: Sequence[str]
) -> None:
    """Run pytest once and count."""
    junit = folder / f"{len(report.steps)}.xml"
    own = folder / f"data{len(report.steps)}"
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={junit}", *options]
    status = report.step(name, command, {**env, "DATA_DIR": str(own)})
    if status == 5:  # pytest: nothing was selected
        report.steps[-1] = (name, True, report.steps[-1][2])
        return
    report.count(junit, name)


def run_both(
    report: Report,
    label: str,
    env: Mapping[str, str],
    *,
    folder: Path,
    parallel: Sequence[str],
    which: str = "",
) -> None:
    """The tests that stay in their process, then those that start others; `which` chooses."""
    chosen = f"({which}) and " if which else ""
    for name, marks in (("tests", f"not ({HEAVY})"), ("tests with processes", f"({HEAVY})")):
        options = [*parallel, "-m", chosen + marks]
        pytest(report, f"{name} ({label})", env, folder, options)


def checks(report: Report, env: Mapping[str, str]) -> None:
    """Everything that needs no test."""
    python = sys.executable
    tools = str(Path(python).parent)
    manage = [python, "manage.py"]
    for name, command in (
        ("lock files", [python, "-m", "scripts.lock", "--check"]),
        ("ruff check", [python, "-m", "ruff", "check", "."]),
        ("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        ("mypy", [python, "-m", "mypy"]),
        ("layers", [f"{tools}/lint-imports"]),
        ("django check", [*manage, "check", "--fail-level", "WARNING"]),
        ("migrations", [*manage, "makemigrations", "--check", "--dry-run"]),
        (
            "REST schema",
            [*manage, "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull],
        ),
    ):
        report.step(name, command, env)


def run() -> int:
    """All of it, in the environment."""
    report = Report()
    report.missing += missing_programs()
    jobs = os.environ.get("TEST_JOBS") or str(min(4, os.cpu_count() or 1))
    parallel = ["-n", jobs, *SHARED_OUT] if int(jobs) > 1 else []
    env = {key: value for key, value in os.environ.items() if key not in NOT_OURS}
    with tempfile.TemporaryDirectory(prefix="twinhealth-test-") as name:
        folder = Path(name)
        checks(report, {**env, "DATA_DIR": str(folder / "checks")})
        embedded = {
            k: v for k, v in env.items() if k not in {"TEST_DATABASE_URL", "TEST_REDIS_URL"}
        }
        with test_servers(report) as found:
            served = {**env, **found}
            label = "PostgreSQL, Redis" if len(found) == 2 else "with what is here"
            run_both(report, label, served, folder=folder, parallel=parallel)
        run_both(report, "SQLite, files", embedded, folder=folder, parallel=parallel, which=BOTH)
    return report.close(ci=os.environ.get("CI", "").lower() in {"1", "true", "yes"})


def main() -> int:  # noqa: RET503 - execv doesn't come back
    """Make the environment, then go on inside it."""
    parser = argparse.ArgumentParser(description="every check of the house")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only-environment", action="store_true", help="install and end")
    arguments = parser.parse_args()
    if arguments.inside:
        return run()
    try:
        check_python()
        python = ensure(venv=ROOT / (os.environ.get("VENV") or ".venv"), dev=True)
    except SetupError as error:
        print(f"\nmake test: {error}", file=sys.stderr)
        return 1
    if arguments.only_environment:
        return 0
    sys.stdout.flush()
    os.execv(python, [str(python), "-m", "scripts.test", "--inside"])  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
