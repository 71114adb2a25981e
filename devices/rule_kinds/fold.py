"""One rule over one series of readings, one reading at a time: live and in replay. Pure.

Readings in any order, repeated, or in any batches give one answer: `evaluate` and `run` bring them
in order; who steps by himself gives them oldest first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from devices.rules import CheckResult, Limit, Sample, amount, judged, number, ordered, span_text

from .daily import Drift
from .firing import Episode, Firing
from .spec import Spec
from .statistics import STRANGE_LIMIT, Plain, Rolling, Slope, Statistic, Still, Strange, WindowMean

_WHY = {
    "rhythm": "other than usual at this time of the day or week",
    "level": "another level",
    "rough": "restless",
    "drift": "drifting",
}


class Failure(NamedTuple):
    """One failure: when the rule began to fail and when it was good again (`None`: not yet)."""

    opened_at: datetime
    cleared_at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """The verdict became another one.

    Attributes:
        at: when.
        result: what the rule said then.
    """

    at: datetime
    result: CheckResult


# statistics without parameters of their own
_BARE: dict[str, type[Plain]] = {"limit": Plain, "stuck": Still}


def _statistic(spec: Spec) -> Statistic:
    p = spec.params
    if spec.kind in _BARE:
        return _BARE[spec.kind]()
    if spec.kind == "rate":
        return Slope(p["window_seconds"], 3600 if p["per"] == "hour" else 86_400)
    if spec.kind == "drift":
        names = ("method", "direction", "baseline_days", "lag_days", "slack", "least_spread")
        return Drift(**{name: p[name] for name in names}, zone=spec.zone)
    if spec.kind == "anomaly":
        return Strange(p["strictness"], p["step_seconds"])
    if spec.kind == "image_quality":
        return Rolling(p["n"], p["share_above"])
    if spec.kind == "reject_rate":
        return WindowMean(p["window_days"] * 86_400, p["least_days"])
    raise ValueError(f"{spec.kind} isn't a kind that readings decide")


def _judge(spec: Spec) -> Limit:
    """The limit that judges the statistic, in its unit."""
    limit = replace(spec.limit, unit=spec.unit)
    if spec.kind == "drift":
        bound = spec.params["threshold"]
        return replace(limit, low=-bound, high=bound, hysteresis=bound / 2)
    if spec.kind == "anomaly":
        return replace(limit, low=None, high=STRANGE_LIMIT, hysteresis=0.0)
    return limit


class Fold:
    """The state of one rule on one series.

    Attributes:
        spec: the rule.
        value: newest value of the statistic; `None` before the first.
        newest: the last reading.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec, self.judge = spec, _judge(spec)
        self.statistic = _statistic(spec)
        self.firing = Firing()
        self.value: float | None = None
        self.newest: Sample | None = None

    @property
    def failing(self) -> bool:
        """As of the last reading."""
        return self.firing.failing

    @property
    def episodes(self) -> list[Episode]:
        """Failures met so far."""
        return self.firing.episodes

    def step(self, sample: Sample) -> None:
        """Take the next reading; one that isn't a finite number neither clears nor counts."""
        self.newest = sample
        if not math.isfinite(sample.value):
            return
        at = sample.at.timestamp()
        found = self.statistic.update(at, sample.value)
        if found is not None:
            self.value = found
            self.firing.step(self.judge, at, found)

    def advance(self, at: datetime) -> None:
        """No reading came until then."""
        self.firing.advance(self.judge, at.timestamp())

    def result(self, at: datetime) -> CheckResult:
        """What the rule says at a moment that isn't before the last reading."""
        spec, newest = self.spec, self.newest
        if spec.kind != "limit" and newest is not None and math.isfinite(newest.value):
            newest = Sample(newest.at, math.nan if self.value is None else self.value)
        found = replace(
            judged(self.judge, self.firing, newest, at),
            kind=spec.kind,
            version=spec.version,
            baseline=self.statistic.baseline,
            spread=self.statistic.spread,
        )
        if spec.kind == "limit" or newest is None or "no reading" in found.text:
            return found
        if found.state in {"ok", "unknown"} and (missing := self.statistic.learning()):
            text = f"{spec.limit.rule}: not enough is known yet, {missing}"
            return replace(found, state="unknown", since=None, n=0, text=text)
        if self.value is None:
            return found
        return replace(found, text=f"{spec.limit.rule}: {self._words(found)}")

    def _words(self, found: CheckResult) -> str:
        value = self.value if self.value is not None else 0.0
        statistic, allowed = self.statistic, f"allowed {found.allowed_text}"
        if isinstance(statistic, Drift) and statistic.baseline is not None:
            unit = self.spec.limit.unit
            mean, usual = statistic.days[-1][1], statistic.baseline
            spread = statistic.spread or 0.0
            return (
                f"{amount(mean, unit)} on the last day, usual {amount(usual, unit)} ± "
                f"{number(spread)}; {self.spec.params['method'].upper()} {value:+.1f} of "
                f"{number(self.spec.params['threshold'])}"
            )
        if isinstance(statistic, Strange):
            if not self.firing.failing:
                return f"as usual (strangeness {number(value)}, alarm from 0.5)"
            return f"unusual, {_WHY.get(statistic.why, 'strange')} (alarms: {found.n})"
        if isinstance(statistic, Still):
            words = f"the same reading for {span_text(timedelta(hours=value))}"
        elif isinstance(statistic, Rolling):
            what = "median" if statistic.above is None else "share"
            words = f"{what} of {statistic.n} images {amount(value, found.unit)}"
        elif isinstance(statistic, WindowMean):
            words = f"{amount(value, found.unit)} in {self.spec.params['window_days']} days"
        else:
            words = f"{value:+.4g} {found.unit_words}"
        return f"{words}, {allowed}"

    def dump(self) -> dict[str, Any]:
        """Everything it knows, as JSON."""
        newest = self.newest
        return {
            "statistic": self.statistic.dump(),
            "firing": self.firing.dump(),
            "value": self.value,
            "newest": None if newest is None else [newest.at.isoformat(), repr(newest.value)],
        }

    def load(self, kept: dict[str, Any]) -> None:
        """Go on from what `dump` gave."""
        self.statistic.load(kept["statistic"])
        self.firing = Firing.load(kept["firing"])
        self.value = kept["value"]
        newest = kept["newest"]
        self.newest = newest and Sample(datetime.fromisoformat(newest[0]), float(newest[1]))


