"""When a watched quantity fails and when it is good again: one small machine for every kind. Pure.

It fails once `min_samples` values in a row, spanning `for_seconds`, lie outside the limits. It is
good again at the first value that lies inside by the hysteresis, but not before `keep_seconds`
have passed since the last value that did not: a quantity that flutters is one episode.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Protocol


class Limits(Protocol):
    """What decides; `devices.rules.Limit`."""

    @property
    def for_seconds(self) -> int:
        """Span that a run outside must cover."""

    @property
    def min_samples(self) -> int:
        """Length that it must have."""

    @property
    def keep_seconds(self) -> int:
        """How long a failure stands after the last bad value."""

    def outside(self, value: float) -> bool:
        """Beyond a limit."""

    def clears(self, value: float) -> bool:
        """Inside by the hysteresis."""


@dataclass(slots=True)
class Episode:
    """One failure, in UNIX seconds.

    Attributes:
        opened: when it began to fail.
        since: first value outside of the run that made it fail.
        value: the value at which it did.
        cleared: when it was good again; `None` while it fails.
    """

    opened: float
    since: float
    value: float
    cleared: float | None = None


@dataclass(slots=True)
class Firing:
    """Where the fold stands; one step per value, oldest first.

    Attributes:
        failing: the rule fails now.
        since: first value outside of the present run, UNIX seconds; `None` without a run.
        n: values in that run.
        bad: moment of the last value that did not clear.
        calm: first of the clearing values since `bad`; `None` without one.
        episodes: failures met since the object was made or loaded; one that was going on when it
            was dumped is the first.
    """

    failing: bool = False
    since: float | None = None
    n: int = 0
    bad: float = 0.0
    calm: float | None = None
    episodes: list[Episode] = field(default_factory=list)

    def step(self, limits: Limits, at: float, value: float) -> None:
        """Take the next value."""
        self.advance(limits, at)
        if self.failing:
            if not limits.clears(value):
                self.n, self.bad, self.calm = self.n + 1, at, None
            elif self.calm is None:
                self.calm = at
                self.advance(limits, at)
            return
        if not limits.outside(value):
            self.since, self.n = None, 0
            return
        if self.since is None:
            self.since = at
        self.n, self.bad = self.n + 1, at
        if self.n >= limits.min_samples and at - self.since >= limits.for_seconds:
            self.failing = True
            self.episodes.append(Episode(at, self.since, value))

    def advance(self, limits: Limits, at: float) -> None:
        """Time passes: a calm failure ends once it was kept long enough."""
        if not self.failing or self.calm is None or at < self.bad + limits.keep_seconds:
            return
        self.episodes[-1].cleared = max(self.calm, self.bad + limits.keep_seconds)
        self.failing, self.calm, self.since, self.n = False, None, None, 0

    def at(self, limits: Limits, at: float) -> Firing:
        """How it stands at a moment after the last value; this one stays as it is."""
        if not self.failing:
            return self
        later = Firing.load(self.dump())
        later.advance(limits, at)
        return later

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        opened = asdict(self.episodes[-1]) if self.failing else None
        return {
            "failing": self.failing,
            "since": self.since,
            "n": self.n,
            "bad": self.bad,
            "calm": self.calm,
            "opened": opened,
        }

    @classmethod
    def load(cls, kept: dict[str, Any]) -> Firing:
        """What `dump` gave."""
        given = dict(kept)
        opened = given.pop("opened")
        return cls(**given, episodes=[Episode(**opened)] if opened else [])
