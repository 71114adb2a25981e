"""Which films need a reader, in what order, and the sentence why. No clock, no database.

The urgency of a film, in hours of waiting that it counts for:

    urgency(t) = (t - waiting_since) + asked + ceiling * (LIFT if past the ceiling else head_start)

`ceiling` is the house's setting, in hours here. `asked` is what a person wants (STAT, HIGH, LOW in
the header or set here). `head_start` is what the detector and the machine's trust give, in
ceilings: never negative and smaller than `LIFT`, so the detector can only bring a film forward, and
only within the ceiling. It grows with the ceiling because a flag that counts for a ceiling or more
keeps a flagged film before every quiet one below the ceiling, whatever the ceiling is; counted in
fixed hours, it would leave a ceiling of more than two hours without effect. What a person asks
stays in hours. What follows, for films with the same request and any ceiling, and what
`tests/detection/test_priority.py` proves:

1. Once a film has waited past the ceiling, only films that came before it stand in front of it: its
   place is its first-in-first-out place or better, whatever the detector said of this or any film.
2. Before that, a film that the detector saw nothing in can be overtaken. With one reader, who never
   idles while a film waits, it is begun at most one ceiling, and the film then on the screen,
   later than first-in-first-out would have begun it.
3. Waiting and a finding never lower a film's urgency.

A person may push further: STAT stands before everything; HIGH before every film below the ceiling
and before films past it that came up to `HIGH` hours earlier (it has a `LIFT` of its own); LOW
counts as come half an hour later. All films gain at the same pace, so `asked - waiting_since`, the
rank, has neither clock nor ceiling in it and can be stored: a change of the ceiling changes no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

ABNORMAL = frozenset({"covid", "pneumonia"})
CEILING = timedelta(hours=1)  # unless the house says otherwise
LIFT = 10.0  # ceilings: above every head start
STAT = 1e6  # hours: above any waiting
HIGH = 2.0  # hours, above a lift of its own
LOW = -0.5  # hours
FLAGGED = 1.0  # ceilings, as those below; plus the score: 1 to 2
UNREAD = 1.2  # nobody and nothing has looked at it
DOUBTED = 0.6  # the model saw nothing, on a machine that can't be trusted
REDUCED = 0.25
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One finding, as far as priority cares.

    Attributes:
        label: class of the detector.
        score: 0 to 1.
        center: horizontal centre of the box as a share of the image's width, 0 left to 1 right.
    """

    label: str
    score: float
    center: float


@dataclass(frozen=True, slots=True)
class Film:
    """One film waiting for its reader.

    Attributes:
        run_state: `queued`, `running`, `done`, `failed`, `refused`; empty without a run.
        label, score: of the highest finding that flags; empty and `None` without one.
        trust: `full`, `reduced`, `unknown`.
        waiting_since: aware.
        gate: as what the image gate refused it, in words; empty if it didn't.
        urgency: `stat`, `high`, `routine`, `medium`, `low`; empty where nobody asked.
        urgency_reason: why a person set it so; empty where the header says it.
    """

    run_state: str
    label: str
    score: float | None
    trust: str
    waiting_since: datetime
    gate: str = ""
    urgency: str = ""
    urgency_reason: str = ""


class Place(Protocol):
    """What is stored of a film's place; `detection.models.WorklistItem` is one."""

    rank: float
    head_start: float
    waiting_since: datetime
    urgency: str


def flagging(findings: Iterable[Seen], thresholds: Mapping[str, float]) -> list[Seen]:
    """The findings that flag a film, highest score first.

    Args:
        findings: of one run.
        thresholds: of the run's version, class to score; a class without one never flags.
    """
    chosen = [
        f
        for f in findings
        if f.label in ABNORMAL and f.label in thresholds and f.score >= thresholds[f.label]
    ]
    return sorted(chosen, key=lambda f: -f.score)


def needs_reader(film: Film) -> bool:
    """True if a person must look whatever the clock says: asked for, flagged, unread, doubted."""
    if film.urgency in {"stat", "high"}:
        return True
    if film.run_state in {"failed", "refused", ""}:
        return True
    return film.run_state == "done" and (film.score is not None or film.trust == "reduced")


def asked(film: Film) -> float:
    """Hours that a person's request counts for, beside the lift of HIGH."""
    return {"stat": STAT, "high": HIGH, "low": LOW}.get(film.urgency, 0.0)


def head_start(film: Film) -> float:
    """Ceilings that the detector and the machine's trust bring a film forward: 0 to below `LIFT`.

    In steps of 1/1024, which leave no rounding when they are added to a time and taken off again.
    """
    return round(_head_start(film) * 1024) / 1024


