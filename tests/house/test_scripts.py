"""`make test`'s own parts: servers of its own, what is missing, and how it counts."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis

from scripts import servers
from scripts import test as make_test
from scripts.servers import ServerError
from tests import order

ROOT = Path(__file__).resolve().parents[2]
needs_postgres = pytest.mark.skipif(
    servers.postgres_programs() is None, reason="PostgreSQL's programs are not installed"
)
JUNIT = (
    '<testsuites><testsuite name="pytest" tests="10" failures="2" errors="1" skipped="3"/>'
    "</testsuites>"
)


@needs_postgres
@pytest.mark.processes
def test_a_postgres_of_our_own_comes_and_goes() -> None:
    with servers.postgres("some_name") as url:
        match = re.fullmatch(r"postgres://test@/some_name\?host=(/tmp/th-\w+)", url)
        assert match
        folder = Path(match[1])
        with closing(
            psycopg2.connect(
                url.replace("/some_name", "/postgres").replace("postgres:", "postgresql:")
            )
        ) as connection:
            cursor = connection.cursor()
            cursor.execute("SHOW fsync")
            assert cursor.fetchone() == ("off",)
            cursor.execute("SHOW listen_addresses")
            assert cursor.fetchone() == ("",)  # reached by its socket alone
    assert not folder.exists()


@needs_postgres
@pytest.mark.processes
def test_it_goes_when_the_tests_fail() -> None:
    run = servers.postgres("x")
    folder = Path(run.__enter__().partition("host=")[2])
    assert folder.exists()
    error = RuntimeError("a test failed")
    assert not run.__exit__(RuntimeError, error, None)  # and is not swallowed
    assert not folder.exists()


@pytest.mark.processes
@pytest.mark.skipif(not servers.shutil.which("redis-server"), reason="redis-server isn't installed")
def test_a_redis_of_our_own_comes_and_goes() -> None:
    with servers.redis() as url:
        client = redis.Redis.from_url(url)
        assert client.ping()
        assert client.dbsize() == 0
        client.close()
    port = int(url.split(":")[2].split("/")[0])
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port), 1):
        pass


def test_programs_that_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "POSTGRES_HOMES", ())
    monkeypatch.setattr(servers.shutil, "which", lambda name: None)
    with pytest.raises(ServerError, match="PostgreSQL"), servers.postgres("x"):
        pass
    with pytest.raises(ServerError, match="redis-server"), servers.redis():
        pass


def test_the_newest_postgres_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("9.6", "14", "16", "notes"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    monkeypatch.setattr(servers, "POSTGRES_HOMES", (str(tmp_path),))
    monkeypatch.setattr(servers.shutil, "which", lambda name: None)
    assert servers.postgres_programs() == tmp_path / "16" / "bin"


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("no space left on device")
    with subprocess.Popen(["false"]) as process:
        process.wait()
        with pytest.raises(ServerError, match="no space left"):
            servers._wait_until(lambda: False, process, log)


# --- which servers the tests use


@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise ServerError("not installed")

    monkeypatch.setattr(servers, "postgres", away)
    monkeypatch.setattr(servers, "redis", away)
    monkeypatch.setattr(make_test, "reachable_postgres", lambda name: None)
    monkeypatch.setattr(make_test, "reachable_redis", lambda: None)
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_REDIS_URL", raising=False)


def test_what_is_named_is_used(nothing_here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://a/b")
    monkeypatch.setenv("TEST_REDIS_URL", "redis://c/1")
    report = make_test.Report()
    with make_test.test_servers(report) as found:
        assert found == {"TEST_DATABASE_URL": "postgres://a/b", "TEST_REDIS_URL": "redis://c/1"}
    assert report.missing == []


def test_a_server_that_is_there_is_the_second_choice(
    nothing_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_test, "reachable_postgres", lambda name: f"postgres:///{name}")
    monkeypatch.setattr(make_test, "reachable_redis", lambda: "redis://r/15")
    report = make_test.Report()
    with make_test.test_servers(report) as found, make_test.test_servers(report) as other:
        assert re.fullmatch(rf"postgres:///th_{os.getpid()}_\d+", found["TEST_DATABASE_URL"])
        assert other["TEST_REDIS_URL"] == "redis://r/15"
    assert report.missing == []


def test_what_is_missing_is_named_with_its_package(nothing_here: None) -> None:
    report = make_test.Report()
    with make_test.test_servers(report) as found:
        assert found == {}
    assert [text.split(":")[0] for text in report.missing] == [
        "PostgreSQL (apt-get install postgresql)",
        "Redis (apt-get install redis-server)",
    ]


def test_missing_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_test.shutil, "which", lambda name: None)
    assert [t.split(" ")[0] for t in make_test.missing_programs()] == [
        "Chromium",
        "dcmtk",
        "Mosquitto",
        "git",
    ]
    monkeypatch.setattr(make_test.shutil, "which", lambda name: name)
    assert make_test.missing_programs() == []


# --- the count at the end


def test_the_closing_line_counts_all_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "1.xml").write_text(JUNIT)
    report = make_test.Report()
    report.count(tmp_path / "1.xml", "one")
    report.count(tmp_path / "1.xml", "again")
    report.steps.append(("tests", False, 1.0))
    assert report.close(ci=False) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("make test: FAILED, 8 passed, 4 failed, 2 errors, 6 skipped in ")


def test_a_run_that_left_no_count_is_an_error(tmp_path: Path) -> None:
    report = make_test.Report()
    report.count(tmp_path / "none.xml", "crashed")
    assert report.tests["errors"] == 1


@pytest.mark.parametrize(("ci", "status"), [(False, 0), (True, 1)])
def test_missing_programs_fail_in_ci_only(
    ci: bool, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    report = make_test.Report(missing=["Chromium (apt-get install chromium): browser tests"])
    report.steps.append(("ruff", True, 1.0))
    assert report.close(ci=ci) == status
    assert "MISSING HERE: Chromium" in capsys.readouterr().out


def test_steps_keep_going_and_are_remembered() -> None:
    report = make_test.Report()
    assert report.step("bad", ["false"], dict(os.environ)) == 1
    assert report.step("good", ["true"], dict(os.environ)) == 0
    assert [(name, good) for name, good, _ in report.steps] == [("bad", False), ("good", True)]


# --- how the tests are shared out


def test_what_is_named_for_one_database_is_there() -> None:
    assert order.stale([*order.INDIFFERENT, *order.FIRST, *order.SPLIT]) == []
    assert order.stale(["house", "house/test_gone.py", "house/test_scripts.py::test_gone"]) == [
        "house/test_gone.py",
        "house/test_scripts.py::test_gone",
    ]
    assert all(order.INDIFFERENT.values()), "a reason each"


def test_a_new_file_runs_on_both_databases_on_one_worker() -> None:
    new = order.ROOT / "devices" / "test_new.py"
    assert not order.is_indifferent(new, "test_it")
    assert order.group("tests/devices/test_new.py::test_it[1]") == "tests/devices/test_new.py"
    assert order.rank(new, "test_it") == len(order.FIRST)


def test_a_folder_a_file_and_one_test_can_be_named() -> None:
    house = order.ROOT / "house"
    assert order.is_indifferent(order.ROOT / "detectors" / "test_new.py", "test_it")
    assert order.is_indifferent(house / "test_ucum.py", "test_it")
    fuzz = house / "test_schema_fuzz.py"
    assert order.is_indifferent(fuzz, "test_generated_requests")
    assert not order.is_indifferent(fuzz, "test_strange_values_in_every_place")


def test_the_longest_go_first_and_each_where_there_is_room() -> None:
    pages = order.ROOT / "browser" / "test_every_page.py"
    name = "tests/browser/test_every_page.py::test_every_page[admin]"
    assert order.group(name) == name
    assert order.rank(pages, "test_every_page") == 0


# --- the two commands themselves


def test_make_and_ci_are_in_order() -> None:
    for name in ("run", "test", "bench", "lock"):
        done = subprocess.run(
            ["make", "--dry-run", name], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    assert "set -euo pipefail" in script.read_text()


def test_an_old_python_gets_a_sentence(tmp_path: Path) -> None:
    """The first lines run are readable by it; here its version alone is made old."""
    code = "import sys; sys.version_info = (3, 10, 4, 'final', 0); import runpy; "
    code += "sys.argv = ['run']; runpy.run_module('scripts.run', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path / "d")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "needs Python 3.11 to 3.13" in done.stderr
    assert "Traceback" not in done.stderr
