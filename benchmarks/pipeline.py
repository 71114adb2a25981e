"""Worker throughput against the engine alone, upload to findings, memory. Real processes.

    python -m benchmarks.pipeline [--films 60] [--uploads 30] [--long]

With DATABASE_URL and REDIS_URL set it measures PostgreSQL and Redis, else the embedded shape.
`--long` reads 500 films before it looks at the worker's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
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

ROUNDS = 5


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


def throughput(running: Stack, count: int, work: Path) -> dict[str, Any]:
    """Engine and worker in turn on the same films, `ROUNDS` times; the machine's speed drifts.

    Films are imported while the worker is held (SIGSTOP), so that it starts with a full queue.
    """
    for name in ("detect", "default", "beat", "web"):
        running.start(name)
    engine, worker, read = [], [], 0
    for number in range(ROUNDS):
        source = work / f"films-{number}"
        source.mkdir()
        for name, content in films(count // ROUNDS, seed=100 + number):
            (source / name).write_bytes(content)
        engine.append(statistics.mean(engine_seconds(running, source)))
        running.signal("detect", signal.SIGSTOP)
        running.manage("import_images", str(source))
        running.signal("detect", signal.SIGCONT)
        # asking starts a process that would compete with the worker: not before most is read
        time.sleep(engine[-1] * (count // ROUNDS))
        while set(run_states(running)) - {"done"}:
            time.sleep(5)
        times = finished(running)[read:]
        read += len(times)
        worker.append((times[-1] - times[0]).total_seconds() / (len(times) - 1))
    if read != count // ROUNDS * ROUNDS:
        raise RuntimeError(f"{read} of {count} films were read")
    return {
        "films": read,
        "rounds": ROUNDS,
        "engine_seconds_each": statistics.median(engine),
        "worker_seconds_each": statistics.median(worker),
        "worker_share_of_engine": statistics.median(
            e / w for e, w in zip(engine, worker, strict=True)
        ),
    }


def run_states(running: Stack) -> dict[str, int]:
    code = (
        "import json; from collections import Counter;"
        "from detection.models import DetectionRun as R;"
        "print(json.dumps(Counter(R.objects.values_list('state', flat=True))))"
    )
    return dict(json.loads(running.manage("shell", "-v0", "-c", code).splitlines()[-1]))


def finished(running: Stack) -> list[datetime]:
    """When each film was read, oldest first."""
    code = (
        "import json; from detection.models import DetectionRun as R;"
        "print(json.dumps([t.isoformat() for t in R.objects.filter(state='done')"
        ".order_by('finished_at').values_list('finished_at', flat=True)]))"
    )
    text = running.manage("shell", "-v0", "-c", code).splitlines()[-1]
    return [datetime.fromisoformat(moment) for moment in json.loads(text)]


def latency(running: Stack, count: int, engine: float) -> dict[str, float]:
    """One film after the other: from the first byte sent to the findings in the answer."""
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
