"""The score of the Numenta Anomaly Benchmark, written from its paper.

Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms - the Numenta Anomaly
Benchmark", 2015 (arXiv:1510.03336), section III. Pure; numpy alone.

An alarm is a point whose score reaches the threshold. The first alarm in a window earns up to 1,
more the earlier it comes; a window without one costs `fn`; each alarm elsewhere costs up to `fp`,
less right behind a window. The first 15 % of a series (at most 750 points) are not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PROBATION, LONGEST = 0.15, 5000


@dataclass(frozen=True)
class Profile:
    """What a hit earns, what a missed window and a false alarm cost."""

    name: str
    tp: float
    fn: float
    fp: float


@dataclass(frozen=True)
class Labelled:
    """Scores of one series, point by point, and its windows as (first, last) index, both inside."""

    scores: Floats
    windows: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Result:
    """`score` is normalised: 0 is the detector that never speaks, 100 the perfect one."""

    score: float
    threshold: float
    found: int
    windows: int
    false: int


def sigmoid(position: float) -> float:
    """The scoring function: near 1 at -1 (a window's start), 0 at 0 (its end), -1 far behind."""
    return -1.0 if position > 3 else 2 / (1 + float(np.exp(5 * position))) - 1


def probation(length: int) -> int:
    """How many points at the start are not scored."""
    return int(PROBATION * min(length, LONGEST))


def worth(length: int, windows: Sequence[tuple[int, int]]) -> tuple[Floats, NDArray[np.int64]]:
    """What an alarm at each point is worth before weights, and its window's index (-1: outside)."""
    values, owner = np.full(length, -1.0), np.full(length, -1)
    for number, (first, last) in enumerate(windows):
        width = last - first + 1
        for i in range(first, last + 1):
            values[i] = sigmoid(-(last - i + 1) / width) / sigmoid(-1)
            owner[i] = number
        end = windows[number + 1][0] if number + 1 < len(windows) else length
        for i in range(last + 1, end):
            values[i] = sigmoid((i - last) / max(width - 1, 1))
    return values, owner


def _steps(series: Labelled, profile: Profile) -> tuple[Floats, Floats, NDArray[np.int64], int]:
    """Scores, what each point adds once the threshold falls to it, kind of point, windows in all.

    Kind: 1 where a window is found by this point, -1 a false alarm, 0 else.
    """
    length = len(series.scores)
    values, owner = worth(length, series.windows)
    scored = np.arange(length) >= probation(length)
    gain = np.where(owner < 0, values * profile.fp, 0.0)
    kind = np.where(owner < 0, -1, 0)
    counted = 0
    for number in range(len(series.windows)):
        inside = np.flatnonzero((owner == number) & scored)
        if not len(inside):
            continue
        counted += 1
        order = inside[np.argsort(-series.scores[inside], kind="stable")]
        best = np.maximum.accumulate(values[order]) * profile.tp
        gain[order] = np.diff(best, prepend=-profile.fn)
        kind[order[0]] = 1
    return series.scores[scored], gain[scored], kind[scored], counted


def sweep(many: Sequence[Labelled], profile: Profile) -> Result:
    """The best normalised score that one threshold for all series reaches."""
    parts = [_steps(series, profile) for series in many]
    scores, gain = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
    kind, windows = np.concatenate([p[2] for p in parts]), sum(p[3] for p in parts)
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    # equal scores cross the threshold together
    last = np.append(scores[1:] != scores[:-1], [True]) if len(scores) else np.zeros(0, bool)
    totals = np.where(last, np.cumsum(gain[order]), -np.inf)
    best = int(np.argmax(totals))
    if totals[best] <= 0:
        return Result(0.0, float("inf"), 0, windows, 0)
    kind = kind[order][: best + 1]
    return Result(
        score=100 * float(totals[best]) / (windows * (profile.tp + profile.fn)),
        threshold=float(scores[best]),
        found=int(np.sum(kind == 1)),
        windows=windows,
        false=int(np.sum(kind == -1)),
    )


def at(many: Sequence[Labelled], profile: Profile, threshold: float) -> Result:
    """The normalised score at a given threshold."""
    parts = [_steps(series, profile) for series in many]
    total, found, false, windows = 0.0, 0, 0, 0
    for scores, gain, kind, counted in parts:
        alarm = scores >= threshold
        total += float(np.sum(gain[alarm]))
        found += int(np.sum(kind[alarm] == 1))
        false += int(np.sum(kind[alarm] == -1))
        windows += counted
    whole = windows * (profile.tp + profile.fn)
    return Result(100 * total / whole if whole else 0.0, threshold, found, windows, false)
