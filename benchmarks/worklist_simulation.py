"""A simulated reading room: first in, first out, against sorting by the detector, against our rule.

    python -m benchmarks.worklist_simulation [--seeds 10] [--days 28]

Films come by a Poisson process with a day's rhythm, readers take the first film of the line and
never idle while one waits. The order of "our rule" is `detection.priority` itself. What the
detector says is drawn with the sensitivity and specificity for covid of the model card; no film is
urgent by request. Each seed gives all rules the same films. Arithmetic only: no database.
"""

from __future__ import annotations

import argparse
import heapq
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from detection import priority

# films an hour from 0 to 23 h; about 280 a day
RHYTHM = (3, 3, 2, 2, 2, 3, 6, 12, 22, 26, 26, 24, 20, 20, 22, 20, 16, 12, 9, 8, 7, 6, 5, 4)
ROOMS = {"usual": 1.0, "crowded": 1.25}  # the rhythm times this
DAY, NIGHT = 3, 1  # readers, from 8 to 18 h and else
READING = (6.0, 0.5)  # minutes: median and sigma of a lognormal
PREVALENCE = 0.10
SENSITIVITY, SPECIFICITY = 0.829, 0.90  # covid, light-film on test (docs/model-card.md)
START = datetime(2026, 1, 1, tzinfo=UTC)
RULES = (
    "first in, first out",
    "detector first, no ceiling",
    "our rule, ceiling 1 h",
    "our rule, ceiling 4 h",
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One film: minutes since the start, minutes of reading, truth, score where flagged."""

    at: float
    reading: float
    ill: bool
    score: float | None


def films(seed: int, days: int, load: float) -> list[Arrival]:
    """What comes in `days` days."""
    rng = np.random.default_rng(seed)
    times = np.sort(
        np.concatenate(
            [
                60 * (24 * day + hour) + rng.uniform(0, 60, rng.poisson(load * rate))
                for day in range(days)
                for hour, rate in enumerate(RHYTHM)
            ]
        )
    )
    ill = rng.random(times.size) < PREVALENCE
    flagged = rng.random(times.size) < np.where(ill, SENSITIVITY, 1 - SPECIFICITY)
    scores = rng.uniform(0.5, 1.0, times.size)
    minutes = READING[0] * np.exp(READING[1] * rng.standard_normal(times.size))
    return [
        Arrival(float(t), float(m), bool(i), float(s) if f else None)
        for t, m, i, f, s in zip(times, minutes, ill, flagged, scores, strict=True)
    ]


@dataclass(slots=True)
class Stored:
    """What the worklist keeps of a film; nobody asks for one here."""

    rank: float
    head_start: float
    waiting_since: datetime
    urgency: str = ""


class Line:
    """The films that wait under one rule."""

    def __init__(self, coming: list[Arrival], rule: str) -> None:
        self.coming, self.rule = coming, rule
        self.ceiling = timedelta(hours=float(rule.split()[-2]) if rule.startswith("our") else 1.0)
        self.by_time: list[tuple[float, int]] = []
        self.by_rank: list[tuple[float, int]] = []
        self.gone: set[int] = set()
        self.known: dict[int, Stored] = {}

    def add(self, n: int) -> None:
        """Film `n` has come."""
        one = self.coming[n]
        since = START + timedelta(minutes=one.at)
        film = priority.Film("done", "covid" if one.score else "", one.score, "full", since)
        self.known[n] = Stored(priority.rank(film), priority.head_start(film), since)
        heapq.heappush(self.by_time, (one.at, n))
        # at the start nobody has waited, and below the ceiling all gain at the same pace
        ours = priority.urgency(self.known[n], START, self.ceiling)
        first = -ours if self.rule.startswith("our") else -(one.score or 0.0)
        heapq.heappush(self.by_rank, (first, n))

    def take(self, minutes: float) -> int | None:
        """The film to read now; `None` where none waits."""
        for heap in (self.by_time, self.by_rank):
            while heap and heap[0][1] in self.gone:
                heapq.heappop(heap)
        if not self.by_time:
            return None
        oldest, highest = self.by_time[0][1], self.by_rank[0][1]
        chosen = oldest if self.rule == RULES[0] else highest
        if self.rule.startswith("our"):
            # below the ceiling the rank decides, past it the time: the first is one of these two
            now = START + timedelta(minutes=minutes)
            chosen = max(
                (highest, oldest),
                key=lambda n: priority.urgency(self.known[n], now, self.ceiling),
            )
        self.gone.add(chosen)
        return chosen


def turnarounds(coming: list[Arrival], rule: str) -> list[float]:
    """Minutes from arrival to the end of reading, film by film."""
    line, done, nxt = Line(coming, rule), [0.0] * len(coming), 0
    # (free at, reader); a reader on day duty waits for the day, finishing the film at hand
    free = [(0.0, reader) for reader in range(DAY)]
    heapq.heapify(free)
    left = len(coming)
    while left:
        now, reader = heapq.heappop(free)
        of_day = now % 1440
        if reader >= NIGHT and not 480 <= of_day < 1080:
            opens = now - of_day + (480 if of_day < 480 else 1440 + 480)
            heapq.heappush(free, (opens, reader))
            continue
        while nxt < len(coming) and coming[nxt].at <= now:
            line.add(nxt)
            nxt += 1
        chosen = line.take(now)
        if chosen is None:
            heapq.heappush(free, (max(coming[nxt].at, now), reader))
            continue
        end = now + coming[chosen].reading
        done[chosen] = end - coming[chosen].at
        heapq.heappush(free, (end, reader))
        left -= 1
    return done


def measure(seeds: int, days: int) -> dict[str, Any]:
    """Mean, 95th percentile and worst by room, rule and ill or other films, seed by seed."""
    found: dict[str, Any] = {
        room: {rule: {"ill": [], "others": []} for rule in RULES} for room in ROOMS
    }
    counts = dict.fromkeys(ROOMS, 0)
    for room, load in ROOMS.items():
        for seed in range(seeds):
            coming = films(seed, days, load)
            counts[room] += len(coming)
            ill = np.array([one.ill for one in coming])
            for rule in RULES:
                took = np.array(turnarounds(coming, rule))
                for who, some in (("ill", took[ill]), ("others", took[~ill])):
                    found[room][rule][who].append(
                        [float(some.mean()), float(np.percentile(some, 95)), float(some.max())]
                    )
    each = {room: count // seeds for room, count in counts.items()}
    return {"seeds": seeds, "days": days, "films": each, "rooms": found}


def section(r: dict[str, Any]) -> str:
    """The measurement as a section of docs/benchmarks.md."""
    each = " and ".join(f"{n:,} ({room})" for room, n in r["films"].items())
    lines = [
        "Does sorting leave anybody behind?",
        "",
        (
            f"`python -m benchmarks.worklist_simulation --seeds {r['seeds']} --days {r['days']}`: "
            f"a simulated reading room, {each} films a seed, {PREVALENCE:.0%} ill, detector with "
            f"sensitivity {SENSITIVITY} and specificity {SPECIFICITY} (model card, covid), {DAY} "
            f"readers by day and {NIGHT} by night, {READING[0]:.0f} min a film (median). Minutes "
            "from arrival to the end of reading: mean over the seeds, in brackets the lowest and "
            "highest seed. The rule in service has a ceiling of 1 h; 4 h shows what "
            "a later ceiling does."
        ),
        "",
        "| room | order | films | mean | p95 | worst |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for room, by_rule in r["rooms"].items():
        for rule, by_who in by_rule.items():
            for who, rows in by_who.items():
                cells = [
                    f"{np.mean(c):.0f} ({min(c):.0f} to {max(c):.0f})"
                    for c in zip(*rows, strict=True)
                ]
                lines.append(f"| {room} | {rule} | {who} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--days", type=int, default=28)
    options = parser.parse_args()
    print(json.dumps(measure(options.seeds, options.days)))


if __name__ == "__main__":
    main()