def _head_start(film: Film) -> float:
    reduced = film.trust == "reduced"
    if film.run_state in {"failed", "refused", ""}:
        return UNREAD + (REDUCED if reduced else 0.0)
    if film.run_state != "done":
        return 0.0
    if film.score is not None:
        return FLAGGED + film.score + (REDUCED if reduced else 0.0)
    return DOUBTED if reduced else 0.0


def rank(film: Film) -> float:
    """What is stored, in hours: higher comes first among films without head start and lift."""
    return asked(film) - film.waiting_since.timestamp() / _HOUR


def lifts(*, urgency: str, past: bool) -> int:
    """How many times `LIFT` counts: for the ceiling, and for a person who asks for HIGH."""
    return int(past) + int(urgency == "high")


def urgency(place: Place, now: datetime, ceiling: timedelta) -> float:
    """The number shown: what is stored, at a given time, in hours."""
    past = waited_past_ceiling(place.waiting_since, now, ceiling)
    ceilings = LIFT * lifts(urgency=place.urgency, past=past)
    if not past:
        ceilings += place.head_start
    return place.rank + now.timestamp() / _HOUR + ceilings * (ceiling.total_seconds() / _HOUR)


def waited_past_ceiling(waiting_since: datetime, now: datetime, ceiling: timedelta) -> bool:
    """True from the moment on at which a film has waited `ceiling`."""
    return waiting_since <= now - ceiling


def in_words(ceiling: timedelta) -> str:
    """`60 min`, from two hours on `4 h` or `2 h 30 min`."""
    minutes = int(ceiling.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    if hours < 2:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def side_at(center: float) -> str:
    """Side of the picture of a horizontal centre, a share of its width."""
    return "left" if center < 0.5 else "right"


def side(findings: Iterable[Seen]) -> str:
    """On which side of the picture: `left`, `right`, `both`; empty without findings.

    Sides are the picture's, not the body's: the stored header doesn't say how the film hangs.
    """
    sides = {side_at(f.center) for f in findings}
    return "both" if len(sides) > 1 else next(iter(sides), "")


_ASKED = {"stat": "asked for as STAT", "high": "asked for as urgent", "low": "asked for as low"}
_UNREAD = {
    "failed": "the detector could not read it",
    "refused": "the detector could not read it",
    "": "no detector has read it",
    "queued": "the detector is not done yet",
    "running": "the detector is not done yet",
}
_SIDES = {
    "left": "left of the picture",
    "right": "right of the picture",
    "both": "both sides",
    "": "",
}


def _request(film: Film) -> list[str]:
    if film.urgency not in _ASKED:
        return []
    said = f" ({film.urgency_reason})" if film.urgency_reason else ""
    return [_ASKED[film.urgency] + said]


def _reading(film: Film, flags: list[Seen]) -> list[str]:
    if flags:
        top = flags[0]
        place = _SIDES[side(f for f in flags if f.label == top.label)]
        return [f"{top.label} {top.score:.2f}, {place}"]
    if film.score is not None:
        return [f"{film.label} {film.score:.2f}"]
    if film.run_state == "refused" and film.gate:
        return [f"the detector was not asked: {film.gate}"]
    return [_UNREAD[film.run_state]] if film.run_state in _UNREAD else []


def blind_why(film: Film, now: datetime, ceiling: timedelta) -> str:
    """As `why`, for a reader who must not know yet what the model said, or whether it did."""
    unsaid = replace(film, run_state="unsaid", label="", score=None, gate="")
    reasons = _request(film) + _around(unsaid, now, ceiling)
    return "; ".join(reasons) or "in turn"


def why(film: Film, flags: list[Seen], now: datetime, ceiling: timedelta) -> str:
    """The sentence that puts the film where it is.

    Args:
        film: what priority knows of it.
        flags: its flagging findings, highest first, as `flagging` gives them.
        now: aware.
        ceiling: of the house.
    """
    reasons = _request(film) + _reading(film, flags) + _around(film, now, ceiling)
    return "; ".join(reasons) or "no finding, in turn"


def _around(film: Film, now: datetime, ceiling: timedelta) -> list[str]:
    reasons = []
    if film.trust == "reduced":
        reasons.append(
            "machine's trust reduced"
            if film.score is not None or film.run_state != "done"
            else "no finding, but the machine's trust is reduced"
        )
    if waited_past_ceiling(film.waiting_since, now, ceiling):
        reasons.append(f"waited past {in_words(ceiling)}")
    return reasons
