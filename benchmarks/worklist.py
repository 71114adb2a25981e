"""The worklist, its queues, filters and orders, and its REST twin: queries and time in the server.

    DATABASE_URL=postgres:///NAME python -m benchmarks.worklist [--studies 10000] [--open 500]
        [--requests 40] [--page /label-next/] [--explain 50]

The database named must be one of its own: where it is empty, tables and films are made in it; films
that are there already are kept and used. `--explain` prints the plans of queries that took so many
milliseconds.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="twinhealth-bench-"))

REFRESH: Final = {"HX-Request": "true"}
# what is asked -> addresses, htmx or not; the first is the page as it opens
PAGES: Final[dict[str, tuple[str, ...]]] = {
    "plain": ("/worklist/",),
    "each queue": tuple(
        f"/worklist/?show={show}"
        for show in ("flagged", "unread", "gate", "overdue", "mine", "all", "help")
    ),
    "second look": ("/worklist/?show=second_look",),
    "signed today": ("/worklist/?show=signed",),
    "filtered": ("/worklist/?label=covid", "/worklist/?trust=reduced", "/worklist/?device=1"),
    "sorted": tuple(
        f"/worklist/?show=all&ordering={order}"
        for order in ("patient", "-score", "device", "waiting_since")
    ),
    "refresh by htmx": ("/worklist/table/", "/worklist/table/?show=all"),
    "REST": ("/api/v1/worklist/", "/api/v1/worklist/?show=all"),
}


def prepare(studies: int, waiting: int) -> None:
    """Tables, demo accounts, a detector and films, where the database is empty."""
    import django

    django.setup()
    from django.core.management import call_command

    from imaging.models import Image

    from . import worklist_rows

    os.environ["DEMO_PASSWORD"] = "bench-only-password"
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if Image.objects.exists():
        return
    call_command("create_demo_users", stdout=io.StringIO())
    call_command("register_detector", stdout=io.StringIO())
    worklist_rows.fill(studies, waiting)


def measure(ask: Callable[[str], Any], pages: tuple[str, ...], requests: int) -> dict[str, Any]:
    """`requests` to each address in turn, after one that warms up and whose queries are counted."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    queries = []
    for page in pages:
        ask(page)
        with CaptureQueriesContext(connection) as captured:
            ask(page)
        queries.append(len(captured))
    each, cpu = [], []
    for n in range(requests * len(pages)):
        page = pages[n % len(pages)]
        busy, start = _busy(), time.perf_counter()
        ask(page)
        each.append(1000 * (time.perf_counter() - start))
        cpu.append(1000 * (_busy() - busy))
    each.sort()
    cpu.sort()
    return {
        "requests": len(each),
        "queries": max(queries),
        "cpu_p50_ms": statistics.median(cpu),
        "cpu_p95_ms": _p95(cpu),
        "p50_ms": statistics.median(each),
        "p95_ms": _p95(each),
    }


def _p95(ordered: list[float]) -> float:
    return ordered[round(0.95 * (len(ordered) - 1))]


def _busy() -> float:
    """Seconds of processor that this process and its session's in PostgreSQL have used."""
    from django.db import connection

    connection.ensure_connection()
    server = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    spent = int(server.read_text().split()[0]) / 1e9 if server.exists() else 0.0
    return time.process_time() + spent


def explain(ask: Callable[[str], Any], pages: tuple[str, ...], least_ms: float) -> None:
    """Print the plan of each slow query, to stderr."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for page in pages:
        with CaptureQueriesContext(connection) as captured:
            ask(page)
        for query in captured.captured_queries:
            if 1000 * float(query["time"]) < least_ms or not query["sql"].startswith("SELECT"):
                continue
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + query["sql"])
                plan = "\n".join(row[0] for row in cursor.fetchall())
            print(f"\n{page}: {query['time']} s\n{query['sql']}\n{plan}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--open", type=int, default=500, help="films that wait")
    parser.add_argument("--requests", type=int, default=40, help="to each address")
    parser.add_argument("--page", help="this one alone")
    parser.add_argument("--explain", type=float, metavar="MS")
    options = parser.parse_args()
    prepare(options.studies, options.open)
    from django.db import connection
    from django.test import Client

    from accounts.models import User

    # the objects made above would weigh on the garbage collector, as in no web process
    gc.collect()
    gc.freeze()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="clinician"))

    def ask(page: str) -> Any:
        answer = client.get(page, headers=REFRESH if "/table/" in page else {})
        if answer.status_code != 200:
            raise RuntimeError(f"{page} answered {answer.status_code}")
        return answer

    result: dict[str, Any] = {
        "database": connection.vendor,
        "studies": options.studies,
        "open": options.open,
        "load": 0.0,
        "of": {},
    }
    pages = {options.page: (options.page,)} if options.page else PAGES
    for name, addresses in pages.items():
        result["of"][name] = measure(ask, addresses, options.requests)
        if options.explain:
            explain(ask, addresses, options.explain)
    result["load"] = os.getloadavg()[1]  # of the last five minutes
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
