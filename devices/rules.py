"""One limit rule on one metric: pure, the same verdict for any order or repetition of readings."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import Literal

from twinhealth.web.ucum import unit_text

from .rule_kinds.firing import Firing

State = Literal["ok", "watch", "act", "unknown"]


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule as values (see `devices.models.Rule`).

    Attributes:
        severity: the state of a failing check, `watch` or `act`.
        low: lower limit in `unit`, or `None`.
        high: upper limit in `unit`, or `None`.
        hysteresis: how far inside a value must lie to clear, in `unit`.
        for_seconds: span that the run outside must cover.
        min_samples: length that the run outside must have.
        max_age: a newest reading older than this many seconds says nothing.
        keep_seconds: how long a failure stands after the last bad reading.
    """

    rule_id: int
    rule: str
    metric: str
    unit: str
    severity: Literal["watch", "act"]
    low: float | None
    high: float | None
    hysteresis: float = 0.0
    for_seconds: int = 0
    min_samples: int = 1
    affects_image: bool = True
    max_age: int = 7 * 86_400
    keep_seconds: int = 0

    def outside(self, value: float) -> bool:
        """True beyond a limit; the limit itself is allowed."""
        return (self.low is not None and value < self.low) or (
            self.high is not None and value > self.high
        )

    @property
    def clear_low(self) -> float | None:
        """From here upwards a value clears the lower limit."""
        return None if self.low is None else self.low + self._margin

    @property
    def clear_high(self) -> float | None:
        """Up to here a value clears the upper limit."""
        return None if self.high is None else self.high - self._margin

    @property
    def _margin(self) -> float:
        # wider than half the band and no value could ever clear it
        if self.low is None or self.high is None:
            return self.hysteresis
        return min(self.hysteresis, (self.high - self.low) / 2)

    def clears(self, value: float) -> bool:
        """True for a value that lies inside by the hysteresis."""
        low, high = self.clear_low, self.clear_high
        return (low is None or value >= low) and (high is None or value <= high)


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """One reading: when, and the value in the metric's unit."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one rule says.

    Attributes:
        state: `ok`, the rule's severity, or `unknown` (no reading that is young enough).
        value: newest value, in `unit`; `None` without one.
        since: first reading of the present run outside; `None` while inside.
        n: readings in that run; 0 while inside.
        text: one sentence for a person.
        measured_at: when `value` was measured.
        kind: `devices.rule_kinds.KINDS`.
        baseline: what is usual for this machine, in `unit`; `None` where the kind has none.
        spread: standard deviation around it.
        version: number of the rule's version that judged; `None` where none is known.
    """

    rule_id: int
    rule: str
    metric: str
    unit: str
    state: State
    value: float | None
    since: datetime | None
    n: int
    low: float | None
    high: float | None
    affects_image: bool
    text: str
    measured_at: datetime | None = None
    kind: str = "limit"
    baseline: float | None = None
    spread: float | None = None
    version: int | None = None

    @property
    def value_text(self) -> str:
        """The value with its unit; empty without one."""
        return "" if self.value is None else amount(self.value, self.unit)

    @property
    def unit_words(self) -> str:
        """The unit as people write it."""
        return unit_text(self.unit)

    @property
    def baseline_text(self) -> str:
        """What is usual, with its standard deviation; the unit is the metric's."""
        if self.baseline is None:
            return ""
        return number(self.baseline) + (f" ± {number(self.spread)}" if self.spread else "")

    @property
    def allowed_text(self) -> str:
        """The limits in words."""
        return limits_text(self.low, self.high, self.unit)


def ordered(samples: Iterable[Sample]) -> list[Sample]:
    """Oldest first, each once; of several values of one moment the one that sorts first as text."""
    given = list(samples)
    if all(a.at < b.at for a, b in pairwise(given)):
        return given
    # NaN sorts nowhere, so values are keyed as text
    distinct = sorted({(s.at, repr(s.value)): s for s in given}.items(), key=itemgetter(0))
    return list({s.at: s for _, s in reversed(distinct)}.values())[::-1]


def number(value: float) -> str:
    """Four significant digits, without trailing zeros."""
    return f"{value:.4g}"


def amount(value: float, unit: str) -> str:
    """The value with its unit as people write it."""
    return f"{number(value)} {unit_text(unit)}".strip()


