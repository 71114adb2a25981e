"""`make bench`: run the measurements one after the other and write docs/benchmarks.md.

    python -m benchmarks.run [--long] [--only pipeline,worklist]

What a run doesn't measure keeps its section from before. PostgreSQL and Redis are started from the
installed programs; without them only the embedded shape is measured.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from scripts.servers import ServerError, postgres
from scripts.servers import redis as redis_

from . import readings_rows, rereads_section, storage_sections
from . import worklist_simulation as simulation
from .detector_section import detector
from .drift import drift
from .fleet_section import fleet_truth, fleet_truth_tuning
from .load_rows import alert_latency, soak
from .sections import module, table, verdict
from .stack import ROOT
from .what_if_section import what_if

# of a worklist page; policy, reading group and double readings ask one each of them
QUERIES = 17
PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Measurements

Figures measured by `make bench` (minutes) and `make bench-long` (hours), which write this page. The
machine is a small shared one, so absolute times are noisy; ratios are taken inside one run and are
what the targets speak of. Nothing here is asserted by a test.
"""


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """A PostgreSQL and a Redis of one's own for the time of the block; `{}` where not installed."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with ExitStack() as stack:
        try:
            database, redis = stack.enter_context(postgres(name)), stack.enter_context(redis_())
        except ServerError as error:
            print(f"only the embedded shape is measured: {error}", flush=True)
            yield {}
            return
        parts = urlsplit(database)
        maintenance = urlunsplit(parts._replace(path="/postgres"))
        with closing(psycopg2.connect(maintenance)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{name}"')
        yield {"DATABASE_URL": database, "REDIS_URL": redis}


def pipeline(*, long: bool) -> str:
    args = ["--long"] if long else []
    results = [module("pipeline", *args)]
    with servers() as env:
        if env:
            results.append(module("pipeline", *args, env=env))
    rows = []
    for r in results:
        shape, t, lat, mem = r["shape"], r["throughput"], r["latency"], r["memory_mb"]
        web, worker = max(mem["web_each"]), max(mem["worker_each"])
        share, torch = t["worker_share_of_engine"], r["web_has_torch_mapped"]
        engine, each = t["engine_seconds_each"], t["worker_seconds_each"]
        rounds = f"{t['rounds']} rounds, {t['films']} films"
        throughput = f"worker's throughput as share of the engine's, {rounds}"
        latency = f"upload to findings, warm, p95 of {lat['uploads']}"
        rows += [
            (
                shape,
                f"{throughput} (engine {engine:.3f} s, worker {each:.3f} s a film)",
                f"{share:.0%}",
                ">= 90 %",
                verdict(share >= 0.9),
            ),
            (
                shape,
                f"{latency} (p50 {lat['p50_seconds']:.2f} s)",
                f"{lat['p95_seconds']:.2f} s = {lat['p95_over_engine']:.1f} x engine",
                f"< 2.5 x engine + 0.5 s = {lat['p95_limit']:.2f} s",
                verdict(lat["p95_seconds"] < lat["p95_limit"]),
            ),
            (
                shape,
                "largest web process, and whether it has torch mapped",
                f"{web} MiB, {'yes' if torch else 'no'}",
                "< 250 MB, no",
                verdict(web < 238 and not torch),
            ),
            (
                shape,
                f"largest worker process after {mem['worker_after_films']} films",
                f"{worker} MiB",
                "< 1.5 GB",
                verdict(worker < 1430),
            ),
        ]
    text = (
        "`python -m benchmarks.pipeline [--long]`: real processes on a folder of their own, demo "
        "pictures with a little noise each. The engine is `read_file` and `predict` in a loop in "
        "one process; both in turn on the same films, medians over the rounds. The embedded queue "
        "is a folder that a worker looks into every 10 ms: at 50 ms its share was 83 %, at 10 ms "
        "88 %; what is left goes to message handling and two durable SQLite commits a film, not "
        "told apart."
    )
    return table("From the door to the findings", text, rows)


def worklist(*, long: bool) -> str:
    return _worklist("Worklist", studies=10_000, target=150)


def worklist_million(*, long: bool) -> str:
    return _worklist("Worklist of a large archive", studies=1_000_000, target=200) if long else ""


def _worklist(title: str, *, studies: int, target: int) -> str:
    with servers() as env:
        if not env:
            return ""
        r = module("worklist", "--studies", str(studies), env=env)
    text = (
        f"`python -m benchmarks.worklist --studies {studies}`: {r['studies']:,} studies on "
        f"PostgreSQL of which {r['open']} wait, through Django's test client. *Alone* is the "
        "processor's time in this process and in the database's, p95: what the answer takes where "
        f"nothing else runs. Load of the machine while it was measured: {r['load']:.1f} on "
        f"{os.cpu_count()} cores."
    )
    rows: list[tuple[str, ...]] = []
    for name, found in r["of"].items():
        good = found["p95_ms"] < target and found["queries"] <= QUERIES
        rows.append(
            (
                name,
                f"p95 of {found['requests']} (p50 {found['p50_ms']:.0f} ms)",
                f"{found['p95_ms']:.0f} ms",
                f"{found['cpu_p95_ms']:.0f} ms",
                str(found["queries"]),
                f"< {target} ms, <= {QUERIES}",
                verdict(good),
            )
        )
    return table(
        title, text, rows, head=("of", "what", "measured", "alone", "queries", "target", "")
    )


def readings(*, long: bool) -> str:
    r = module("readings", "--readings", str(1_000_000 if long else 100_000))
    return table("Readings through both doors", readings_rows.TEXT, readings_rows.rows(r, verdict))


def replay(*, long: bool) -> str:
    with servers() as env:
        if not env:
            return ""
        r = module("replay", env=env)
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"{found['readings']:,} readings, median of {r['rounds']} (worst)",
            f"{found['p50']:.2f} s ({found['worst']:.2f} s)",
            f"{found['cpu_p50']:.2f} s",
            "< 2 s",
            verdict(found["p50"] < 2),
        )
        for name, found in r["kinds"].items()
    ]
    text = (
        "`python -m benchmarks.replay`: a year of one machine, one metric every five minutes, "
        "on PostgreSQL: from the table to alerts, sentence and chart, as the page has it. "
        f"*Own* is the processor's time of this process. Load meanwhile: {r['load']:.1f} on "
        f"{os.cpu_count()} cores."
    )
    head = ("kind", "what", "measured", "own", "target", "")
    return table("Replay of a rule over a year", text, rows, head=head)


def storage(*, long: bool) -> str:
    with servers() as env:
        if not env:
            return ""
        count = 50_000_000 if long else 10_000_000
        r = module("storage", "--readings", str(count), env=env)
    title = f"Machines with {r['readings'] / 1e6:.0f} million readings"
    text = storage_sections.TEXT.format(readings=count, load=r["load"])
    return table(title, text, storage_sections.rows(r, verdict), head=storage_sections.HEAD)


def two_readers(*, long: bool) -> str:
    with servers() as env:
        if not env:
            return ""
        r = module("two_readers", "--films", str(1000 if long else 200), env=env)
    share = ", ".join(f"{name} {count}" for name, count in r["signed"].items())
    wrong = "; ".join(r["wrong"])
    rows: list[tuple[str, ...]] = [
        (
            f"films lost, signed twice, or signed by another than was answered, of {r['films']}",
            wrong or "none",
            "none",
            verdict(not wrong),
        ),
        ("who signed how many", share, "both", verdict(min(r["signed"].values()) > 0)),
        ("a film that the other one had just taken", f"{r['late']} times", "", ""),
        (
            "next film, claim and signature, p50 / p95",
            f"{r['p50_ms']:.0f} / {r['p95_ms']:.0f} ms, {r['films_per_second']:.0f} films/s",
            "",
            "",
        ),
    ]
    text = (
        "`python -m benchmarks.two_readers`: two processes on PostgreSQL take the next film, claim "
        "it and sign, as fast as they can, until none is left. `tests/reading/test_two_readers.py` "
        "does it with 100 films."
    )
    return table("Two readers on one line", text, rows)


def worklist_simulation(*, long: bool) -> str:
    return simulation.section(module("worklist_simulation"))


def viewer(*, long: bool) -> str:
    r = module("viewer", "--films", "100" if long else "20")
    first, following, loop = r["first"], r["next"], r["loop"]
    early, late = loop["memory_mib"]

    def seconds(several: list[float]) -> str:
        return ", ".join(f"{s:.2f} s" for s in several)

    # the first film of all also starts the server's decoder and the browser's caches
    after = max(first[1:])
    rows: list[tuple[str, ...]] = [
        ("first picture, cold (the first starts everything)", seconds(first), "< 1 s",
         verdict(after < 1)),
        ("a film fetched ahead", seconds(following), "< 0.3 s", verdict(max(following) < 0.3)),
        *(
            (f"pictures a second while dragging: {name}", f"{rate:.0f}", ">= 15",
             verdict(rate >= 15))
            for name, rate in r["frames"].items()
        ),
        (
            f"sign and next over {loop['films']} films, p50 / p95 / worst",
            f"{loop['p50']:.2f} / {loop['p95']:.2f} / {loop['worst']:.2f} s",
            "p95 < 1 s",
            verdict(loop["p95"] < 1),
        ),
        ("the page's memory, early and late", f"{early:.0f}, {late:.0f} MiB", "+ 20 %",
         verdict(late < 1.2 * early)),
    ]  # fmt: skip
    text = (
        f"`python -m benchmarks.viewer`: films of {r['side']} x {r['side']} pixels and 16 bits, in "
        "the loop 2,000 px and 12 bits; headless Chromium in software at 1440 x 900, loopback."
    )
    return table("The reader's minutes", text, rows)


def start(*, long: bool) -> str:
    r = module("start", *(["--bare"] if long else []))
    rows: list[tuple[str, ...]] = []
    if "bare_seconds" in r:
        bare = r["bare_seconds"]
        what = "from a bare clone, downloads included"
        rows.append((what, f"{bare:.0f} s", "< 600 s", verdict(bare < 600)))
    again = r["again_seconds"]
    rows.append(("again", f"{again:.1f} s", "< 15 s", verdict(again < 15)))
    text = "`python -m benchmarks.start [--bare]`: `make run` until `/readyz` answers."
    return table("make run", text, rows)


def backlog(*, long: bool) -> str:
    with servers() as env:
        if not env:
            return ""
        r = module("backlog", env=env)
    rows: list[tuple[str, ...]] = []
    for name, what in (
        ("film_ms", f"one of {r['films']} films, without the network: median"),
        ("beat_ms", "one look of beat for lost messages"),
    ):
        first = r[name]["1"]
        each = ", ".join(f"{n} waiting {ms:.1f} ms" for n, ms in r[name].items())
        rows.append((what, each, "", f"{r[name]['1000'] / first:.2f} x from 1 to 1,000"))
    text = (
        "`python -m benchmarks.backlog`: claim, gate, trust and result of a film on PostgreSQL "
        "while 1 to 1,000 others wait, each length in turn. The network's own time doesn't depend "
        "on the queue and is left out."
    )
    return table("The queue as it grows", text, rows)


def rereads(*, long: bool) -> str:
    with servers() as env:
        return rereads_section.section(module("rereads", env=env)) if env else ""


SECTIONS: dict[str, Callable[..., str]] = {
    "pipeline": pipeline,
    "detector": detector,
    "backlog": backlog,
    "worklist": worklist,
    "worklist_million": worklist_million,
    "two_readers": two_readers,
    "worklist_simulation": worklist_simulation,
    "viewer": viewer,
    "readings": readings,
    "replay": replay,
    "storage": storage,
    "alert_latency": alert_latency,
    "soak": soak,
    "start": start,
    "drift": drift,
    "rereads": rereads,
    "fleet_truth_tuning": fleet_truth_tuning,
    "fleet_truth": fleet_truth,
    "what_if": what_if,
}


def written() -> dict[str, str]:
    """Sections that the page has, by key."""
    text = PAGE.read_text() if PAGE.exists() else ""
    return dict(re.findall(r"<!-- (\w+) -->\n(.*?)\n<!-- end -->", text, flags=re.DOTALL))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", default=",".join(SECTIONS))
    options = parser.parse_args()
    sections = written()
    for key in options.only.split(","):
        print(f"measuring: {key}", flush=True)
        if text := SECTIONS[key](long=options.long):
            when = datetime.now(UTC).date().isoformat()
            cores = os.cpu_count()
            note = f"Measured {when}, {cores} cores, Python {platform.python_version()}."
            sections[key] = f"## {text}\n\n{note}"
    body = [f"<!-- {key} -->\n{sections[key]}\n<!-- end -->" for key in sections]
    Path(PAGE).write_text(HEAD + "\n" + "\n\n".join(body) + "\n")
    print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
