"""Does a series of readings behave as it did so far? A streaming detector. Pure.

    detector = Detector()
    score = detector.update(seconds, value)     # 0..1; from ALARM on it is an alarm

It sees one reading at a time and only the past, takes the same time for each, and goes on from
`to_json()` as if it had never stopped. Six parts each watch one quantity and say how many standard
deviations it lies above its own past; the strongest one counts:

    rhythm   mean distance from the series' own day or week, over an hour of five-minute readings
    day      the same over two hours
    unrest   mean absolute distance from the own day or week
    level    recent mean against the mean of all
    jump     recent mean against the mean of the half day before
    rough    mean step from reading to reading

After an alarm it is silent for QUIET and then, for a day or so, harder to startle, so one event is one
alarm. How it was chosen, and where it fails: docs/drift.md and docs/decisions/0018.
"""

from __future__ import annotations

import json
import math
from typing import Any

ALARM = 0.5
QUIET = 12 * 3600.0  # seconds without another alarm
HABIT, FORGET = 0.5, 86400.0  # an alarm raises the threshold by half, which fades over a day
WARM = 100  # readings before the first score
MEMORY = 6400  # readings over which a quantity's mean and deviation are kept
SHORT, HOUR, TWO, BEFORE = 6, 12, 24, 144  # readings
DAY, BINS = 86400, 48  # a day's baseline has a bin per half hour
DAYS, WEEKS = 8, 4  # a bin's memory, in visits
CHOICE = 200  # readings over which day's and week's errors are compared
LARGEST = 1e100  # beyond it squares overflow: not a reading
FARTHEST = 50.0  # standard deviations
GAP = 12  # usual intervals without a reading, after which the recent ones are no longer recent

# standard deviations at which each part alone is an alarm
LIMITS = {"rhythm": 4.4, "day": 3.5, "unrest": 4.7, "level": 4.3, "jump": 4.6, "rough": 3.9}


class Tail:
    """Mean and variance of a quantity over the last MEMORY readings, fading."""

    __slots__ = ("count", "mean", "variance")

    def __init__(self, count: int = 0, mean: float = 0.0, variance: float = 0.0) -> None:
        self.count, self.mean, self.variance = count, mean, variance

    def above(self, value: float) -> float:
        """Standard deviations of `value` above the past, then learn it."""
        away = value - self.mean
        deviation = math.sqrt(self.variance)
        still = 1e-9 * (abs(self.mean) + abs(value))
        if away <= still or not self.count:
            found = 0.0
        else:
            found = min(away / max(deviation, still), FARTHEST)
        self.count += 1
        share = 1 / min(self.count, MEMORY)
        self.mean += share * away
        self.variance += share * (away * (value - self.mean) - self.variance)
        return found


class Rhythm:
    """What is usual at this time of the day, and of the week."""

    __slots__ = ("bin", "count", "day", "error", "total", "week")

    def __init__(self) -> None:
        self.day: list[list[float] | None] = [None] * BINS  # [mean, visits]
        self.week: list[list[float] | None] = [None] * (7 * BINS)
        self.error: list[float | None] = [None, None]  # recent absolute error of day, week
        self.bin, self.total, self.count = -1, 0.0, 0  # the half hour that is being filled

    def distance(self, seconds: float, value: float, otherwise: float) -> float:
        """`value` less what is usual now; the baseline that has erred less of late is asked."""
        place = seconds % (7 * DAY) * BINS / DAY
        now = int(place)
        if now != self.bin:
            self._close(now)
        within = place - now - 0.5
        best, least = value - otherwise, math.inf
        for which, table in enumerate((self.day, self.week)):
            usual = _between(table, now % len(table), within)
            if usual is None:
                continue
            miss, error = abs(value - usual), self.error[which]
            if error is None:
                error = miss
            if error < least:
                best, least = value - usual, error
            self.error[which] = error + (miss - error) / CHOICE
        self.total += value
        self.count += 1
        return best

    def _close(self, now: int) -> None:
        if self.count:
            mean = self.total / self.count
            _learn(self.day, self.bin % BINS, mean, DAYS)
            _learn(self.week, self.bin, mean, WEEKS)
        self.bin, self.total, self.count = now, 0.0, 0


def _learn(table: list[list[float] | None], place: int, mean: float, memory: int) -> None:
    known = table[place]
    if known is None:
        table[place] = [mean, 1]
    else:
        known[1] = min(known[1] + 1, memory)
        known[0] += (mean - known[0]) / known[1]


