"""Databases with all tables in place, for hospitals of real processes.

`manage.py migrate` runs once for each kind of database that a test run asks for; whoever wants one
more gets a copy, which takes a tenth of the time.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

ROOT = Path(__file__).resolve().parent.parent
SQLITE = "twinhealth.sqlite3"  # below DATA_DIR


def bare_environment() -> dict[str, str]:
    """This process's environment without what belongs to the test run."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("TEST_", "PYTEST", "DJANGO"))}


def address_beside(server_url: str, database: str) -> str:
    """Another database of the same server."""
    parts = urlsplit(server_url)
    query = f"?{parts.query}" if parts.query else ""
    # by hand: without a host `urlunsplit` would leave the slashes out
    return f"{parts.scheme}://{parts.netloc}/{database}{query}"


@contextlib.contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """A migrated database of its own on the test run's PostgreSQL; its address."""
    name = f"th_processes_{secrets.token_hex(4)}"
    _execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{_on_server(server_url)}"')
    try:
        yield address_beside(server_url, name)
    finally:
        _drop(server_url, name)


def fill_postgres(url: str) -> None:
    """All tables, for an empty database on another server than the test run's."""
    with tempfile.TemporaryDirectory(prefix="th-migrated-") as folder:
        _migrate({"TEST_DATABASE_URL": url, "DATA_DIR": folder})


def fill_sqlite(folder: Path) -> None:
    """All tables, for a hospital whose DATA_DIR has no database yet."""
    shutil.copyfile(_on_disk(), folder / SQLITE)


@lru_cache
def _on_server(server_url: str) -> str:
    name = f"th_migrated_{os.getpid()}_{secrets.token_hex(2)}"
    _execute(server_url, f'CREATE DATABASE "{name}"')
    atexit.register(_drop, server_url, name)
    fill_postgres(address_beside(server_url, name))
    return name


@lru_cache
def _on_disk() -> Path:
    folder = tempfile.mkdtemp(prefix="th-migrated-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate({"DATA_DIR": folder})
    # what stands in the log beside it goes into the one file that is copied
    with contextlib.closing(sqlite3.connect(Path(folder) / SQLITE)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(folder) / SQLITE


def _migrate(environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={
            **bare_environment(),
            "DJANGO_SETTINGS_MODULE": "twinhealth.settings.testing",
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _execute(server_url: str, statement: str) -> None:
    link: Any = psycopg2.connect(address_beside(server_url, "postgres"))
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            cursor.execute(statement)
    finally:
        link.close()


def _drop(server_url: str, name: str) -> None:
    with contextlib.suppress(psycopg2.OperationalError):  # the server may be gone before us
        _execute(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
