"""What a running hospital needs: database, queue, storage, weights. Asked by /readyz and at start.

Each probe gives None, or one sentence on what is wrong; never a password, never patient text.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
_PING_SECONDS = 2.0
# (size, mtime in ns) -> sha256: 33 MB are hashed once per change, not once per question
_hashes: dict[Path, tuple[tuple[int, int], str]] = {}
_migrated: set[str] = set()


def database() -> str | None:
    """The database answers, and its tables are those of this program."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        alias = f"{connection.settings_dict['HOST']}/{connection.settings_dict['NAME']}"
        if alias not in _migrated:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return "migrations are missing; run `manage.py migrate`"
            _migrated.add(alias)
    except DatabaseError as error:
        log.warning("database_unreachable", error=str(error))
        return f"the database does not answer ({type(error).__name__})"
    return None


def queue() -> str | None:
    """A message could be sent now."""
    url: str = settings.CELERY_BROKER_URL
    if url.startswith("filesystem"):
        return _writable(Path(str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])))
    client = Redis.from_url(url, socket_connect_timeout=_PING_SECONDS, socket_timeout=_PING_SECONDS)
    try:
        client.ping()
    except RedisError as error:
        log.warning("queue_unreachable", error=str(error))
        return f"the queue does not answer ({type(error).__name__})"
    finally:
        client.close()
    return None


def storage() -> str | None:
    """Films could be written now, and there is room for some more."""
    for folder in (settings.MEDIA_ROOT, settings.PIXEL_CACHE_ROOT, settings.FILE_UPLOAD_TEMP_DIR):
        problem = _writable(Path(str(folder)))
        if problem:
            return problem
    free = shutil.disk_usage(settings.MEDIA_ROOT).free
    if free < settings.MIN_FREE_BYTES:
        return (
            f"only {free // 1024**2} MiB are free where films are stored, "
            f"{settings.MIN_FREE_BYTES // 1024**2} are wanted (MIN_FREE_BYTES)"
        )
    return None


def weights() -> str | None:
    """The detector's weights are there, and they are the bytes that their manifest names."""
    path = Path(settings.DETECTOR_WEIGHTS)
    manifest = path.with_suffix(".json")
    try:
        wanted = str(json.loads(manifest.read_text())["sha256"])
    except OSError:
        return f"{manifest.name}, which names the weights' sha256, is not beside {path.name}"
    except (ValueError, KeyError, TypeError):
        return f"{manifest.name} is damaged: it names no sha256"
    try:
        found = sha256_of(path)
    except OSError as error:
        return f"the weights file {path.name} can't be read ({error.strerror})"
    if found != wanted:
        return (
            f"the weights file {path.name} is damaged: its sha256 is {found[:12]}…, "
            f"{manifest.name} wants {wanted[:12]}…; put the right file back"
        )
    return None


PROBES: dict[str, Callable[[], str | None]] = {
    "database": database,
    "queue": queue,
    "storage": storage,
    "weights": weights,
}


def run_all() -> dict[str, dict[str, Any]]:
    """Every probe's answer: name -> {"ok", "why"}."""
    answers = {}
    for name, probe in PROBES.items():
        why = probe()
        answers[name] = {"ok": why is None, "why": why or ""}
    return answers


def sha256_of(path: Path) -> str:
    """Hash of a file, kept until its size or time changes.

    Raises:
        OSError: it can't be read.
    """
    status = path.stat()
    mark = (status.st_size, status.st_mtime_ns)
    known = _hashes.get(path)
    if known is None or known[0] != mark:
        with path.open("rb") as file:
            known = (mark, hashlib.file_digest(file, "sha256").hexdigest())
        _hashes[path] = known
    return known[1]


def _writable(folder: Path) -> str | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as file:
            file.write(b"probe")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"{folder} can't be written ({error.strerror})"
    return None