def _between(table: list[list[float] | None], place: int, within: float) -> float | None:
    """The bin's mean, drawn towards the nearer neighbour's; `within` is -0.5 to 0.5 of a bin."""
    here = table[place]
    if here is None:
        return None
    beside = table[(place + (1 if within > 0 else -1)) % len(table)]
    return here[0] if beside is None else here[0] + abs(within) * (beside[0] - here[0])


class Detector:
    """One series' detector; see the module."""

    def __init__(self) -> None:
        self.tails = {part: Tail() for part in LIMITS}
        self.rhythm = Rhythm()
        self.values: list[float] = []  # the last HOUR + BEFORE
        self.distances: list[float] = []  # the last TWO
        self.seen, self.mean = 0, 0.0
        self.at: float | None = None  # time of the last reading
        self.interval: float | None = None  # usual seconds between readings
        self.alarm_at: float | None = None
        self.habit = 0.0  # by how much the threshold was raised at `alarm_at`
        self.why = ""  # the part that spoke loudest about the last reading

    def update(self, time: float, value: float) -> float:
        """How strange this reading is, 0..1; what isn't a number is passed over with 0.

        Args:
            time: seconds since some midnight of a Monday to Sunday week, such as UNIX time. A reading
                that comes late counts as the next one.
            value: the reading, in any unit.
        """
        if not (abs(value) <= LARGEST and math.isfinite(time)):
            return 0.0
        time = time if self.at is None else max(time, self.at)
        self._interval(time)
        self.at = time
        loudest = self._loudest(time, value)
        return self._score(time, loudest) if self.seen > WARM else 0.0

    def _interval(self, time: float) -> None:
        """Learn the usual interval; forget the recent readings after a gap."""
        if self.at is None:
            return
        passed = time - self.at
        if self.interval is None:
            self.interval = passed
        elif passed > GAP * self.interval > 0:
            self.values.clear()
            self.distances.clear()
            passed = GAP * self.interval
        self.interval += (passed - self.interval) / 50

    def _loudest(self, time: float, value: float) -> float:
        """The strongest part's deviation as a multiple of its limit."""
        values, distances = self.values, self.distances
        distance = self.rhythm.distance(time, value, self.mean)
        step = values[-1] if values else value
        values.append(value)
        distances.append(distance)
        del values[: -HOUR - BEFORE], distances[:-TWO]
        self.seen += 1
        self.mean += (value - self.mean) / min(self.seen, MEMORY)
        recent, before = values[-HOUR:], values[:-HOUR]
        short = distances[-SHORT:]
        level = sum(recent) / len(recent)
        steps = values[-HOUR - 1 :]
        quantities = {
            "rhythm": abs(sum(short)) / len(short),
            "day": abs(sum(distances)) / len(distances),
            "unrest": sum(map(abs, short)) / len(short),
            "level": abs(level - self.mean),
            "jump": abs(level - sum(before) / len(before)) if before else 0.0,
            "rough": sum(abs(b - a) for a, b in zip(steps, steps[1:], strict=False)) / HOUR,
        }
        loudest = 0.0
        for part, tail in self.tails.items():
            ratio = tail.above(quantities[part]) / LIMITS[part]
            if ratio > loudest:
                loudest, self.why = ratio, part
        return loudest

    def _score(self, time: float, loudest: float) -> float:
        """Score of a multiple of the limit: ALARM at 1 and none while it is quiet."""
        passed = math.inf if self.alarm_at is None else time - self.alarm_at
        habit = self.habit * math.exp(-passed / FORGET)
        ratio = loudest / (1 + habit)
        score = ratio / (1 + ratio)
        if passed <= QUIET:
            return min(score, 0.99 * ALARM)
        if ratio >= 1:
            self.alarm_at, self.habit = time, habit + HABIT
        return score

    def to_json(self) -> str:
        """Everything it knows, as text."""
        tails = {part: [t.count, t.mean, t.variance] for part, t in self.tails.items()}
        rhythm = {name: getattr(self.rhythm, name) for name in Rhythm.__slots__}
        own = {name: value for name, value in vars(self).items() if name not in {"tails", "rhythm"}}
        return json.dumps({**own, "tails": tails, "rhythm": rhythm})

    @classmethod
    def from_json(cls, text: str) -> Detector:
        """The detector that `to_json` wrote."""
        state: dict[str, Any] = json.loads(text)
        detector = cls()
        detector.tails = {part: Tail(*kept) for part, kept in state.pop("tails").items()}
        for name, value in state.pop("rhythm").items():
            setattr(detector.rhythm, name, value)
        for name, value in state.items():
            setattr(detector, name, value)
        return detector
