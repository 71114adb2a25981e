"""The drift detector on the Numenta Anomaly Benchmark, point by point.

    python -m benchmarks.nab --data DIR         (or NAB_DATA=DIR; else var/nab)

DIR holds `data/`, `labels/combined_windows.json` and `config/profiles.json` of the public
repository numenta/NAB (MIT), version 1.1; it isn't part of this one. Beside our detector the scorer
is tried on the Windowed Gaussian, whose published score is known. Prints JSON, `{}` without data.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from devices.anomaly import ALARM, Detector

from .nab_score import Labelled, Profile, at, sweep

Windows = list[tuple[int, int]]
Series = tuple[list[float], list[float], Windows]
FOLDER = Path(os.environ.get("NAB_DATA") or Path(__file__).resolve().parents[1] / "var" / "nab")
STRICTNESS = (1.25, 1.5)
CSV_DIGITS = 12  # the published scores went through files of so many


def read(folder: Path) -> dict[str, Series]:
    """Times in seconds, values, and windows as (first, last) index, by name."""
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())
    found = {}
    for name, windows in labels.items():
        with (folder / "data" / name).open(newline="") as file:
            rows = list(csv.reader(file))[1:]
        times = [_seconds(row[0]) for row in rows]
        at_time = np.array(times)
        inside = [
            np.flatnonzero((at_time >= _seconds(first)) & (at_time <= _seconds(last)))
            for first, last in windows
        ]
        indices = [(int(i[0]), int(i[-1])) for i in inside]
        found[name] = (times, [float(row[1]) for row in rows], indices)
    return found


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def profiles(folder: Path) -> list[Profile]:
    costs = json.loads((folder / "config" / "profiles.json").read_text())
    return [
        Profile(name, c["CostMatrix"]["tpWeight"], c["CostMatrix"]["fnWeight"],
                c["CostMatrix"]["fpWeight"])
        for name, c in costs.items()
    ]  # fmt: skip


def tuned_on(name: str) -> bool:
    """Whether the file belongs to the half on which parameters were chosen."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2 == 0


def ours(times: list[float], values: list[float], strictness: float = 1.0) -> list[float]:
    update = Detector(strictness).update
    return [update(when, value) for when, value in zip(times, values, strict=True)]


def windowed_gaussian(_: list[float], values: list[float]) -> list[float]:
    """Tail of a normal distribution over the last 6,400 points, moved on in steps of 100."""
    array, scores = np.array(values), [0.0]
    shift = float(array.mean())  # keeps the sums of squares small; the result is the same
    sums = np.concatenate([[0], np.cumsum(array - shift)])
    squares = np.concatenate([[0], np.cumsum((array - shift) ** 2)])
    for i in range(1, len(array)):
        first = max(0, (i - 6400) // 100 * 100)
        last = min(i, first + 6400)
        mean = (sums[last] - sums[first]) / (last - first)
        variance = (squares[last] - squares[first]) / (last - first) - mean**2
        deviation = math.sqrt(variance) if variance > 1e-18 else 1e-6
        score = 1 - 0.5 * math.erfc(abs(array[i] - shift - mean) / deviation / math.sqrt(2))
        scores.append(round(score, CSV_DIGITS))
    return scores


def score(
    series: dict[str, Series], detector: Callable[[list[float], list[float]], list[float]]
) -> tuple[dict[str, Labelled], float]:
    """Scores of each series, and points per second of processor time."""
    start = time.process_time()
    scored = {
        name: Labelled(np.array(detector(times, values)), windows)
        for name, (times, values, windows) in series.items()
    }
    points = sum(len(values) for _, values, _ in series.values())
    return scored, points / (time.process_time() - start)


def measure(folder: Path) -> dict[str, Any]:
    series, costs = read(folder), profiles(folder)
    known, _ = score(series, windowed_gaussian)
    scored, speed = score(series, ours)
    standard = costs[0]
    halves = {
        "tuned on": [s for name, s in scored.items() if tuned_on(name)],
        "other half": [s for name, s in scored.items() if not tuned_on(name)],
    }
    strict = {
        str(s): asdict(
            at(list(score(series, partial(ours, strictness=s))[0].values()), standard, ALARM)
        )
        for s in STRICTNESS
    }
    kinds: dict[str, list[Labelled]] = {}
    for name, labelled in scored.items():
        kinds.setdefault(name.split("/")[0], []).append(labelled)
    return {
        "series": len(series),
        "points": sum(len(values) for _, values, _ in series.values()),
        "points_per_second": round(speed),
        "windowed_gaussian": {p.name: asdict(sweep(list(known.values()), p)) for p in costs},
        "best_threshold": {p.name: asdict(sweep(list(scored.values()), p)) for p in costs},
        "own_threshold": {p.name: asdict(at(list(scored.values()), p, ALARM)) for p in costs},
        "halves": {name: asdict(at(half, standard, ALARM)) for name, half in halves.items()},
        "strictness": strict,
        "kinds": {name: asdict(at(kind, standard, ALARM)) for name, kind in kinds.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=FOLDER)
    folder = parser.parse_args().data
    complete = (folder / "labels" / "combined_windows.json").exists()
    print(json.dumps(measure(folder) if complete else {}, indent=1))


if __name__ == "__main__":
    main()
