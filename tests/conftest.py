"""Shared by all tests: the seed is printed, and every random source starts from it."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest

SEED = int(os.environ.get("TEST_SEED", random.SystemRandom().randrange(2**31)))


def pytest_report_header(config: pytest.Config) -> str:
    """Print the seed and which database and queue the run uses."""
    database = os.environ.get("TEST_DATABASE_URL") or "SQLite"
    queue = os.environ.get("TEST_REDIS_URL") or "file system"
    return f"seed: TEST_SEED={SEED}; database: {database}; queue: {queue}"


@pytest.fixture(autouse=True)
def _seeded() -> None:
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 - libraries under test use the legacy source
