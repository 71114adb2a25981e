"""Which films need a reader, in what order, and the sentence why. No clock, no database.

The urgency of a film is a number that grows with waiting:

    urgency(t) = base + (t - waiting_since) / CEILING + (LIFT if it waited past CEILING)

`base` comes from what the detector saw and how far the machine is trusted; it can raise a film,
never push it below its turn: with the ceiling passed, `LIFT` puts the film among the flagged ones,
and as waiting counts without bound, each film comes first in the end. All films gain at the same
pace, so `rank = base - waiting_since / CEILING` has no clock in it and can be stored and indexed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

ABNORMAL = frozenset({"covid", "pneumonia"})
CEILING = timedelta(hours=1)
LIFT = 1.0
FLAGGED = 1.0  # plus the score: 1 to 2
UNREAD = 1.2  # nobody and nothing has looked at it
DOUBTED = 0.6  # the model saw nothing, on a machine that can't be trusted
REDUCED = 0.25


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
    """

    run_state: str
    label: str
    score: float | None
    trust: str
    waiting_since: datetime
    gate: str = ""


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
    """True if a person must look whatever the clock says: flagged, not read, or doubted."""
    if film.run_state in {"failed", "refused", ""}:
        return True
    return film.run_state == "done" and (film.score is not None or film.trust == "reduced")


def base(film: Film) -> float:
    """Urgency that doesn't depend on the time of day."""
    if film.run_state in {"failed", "refused", ""}:
        return UNREAD + (REDUCED if film.trust == "reduced" else 0.0)
    if film.run_state != "done":
        return 0.0
    reduced = film.trust == "reduced"
    if film.score is not None:
        return FLAGGED + film.score + (REDUCED if reduced else 0.0)
    return DOUBTED if reduced else 0.0


def rank(film: Film) -> float:
    """What is stored: higher comes first among films on the same side of the ceiling."""
    return base(film) - film.waiting_since.timestamp() / CEILING.total_seconds()


def urgency(stored_rank: float, waiting_since: datetime, now: datetime) -> float:
    """The number shown: stored rank at a given time, lifted past the ceiling."""
    lift = LIFT if waited_past_ceiling(waiting_since, now) else 0.0
    return stored_rank + now.timestamp() / CEILING.total_seconds() + lift


def waited_past_ceiling(waiting_since: datetime, now: datetime) -> bool:
    """True from the moment on at which a film has waited `CEILING`."""
    return waiting_since <= now - CEILING


def side(findings: Iterable[Seen]) -> str:
    """On which side of the picture: `left`, `right`, `both`; empty without findings.

    Sides are the picture's, not the body's: the stored header doesn't say how the film hangs.
    """
    sides = {"left" if f.center < 0.5 else "right" for f in findings}
    return "both" if len(sides) > 1 else next(iter(sides), "")


_SIDES = {
    "left": "left of the picture",
    "right": "right of the picture",
    "both": "both sides",
    "": "",
}


def why(film: Film, flags: list[Seen], now: datetime) -> str:
    """The sentence that puts the film where it is.

    Args:
        film: what priority knows of it.
        flags: its flagging findings, highest first, as `flagging` gives them.
        now: aware.
    """
    reasons = []
    if flags:
        top = flags[0]
        place = _SIDES[side(f for f in flags if f.label == top.label)]
        reasons.append(f"{top.label} {top.score:.2f}, {place}")
    elif film.score is not None:
        reasons.append(f"{film.label} {film.score:.2f}")
    elif film.run_state == "refused" and film.gate:
        reasons.append(f"the detector was not asked: {film.gate}")
    elif film.run_state in {"failed", "refused"}:
        reasons.append("the detector could not read it")
    elif film.run_state == "":
        reasons.append("no detector has read it")
    elif film.run_state in {"queued", "running"}:
        reasons.append("the detector is not done yet")
    if film.trust == "reduced":
        reasons.append(
            "machine's trust reduced"
            if reasons
            else "no finding, but the machine's trust is reduced"
        )
    if waited_past_ceiling(film.waiting_since, now):
        minutes = int(CEILING.total_seconds() // 60)
        reasons.append(f"waited past {minutes} min")
    return "; ".join(reasons) or "no finding, in turn"