class Silence:
    """A metric that is silent for longer than so many times its cadence; values don't matter.

    Without any reading it says nothing: a machine may not have the sensor.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.longest = spec.longest_silence
        self.newest: Sample | None = None
        self.episodes: list[Episode] = []

    def step(self, sample: Sample) -> None:
        """Take the next reading."""
        self.advance(sample.at)
        at = sample.at.timestamp()
        if self.episodes and self.episodes[-1].cleared is None:
            self.episodes[-1].cleared = at
        self.newest = sample

    def advance(self, at: datetime) -> None:
        """No reading came until then."""
        if self.newest is None or self.failing or not self.longest:
            return
        last = self.newest.at.timestamp()
        if at.timestamp() > last + self.longest:
            self.episodes.append(Episode(last + self.longest, last, self.longest / 3600))

    @property
    def failing(self) -> bool:
        """As far as time was told."""
        return bool(self.episodes) and self.episodes[-1].cleared is None

    def result(self, at: datetime) -> CheckResult:
        """What the rule says at a moment that isn't before the last reading."""
        return silent(self.spec, None if self.newest is None else self.newest.at, at)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        open_one = self.episodes[-1] if self.failing else None
        return {
            "newest": self.newest and self.newest.at.isoformat(),
            "open": open_one and asdict(open_one),
        }

    def load(self, kept: dict[str, Any]) -> None:
        """Go on."""
        newest = kept["newest"]
        self.newest = newest and Sample(datetime.fromisoformat(newest), 0.0)
        self.episodes = [Episode(**kept["open"])] if kept["open"] else []


def silent(spec: Spec, newest: datetime | None, at: datetime) -> CheckResult:
    """What a rule of silence says, by the last reading's moment alone."""
    limit, longest = spec.limit, spec.longest_silence
    hours = None if newest is None else (at - newest).total_seconds() / 3600
    failing = hours is not None and 0 < longest < hours * 3600
    allowed = f"allowed {span_text(timedelta(seconds=longest))}"
    if newest is None:
        text = f"{limit.rule}: this machine never sent it"
    elif failing:
        text = f"{limit.rule}: no reading for {span_text(at - newest)}, {allowed}"
    else:
        text = f"{limit.rule}: last reading {span_text(at - newest)} ago, {allowed}"
    return CheckResult(
        rule_id=limit.rule_id,
        rule=limit.rule,
        metric=limit.metric,
        unit="h",
        state="unknown" if newest is None else limit.severity if failing else "ok",
        value=hours,
        since=newest if failing else None,
        n=0,
        low=None,
        high=longest / 3600,
        affects_image=limit.affects_image,
        text=text,
        measured_at=newest,
        kind="silence",
        version=spec.version,
    )


def fold_of(spec: Spec) -> Fold | Silence:
    """A fold that has seen nothing yet.

    Raises:
        ValueError: for a kind that readings don't decide (`config`, `clock`).
    """
    return Silence(spec) if spec.kind == "silence" else Fold(spec)


def evaluate(spec: Spec, samples: Iterable[Sample], at: datetime) -> CheckResult:
    """The verdict as of a moment; readings after it don't exist yet.

    Args:
        spec: the rule.
        samples: any order, repeated or not.
        at: aware.
    """
    fold = fold_of(spec)
    for sample in ordered(s for s in samples if s.at <= at):
        fold.step(sample)
    return fold.result(at)


def run(spec: Spec, samples: Iterable[Sample], until: datetime | None = None) -> list[Failure]:
    """Every failure in a series.

    Args:
        spec: the rule.
        samples: any order, repeated or not.
        until: what time it is at the end; the last reading's unless told. Silence shows only so.

    Returns:
        `(opened_at, cleared_at)`, oldest first; `cleared_at` is `None` for one that goes on.
    """
    fold = fold_of(spec)
    for sample in ordered(samples):
        fold.step(sample)
    if until is not None:
        fold.advance(until)
    return [
        Failure(moment(e.opened), None if e.cleared is None else moment(e.cleared))
        for e in fold.episodes
    ]


def changes(fold: Fold, samples: Iterable[Sample]) -> list[Change]:
    """Step through readings, oldest first; every moment at which the verdict became another."""
    found = []
    for sample in samples:
        before, known = len(fold.episodes), fold.value is not None
        was = fold.episodes[-1] if fold.failing else None
        fold.step(sample)
        if was is not None and was.cleared is not None:
            found.append(Change(moment(was.cleared), fold.result(sample.at)))
        if len(fold.episodes) > before or (not known and fold.value is not None):
            found.append(Change(sample.at, fold.result(sample.at)))
    return found


def moment(seconds: float) -> datetime:
    """UNIX seconds as UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)