@lru_cache(maxsize=4096)
def limits_text(low: float | None, high: float | None, unit: str) -> str:
    """`3 to 5 kV`, `at least 3 kV`, `at most 5 kV`."""
    if low is not None and high is not None:
        return f"{number(low)} to {amount(high, unit)}"
    if high is not None:
        return f"at most {amount(high, unit)}"
    return "no limit" if low is None else f"at least {amount(low, unit)}"


def check(
    limit: Limit, samples: Iterable[Sample], at: datetime, *, version: int | None = None
) -> CheckResult:
    """Judge a rule as of a moment.

    It fires when `min_samples` consecutive readings spanning `for_seconds` lie outside, and clears
    when one lies inside by `hysteresis`. A value that is not a finite number never passes: it
    neither clears nor counts, and as the newest one it makes an otherwise good check unknown.

    Args:
        limit: the rule.
        samples: readings in any order, repeated or not; those after `at` are ignored. Those
            before the last one that clears don't matter and may be left out.
        at: aware.
        version: number of the rule's version, for the result.
    """
    firing = Firing()
    newest: Sample | None = None
    for sample in ordered(s for s in samples if s.at <= at):
        newest = sample
        if math.isfinite(sample.value):
            firing.step(limit, sample.at.timestamp(), sample.value)
    return judged(limit, firing, newest, at, version=version)


def judged(
    limit: Limit,
    firing: Firing,
    newest: Sample | None,
    at: datetime,
    *,
    version: int | None = None,
) -> CheckResult:
    """What the rule says at a moment, of a fold that has seen every reading up to it.

    Args:
        limit: the rule.
        firing: where its fold stands.
        newest: the last reading.
        at: aware, not before `newest`.
        version: number of the rule's version, for the result.
    """

    def said(state: State, text: str, run: Firing | None = None) -> CheckResult:
        return _result(limit, state, run or Firing(), newest, text=text, version=version)

    if newest is None:
        return said("unknown", f"{limit.rule}: no reading")
    if at - newest.at > timedelta(seconds=limit.max_age):
        text = f"{limit.rule}: no reading for {span_text(at - newest.at)}"
        return said("unknown", text)
    run = firing.at(limit, at.timestamp())
    if not math.isfinite(newest.value) and not run.failing:
        text = f"{limit.rule}: the last reading is not a number"
        return said("unknown", text)
    text = _measured_text(limit, newest)
    if run.failing:
        if run.calm is not None:
            text += f"; inside again, kept for {span_text(timedelta(seconds=limit.keep_seconds))}"
        return said(limit.severity, text, run)
    if run.n:
        text += f"; outside for {run.n} of {limit.min_samples} readings, not yet long enough"
    return said("ok", text, run)


def good(limit: Limit, newest: Sample, *, version: int | None = None) -> CheckResult:
    """What `check` says where the newest reading is young, finite and clears the rule by itself.

    A fleet has thousands of these at a time; nothing is folded for them.
    """
    text = _measured_text(limit, newest)
    return _result(limit, "ok", _CALM, newest, text=text, version=version)


def _measured_text(limit: Limit, newest: Sample) -> str:
    shown = amount(newest.value, limit.unit) if math.isfinite(newest.value) else "not a number"
    return f"{limit.rule}: {shown}, allowed {limits_text(limit.low, limit.high, limit.unit)}"


def span_text(span: timedelta) -> str:
    """For people: `5 days`, `3 h`, `40 min`."""
    hours = span.total_seconds() / 3600
    if hours >= 48:
        return f"{round(hours / 24)} days"
    return f"{round(hours)} h" if hours >= 2 else f"{round(hours * 60)} min"


_CALM = Firing()


def _result(
    limit: Limit,
    state: State,
    run: Firing,
    newest: Sample | None,
    *,
    text: str,
    version: int | None,
) -> CheckResult:
    value = newest.value if newest is not None and math.isfinite(newest.value) else None
    return CheckResult(
        rule_id=limit.rule_id,
        rule=limit.rule,
        metric=limit.metric,
        unit=limit.unit,
        state=state,
        value=value,
        since=None if run.since is None else datetime.fromtimestamp(run.since, tz=UTC),
        n=run.n,
        low=limit.low,
        high=limit.high,
        affects_image=limit.affects_image,
        text=text,
        measured_at=newest.at if newest else None,
        version=version,
    )
