"""Shared by all tests: the seed is printed, and every random source starts from it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseOperations
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from tests import order

# how long an example takes says something of the machine that runs the tests, not of the code
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
SEED = int(os.environ.get("TEST_SEED", random.SystemRandom().randrange(2**31)))


def pytest_report_header(config: pytest.Config) -> str:
    """Print the seed and which database and queue the run uses."""
    database = os.environ.get("TEST_DATABASE_URL") or "SQLite"
    queue = os.environ.get("TEST_REDIS_URL") or "file system"
    return f"seed: TEST_SEED={SEED}; database: {database}; queue: {queue}"


def _named(item: pytest.Item) -> tuple[Path, str]:
    return item.path, getattr(item, "originalname", item.name)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what `tests/order.py` names."""
    if order.is_indifferent(*_named(item)):
        item.add_marker(pytest.mark.indifferent)


class ByOrder(LoadFileScheduling):
    """A file's tests on one worker, but for those of files that `tests/order.py` splits."""

    def _split_scope(self, nodeid: str) -> str:
        return order.group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByOrder | None:
    """Take the place of `--dist loadfile`."""
    return ByOrder(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several workers the long tests go first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: order.rank(*_named(item)))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 - libraries under test use the legacy source


@pytest.fixture(autouse=True, scope="session")
def _flush_append_only_tables() -> Iterator[None]:
    """Let tests with real commits empty the tables afterwards.

    PostgreSQL truncates, which the append-only triggers don't mind; SQLite deletes, which they
    refuse, so there the triggers step aside for the flush.
    """
    original = DatabaseOperations.sql_flush

    def sql_flush(self: DatabaseOperations, *args: Any, **kwargs: Any) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
        drop = [f"DROP TRIGGER {name}" for name, _ in triggers]
        return [*drop, *original(self, *args, **kwargs), *(create for _, create in triggers)]

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign]
    yield
    DatabaseOperations.sql_flush = original  # type: ignore[method-assign]
