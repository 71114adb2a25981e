"""What a film costs beside the network, however many wait: 1, 10, 100, 1,000 queued runs.

    DATABASE_URL=postgres:///NAME python -m benchmarks.backlog [--films 20] [--rounds 5]

The database named must be an empty one of its own. The network is left out, as its time doesn't
depend on the queue: what is timed is a worker's claim, gate, trust and result of a film, and one
look of beat for lost messages, with each length of the queue in turn. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
os.environ.setdefault("LOG_LEVEL", "CRITICAL")
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="twinhealth-bench-"))
LENGTHS = (1, 10, 100, 1000)


class Instant:
    """A detector that needs no time and sees one lung."""

    def predict(self, frame: Any, *, min_score: float | None = None) -> Any:
        from detection.detectors.prediction import Box, Prediction

        return Prediction([Box("covid", 0.9, 10, 20, 300, 500)], 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=20, help="read with each length of the queue")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    from .worklist import prepare

    prepare(max(LENGTHS) + options.films, waiting=max(LENGTHS) + options.films)
    from detection.services import engine, execute
    from imaging.pixels import read_file

    from .films import films

    with tempfile.TemporaryDirectory() as folder:
        name, data = next(films(1, seed=1))
        path = Path(folder) / name
        path.write_bytes(data)
        frame = read_file(path)
    seconds: dict[int, list[float]] = {length: [] for length in LENGTHS}
    looks: dict[int, list[float]] = {length: [] for length in LENGTHS}
    with (
        mock.patch.object(engine, "detector_for", return_value=Instant()),
        mock.patch.object(execute.pixels, "load", return_value=frame),
    ):
        for _ in range(options.rounds):
            for length in LENGTHS:
                film, look = _round(length, options.films)
                seconds[length] += film
                looks[length].append(look)
    print(
        json.dumps(
            {
                "films": options.films * options.rounds,
                "film_ms": {n: round(1000 * statistics.median(s), 2) for n, s in seconds.items()},
                "beat_ms": {n: round(1000 * statistics.median(s), 2) for n, s in looks.items()},
            },
            indent=1,
        )
    )


def _round(length: int, films: int) -> tuple[list[float], float]:
    """Seconds of each film read while `length` others wait, and of one look for lost ones."""
    from django.utils import timezone

    from detection.models import DetectionRun
    from detection.services.execute import execute_run
    from detection.services.requeue import requeue_lost_runs

    now = timezone.now()
    every = list(DetectionRun.objects.order_by("pk").values_list("pk", flat=True))
    DetectionRun.objects.update(
        state="done", finished_at=now, lease_token="", lease_until=None, gate_code="", gate_at=None
    )
    DetectionRun.objects.filter(pk__in=every[: length + films]).update(
        state="queued",
        finished_at=None,
        started_at=None,
        attempts=0,
        sent_at=now - timedelta(seconds=1),
    )
    each = []
    for pk in every[:films]:
        start = time.perf_counter()
        done = execute_run(run_id=pk)
        each.append(time.perf_counter() - start)
        if not done:
            raise RuntimeError(f"run {pk} was not read")
    start = time.perf_counter()
    requeue_lost_runs()
    return each, time.perf_counter() - start


if __name__ == "__main__":
    main()
