"""Two readers in two processes take the same line to its end: no film lost, none signed twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.migrated import fresh_database
from tests.processes import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
FILMS = 100  # `make bench` takes 1,000


def test_no_film_is_signed_twice_and_none_is_lost(tmp_path: Path) -> None:
    server = os.environ.get("TEST_DATABASE_URL")
    if not server:
        pytest.skip("SQLite has one writer at a time; this asks PostgreSQL")
    with fresh_database(server) as address:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.two_readers", "--films", str(FILMS)],
            cwd=ROOT,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "twinhealth.settings.embedded",
                "DATABASE_URL": address,
                "DATA_DIR": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert result["wrong"] == []
    assert sum(result["signed"].values()) == FILMS
    assert min(result["signed"].values()) > 0, result  # both get work
