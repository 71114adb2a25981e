"""Worker throughput against the engine alone, upload to findings, memory. Real processes.

    python -m benchmarks.pipeline [--films 60] [--uploads 30] [--long]

With DATABASE_URL and REDIS_URL set it measures PostgreSQL and Redis, else the embedded shape.
`--long` reads 500 films before it looks at the worker's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from .films import films
from .stack import ROOT, Stack, stack


def engine_seconds(running: Stack, folder: Path) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.engine_loop", str(folder)],
        cwd=ROOT,
        env=running.env,
        check=True,
        stdout=subprocess.PIPE,
    )
    return list(json.loads(done.stdout))


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def wait_done(running: Stack, token: str, image: int, limit: float = 120) -> dict[str, Any]:
    """Poll as the page does until the film's run ended."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        _, answer = running.call(f"images/{image}/", token=token)
        if answer["runs"] and answer["runs"][0]["state"] not in ("queued", "running"):
            return dict(answer)
        time.sleep(0.02)
    raise TimeoutError(f"image {image} was not read within {limit} s")


def throughput(running: Stack, count: int, work: Path) -> dict[str, float]:
    """Import `count` films with no worker running, then let one worker read them all."""
    source = work / "films"
    source.mkdir()
    for name, content in films(count, seed=1):
        (source / name).write_bytes(content)
    before = engine_seconds(running, source)
    running.manage("import_images", str(source))
    running.start("detect")
    running.start("beat")
    running.start("default")
    running.start("web")
    token = running.sign_in()
    # asking starts a process that would compete with the worker: not before most is read
    time.sleep(0.9 * count * statistics.mean(before))
    while True:
        _, answer = running.call("images/?page_size=1&ordering=id", token=token)
        if answer["count"] != count:
            raise RuntimeError(f"{answer['count']} of {count} films were stored")
        states = run_states(running)
        if not states.get("queued") and not states.get("running"):
            break
        time.sleep(5)
    times = sorted(finished(running))
    worker = (times[-1] - times[0]).total_seconds() / (len(times) - 1)
    for name in ("web", "default", "beat"):
        os.killpg(running.processes[name].pid, 15)
        running.processes.pop(name).wait(20)
    after = engine_seconds(running, source)
    engine = statistics.mean(before + after)
    return {
        "films": count,
        "engine_seconds_each": engine,
        "worker_seconds_each": worker,
        "worker_share_of_engine": engine / worker,
    }


def run_states(running: Stack) -> dict[str, int]:
    code = (
        "import json; from collections import Counter;"
        "from detection.models import DetectionRun as R;"
        "print(json.dumps(Counter(R.objects.values_list('state', flat=True))))"
    )
    return dict(json.loads(running.manage("shell", "-v0", "-c", code).splitlines()[-1]))


def finished(running: Stack) -> list[datetime]:
    code = (
        "import json; from detection.models import DetectionRun as R;"
        "print(json.dumps([t.isoformat() for t in R.objects.filter(state='done')"
        ".values_list('finished_at', flat=True)]))"
    )
    text = running.manage("shell", "-v0", "-c", code).splitlines()[-1]
    return [datetime.fromisoformat(moment) for moment in json.loads(text)]


def latency(running: Stack, count: int, engine: float) -> dict[str, float]:
    """One film after the other: from the first byte sent to the findings in the answer."""
    for name in ("web", "default", "beat"):
        running.start(name)
    token = running.sign_in()
    each = []
    for name, content in films(count + 1, seed=2):
        start = time.perf_counter()
        status, answer = running.upload(token, name, content)
        if status != 201:
            raise RuntimeError(f"{status}: {answer}")
        state = wait_done(running, token, answer["id"])["runs"][0]["state"]
        if state != "done":
            raise RuntimeError(f"run ended as {state}")
        each.append(time.perf_counter() - start)
    each = each[1:]  # the first one warms the way
    p95 = percentile(each, 0.95)
    return {
        "uploads": count,
        "p50_seconds": percentile(each, 0.5),
        "p95_seconds": p95,
        "p95_limit": 2.5 * engine + 0.5,
        "p95_over_engine": p95 / engine,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=60)
    parser.add_argument("--uploads", type=int, default=30)
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    count = 500 if options.long else options.films
    with (
        tempfile.TemporaryDirectory(prefix="twinhealth-bench-") as work,
        stack(Path(work) / "data") as running,
    ):
        result: dict[str, Any] = {
            "shape": "PostgreSQL + Redis" if os.environ.get("DATABASE_URL") else "embedded",
            "throughput": throughput(running, count, Path(work)),
        }
        engine = result["throughput"]["engine_seconds_each"]
        result["latency"] = latency(running, options.uploads, engine)
        result["memory_mb"] = {
            "web_each": [round(size) for size in running.rss_mb("web")],
            "worker_each": [round(size) for size in running.rss_mb("detect")],
            "worker_after_films": count + options.uploads + 1,
        }
        result["web_has_torch_mapped"] = running.maps_torch("web")
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
