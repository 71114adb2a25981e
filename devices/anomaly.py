"""Does a series of readings behave as it did so far? A streaming detector. Pure.

    detector = Detector()
    score = detector.update(seconds, value)     # 0..1; from ALARM on it is an alarm

It sees one reading at a time and only the past, takes the same time for each, and goes on from
`to_json()` as if it had never stopped. Four parts each watch one quantity and say how many
standard deviations it lies above its own past; the strongest one counts:

    rhythm   distance from what is usual at this time of the day or week, mean of RHYTHM readings
    level    mean of the last RECENT readings against the mean of all
    rough    mean step from reading to reading, of the last RECENT
    drift    mean of the last 24 hours against all such means, once a week is known

After an alarm it is silent for QUIET, so one event is one alarm. Then it is harder to startle: by
half for about a day, and by a little for weeks. How it was chosen stands in docs/decisions/0018,
where it fails in docs/drift.md.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

ALARM = 0.5
# standard deviations at which each part alone is an alarm
LIMITS = {"rhythm": 3.3, "level": 3.6, "rough": 3.7, "drift": 4.0}
QUIET = 12 * 3600.0  # seconds without another alarm
# by what share an alarm raises the limits, and the seconds in which that fades
HABITS = ((0.5, 86400.0), (0.05, 14 * 86400.0))
WARM = 100  # readings before the first score
MEMORY = 6400  # readings over which a quantity's mean and deviation are kept
RHYTHM, RECENT = 24, 12  # readings
DAY, BINS = 86400, 48  # a day's baseline has a bin per half hour
DAYS, WEEKS = 8, 4  # a bin's memory, in visits
CHOICE = 200  # readings over which day's and week's errors are compared
LARGEST = 1e100  # beyond it squares overflow: not a reading
FARTHEST = 50.0  # standard deviations; what lies beyond is learnt as if it lay there
ROUNDING = 1e-12  # of a reading's size: less is no change
GAP = 12  # usual intervals without a reading, after which the recent ones are no longer recent


class Tail:
    """Mean and variance of a quantity over the last MEMORY readings, fading."""

    __slots__ = ("count", "mean", "variance")

    def __init__(self, count: int = 0, mean: float = 0.0, variance: float = 0.0) -> None:
        self.count, self.mean, self.variance = count, mean, variance

    def away(self, value: float, still: float) -> float:
        """Standard deviations from the mean so far; up to `still` is rounding, not change."""
        away = value - self.mean
        if not self.count or abs(away) <= still:
            return 0.0
        found = away / max(math.sqrt(self.variance), still)
        return max(-FARTHEST, min(found, FARTHEST))

    def learn(self, value: float) -> None:
        """Make `value` part of the past."""
        self.count += 1
        away, share = value - self.mean, 1 / min(self.count, MEMORY)
        self.mean += share * away
        self.variance += share * (away * (value - self.mean) - self.variance)


class Rhythm:
    """What is usual at this time of the day, and of the week."""

    __slots__ = ("bin", "count", "day", "error", "latest", "seen", "total", "week")

    def __init__(self) -> None:
        self.day: list[list[float] | None] = [None] * BINS  # [mean, visits]
        self.week: list[list[float] | None] = [None] * (7 * BINS)
        self.latest: list[float | None] = [None] * BINS  # each half hour's last mean
        self.error: list[float | None] = [None, None]  # recent absolute error of day, week
        self.bin, self.total, self.count = -1, 0.0, 0  # the half hour that is being filled
        self.seen = 0  # half hours that are over

    def closes(self, seconds: float) -> bool:
        """Whether a half hour is over at this time; what it was is learnt."""
        now = int(_place(seconds))
        if now == self.bin:
            return False
        if over := self.count:
            mean = self.total / over
            self.latest[self.bin % BINS] = mean
            _learn(self.day, self.bin % BINS, mean, DAYS)
            _learn(self.week, self.bin, mean, WEEKS)
            self.seen += 1
        self.bin, self.total, self.count = now, 0.0, 0
        return over > 0

    def distance(self, seconds: float, value: float, otherwise: float) -> float:
        """`value` less what is usual now; the baseline that has erred less of late is asked."""
        within = _place(seconds) - self.bin - 0.5
        best, least = value - otherwise, math.inf
        for which, table in enumerate((self.day, self.week)):
            usual = _between(table, self.bin % len(table), within)
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

    def last_day(self) -> float | None:
        """Mean of the last 24 hours, in which a daily rhythm cancels out; `None` before a day."""
        known = [mean for mean in self.latest if mean is not None]
        return sum(known) / len(known) if self.seen >= BINS else None


def _place(seconds: float) -> float:
    """Time in the week, in half hours."""
    return seconds % (7 * DAY) * BINS / DAY


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
    """One series' detector; see the module.

    Args:
        strictness: multiplies every part's limit. At 1.5 there are less than half as many false
            alarms, and a sixth of the right ones is lost (docs/benchmarks.md).
    """

    def __init__(self, strictness: float = 1.0) -> None:
        self.strictness = strictness
        # each part's, and the readings' own distance from their mean
        self.tails = {name: Tail() for name in (*LIMITS, "spread")}
        self.rhythm = Rhythm()
        self.values: list[float] = []  # the last RECENT, and one before for its step
        self.distances: list[float] = []  # the last RHYTHM
        self.seen, self.mean = 0, 0.0
        self.at: float | None = None  # time of the last reading
        self.interval: float | None = None  # usual seconds between readings
        self.alarm_at: float | None = None
        self.habits = [0.0 for _ in HABITS]  # by how much the limits were raised at `alarm_at`
        self.why = ""  # the part that spoke loudest at the last reading, if any

    def update(self, time: float, value: float) -> float:
        """How strange this reading is, 0..1; what isn't a usable number is passed over with 0.

        Args:
            time: seconds, such as UNIX time; days and weeks are counted from 0. A reading that
                comes late counts as if it came now.
            value: the reading, in any unit.
        """
        if not (abs(value) <= LARGEST and abs(time) <= LARGEST):
            return 0.0
        time = float(time) if self.at is None else max(float(time), self.at)
        self._interval(time)
        self.at = time
        still = ROUNDING * (abs(value) + abs(self.mean))
        loudest = self._loudest(time, self._bounded(float(value), still), still)
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

    def _bounded(self, value: float, still: float) -> float:
        """The reading, or where FARTHEST is: a broken sensor's 1e9 would blind us for weeks."""
        before, away = self.mean, value - self.mean
        spread = self.tails["spread"]
        bound = spread.mean + FARTHEST * math.sqrt(spread.variance)
        if self.seen > WARM and bound > still:
            away = max(-bound, min(away, bound))
        spread.learn(abs(away))
        self.seen += 1
        self.mean += away / min(self.seen, MEMORY)
        return before + away

    def _drifted(self, still: float) -> float:
        """The last day's mean against all days', in deviations; 0 before a week is known."""
        tail, mean = self.tails["drift"], self.rhythm.last_day()
        if mean is None:
            return 0.0
        found = abs(tail.away(mean, still)) if tail.count > 6 * BINS else 0.0
        tail.learn(mean)
        return found

    def _loudest(self, time: float, value: float, still: float) -> float:
        """The strongest part's deviation as a multiple of its limit."""
        values, distances = self.values, self.distances
        closed = self.rhythm.closes(time)
        distances.append(self.rhythm.distance(time, value, self.mean))
        values.append(value)
        del values[: -RECENT - 1], distances[:-RHYTHM]
        recent = values[-RECENT:]
        quantities = {
            "rhythm": abs(sum(distances)) / len(distances),
            "level": abs(sum(recent) / len(recent) - self.mean),
            "rough": sum(abs(b - a) for a, b in pairwise(values)) / RECENT,
        }
        loudest = self._drifted(still) / LIMITS["drift"] if closed else 0.0
        self.why = "drift" if loudest else ""
        for part, quantity in quantities.items():
            ratio = self.tails[part].away(quantity, still) / LIMITS[part]
            self.tails[part].learn(quantity)
            if ratio > loudest:
                loudest, self.why = ratio, part
        return loudest

    def _score(self, time: float, loudest: float) -> float:
        """Score of a multiple of the limit: ALARM at 1, and less while it is quiet."""
        passed = math.inf if self.alarm_at is None else time - self.alarm_at
        habits = [
            raised * math.exp(-passed / fades)
            for raised, (_, fades) in zip(self.habits, HABITS, strict=True)
        ]
        ratio = loudest / (self.strictness * (1 + sum(habits)))
        score = ratio / (1 + ratio)
        if passed <= QUIET:
            return min(score, 0.99 * ALARM)
        if score >= ALARM:
            self.alarm_at = time
            self.habits = [h + more for h, (more, _) in zip(habits, HABITS, strict=True)]
        return score

    def to_json(self) -> str:
        """Everything it knows, as text."""
        tails = {name: [t.count, t.mean, t.variance] for name, t in self.tails.items()}
        rhythm = {name: getattr(self.rhythm, name) for name in Rhythm.__slots__}
        return json.dumps({**vars(self), "tails": tails, "rhythm": rhythm})

    @classmethod
    def from_json(cls, text: str) -> Detector:
        """The detector that `to_json` wrote."""
        state: dict[str, Any] = json.loads(text)
        detector = cls()
        detector.tails = {name: Tail(*kept) for name, kept in state.pop("tails").items()}
        for name, value in state.pop("rhythm").items():
            setattr(detector.rhythm, name, value)
        vars(detector).update(state)
        return detector
