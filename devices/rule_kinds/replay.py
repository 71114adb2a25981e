"""What a rule would have done: its alerts in a span, beside the failures that came. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from devices.rules import Sample

from .fold import fold_of, moment
from .spec import Spec

AHEAD = timedelta(days=30)  # an alert so long before a failure counts as its forerunner


@dataclass(frozen=True, slots=True)
class Mishap:
    """A failure that really was: an unplanned downtime, or a repair order.

    Attributes:
        at: when it began.
        ends: when it was over; `None`: not yet.
        text: what it was.
    """

    at: datetime
    ends: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Ring:
    """One alert that there would have been.

    Attributes:
        opened_at: when.
        cleared_at: when it would have cleared; `None`: not by the span's end.
        value: what was judged then.
        followed_by: the failure that came within `AHEAD`, or was there already.
        ahead: how long before; not above zero where the failure was there first.
    """

    opened_at: datetime
    cleared_at: datetime | None
    value: float
    followed_by: Mishap | None = None
    ahead: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer.

    Attributes:
        start: of the span.
        end: of the span.
        readings: how many were looked at.
        rings: alerts, oldest first.
        mishaps: failures in the span, oldest first.
        missed: failures that no alert preceded.
        first: the first reading of the span; `None` without one.
    """

    start: datetime
    end: datetime
    readings: int
    rings: tuple[Ring, ...]
    mishaps: tuple[Mishap, ...]
    missed: tuple[Mishap, ...]
    first: datetime | None = None

    @property
    def before(self) -> list[Ring]:
        """Alerts that came before a failure."""
        return [r for r in self.rings if r.ahead is not None and r.ahead > timedelta(0)]

    @property
    def during(self) -> list[Ring]:
        """Alerts that came while a failure was there."""
        return [r for r in self.rings if r.ahead is not None and r.ahead <= timedelta(0)]

    @property
    def alone(self) -> list[Ring]:
        """Alerts that nothing followed."""
        return [r for r in self.rings if r.followed_by is None]

    @property
    def ahead_days(self) -> float | None:
        """Median of the days from the first alert before a failure to it."""
        first: dict[Mishap, timedelta] = {}
        for ring in reversed(self.before):
            if ring.followed_by is not None and ring.ahead is not None:
                first[ring.followed_by] = ring.ahead
        leads = [lead.total_seconds() / 86_400 for lead in first.values()]
        return median(leads) if leads else None

    @property
    def sentence(self) -> str:
        """For people."""
        days = max(1, round((self.end - self.start).total_seconds() / 86_400))
        span = "year" if 360 <= days <= 366 else f"{days} days" if days > 1 else "day"
        count = len(self.rings)
        parts = []
        if (ahead := self.ahead_days) is not None:
            parts.append(f"{len(self.before)} before failures, {_days(ahead)} ahead")
        if self.during:
            parts.append(f"{len(self.during)} while the machine was down")
        if self.alone:
            parts.append(f"{len(self.alone)} that nothing followed")
        text = (
            f"With these limits you would have had {count or 'no'} alert{'' if count == 1 else 's'}"
        )
        text += f" in the last {span}" + (": " + ", ".join(parts) if parts else "") + "."
        if self.missed:
            text += f" Failures without an alert before them: {len(self.missed)}."
        elif not self.mishaps:
            text += " No failure is known in that time."
        if self.first is not None and self.first - self.start > (self.end - self.start) / 10:
            known = max(1, round((self.end - self.first).total_seconds() / 86_400))
            text += f" Readings are there of the last {known} day{'' if known == 1 else 's'} only."
        return text


def _days(days: float) -> str:
    if days < 2:
        return f"{round(days * 24)} h"
    return f"{round(days)} days"


def replay(
    spec: Spec,
    samples: Sequence[Sample],
    *,
    start: datetime,
    end: datetime,
    mishaps: Iterable[Mishap] = (),
    idle: Iterable[tuple[datetime, datetime | None]] = (),
) -> Replay:
    """Run a rule over the past; alerts before `start` only bring it into its state.

    Args:
        spec: the rule, saved or not.
        samples: oldest first, each moment once, from `spec.memory_seconds` before `start` on.
        start: of the span.
        end: of the span.
        mishaps: failures that really were.
        idle: spans out of service, in which silence is no alert.
    """
    fold = fold_of(spec)
    for sample in samples:
        fold.step(sample)
    fold.advance(end)
    spans = list(idle) if spec.kind == "silence" else []
    openings = [
        (moment(e.opened), None if e.cleared is None else moment(e.cleared), e.value)
        for e in fold.episodes
    ]
    return of_openings(
        [
            (opened, cleared, value)
            for opened, cleared, value in openings
            if not any(a <= opened and (b is None or opened < b) for a, b in spans)
        ],
        readings=sum(s.at >= start for s in samples),
        first=next((s.at for s in samples if s.at >= start), None),
        start=start,
        end=end,
        mishaps=mishaps,
    )


def of_openings(
    openings: Iterable[tuple[datetime, datetime | None, float]],
    *,
    readings: int,
    start: datetime,
    end: datetime,
    mishaps: Iterable[Mishap],
    first: datetime | None = None,
) -> Replay:
    """The answer from alerts that are known already: opened, cleared, value."""
    known = tuple(sorted((m for m in mishaps if start <= m.at <= end), key=lambda m: m.at))
    rings = tuple(
        _ring(opened, cleared, value, known)
        for opened, cleared, value in openings
        if start <= opened <= end
    )
    told = {r.followed_by for r in rings if r.ahead is not None and r.ahead > timedelta(0)}
    missed = tuple(m for m in known if m not in told)
    return Replay(start, end, readings, rings, known, missed, first)


def _ring(
    opened: datetime, cleared: datetime | None, value: float, known: tuple[Mishap, ...]
) -> Ring:
    for mishap in known:
        if mishap.at <= opened and (mishap.ends is None or opened < mishap.ends):
            return Ring(opened, cleared, value, mishap, mishap.at - opened)
        if timedelta(0) < mishap.at - opened <= AHEAD:
            return Ring(opened, cleared, value, mishap, mishap.at - opened)
    return Ring(opened, cleared, value)
