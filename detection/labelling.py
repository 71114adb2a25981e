"""Why a film is worth a person's label, and in what order. No clock, no database.

Three reasons, as in active learning (Settles, Active Learning Literature Survey, 2009): the model
is *uncertain* (section 3.1: least confident, margin), a reader *disagreed* with it (a known
error), and films of a *new machine* are few, so that nobody knows yet how the model does on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .priority import ABNORMAL

DISAGREE: Final = "disagree"
UNCERTAIN: Final = "uncertain"
NEW_DEVICE: Final = "new_device"
# reason -> what it means, for a person; in the order of the filters
WHY: Final = {
    DISAGREE: "a reader's verdict or conclusion speaks against the model",
    UNCERTAIN: "a score close to the threshold, or two diseases about as likely",
    NEW_DEVICE: "few films of this machine are signed",
}

NEAR: Final = 0.10  # score from the version's threshold
CLOSE: Final = 0.10  # score between two diseases
FEW: Final = 20  # signed films from which on a machine isn't new
# of a reason at its strongest: a known error teaches more than a doubt
WEIGHTS: Final = {DISAGREE: 2.0, UNCERTAIN: 1.0, NEW_DEVICE: 0.5}


@dataclass(frozen=True, slots=True)
class Facts:
    """One film, as far as its label's worth goes.

    Attributes:
        best: disease -> highest score of the latest reading, 0 to 1; absent without a finding.
        thresholds: of the reading's version.
        flagged: a finding lies at or above its threshold.
        verdicts: kinds of the verdicts that count (`reject`, `edit`, `add`, …).
        conclusion: of the signature; empty for a film that waits.
        machine: name; empty where unknown.
        machine_signed: signed films of that machine.
    """

    best: Mapping[str, float]
    thresholds: Mapping[str, float]
    flagged: bool
    verdicts: frozenset[str] = field(default=frozenset())
    conclusion: str = ""
    machine: str = ""
    machine_signed: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Attributes:
        code: a key of `WHY`.
        text: for a person, with the numbers.
        weight: only its order means something.
    """

    code: str
    text: str
    weight: float


def reasons(film: Facts) -> tuple[Reason, ...]:
    """Why the film is worth a label, strongest first; empty if it isn't."""
    found = [r for r in (_disagree(film), _uncertain(film), _new_machine(film)) if r]
    return tuple(sorted(found, key=lambda r: -r.weight))


def newness(count: int) -> float:
    """Weight of a machine with so many signed films; 0 from `FEW` on."""
    return WEIGHTS[NEW_DEVICE] * max(1 - count / FEW, 0.0)


def _disagree(film: Facts) -> Reason | None:
    if film.conclusion == "normal" and film.flagged:
        text = f"signed normal against {_best(film)}; no box was judged"
    elif film.conclusion == "abnormal" and not film.flagged:
        text = "signed abnormal, nothing flagged; no box was drawn"
    else:
        said = [
            text
            for verdict, text in (
                ("reject", "rejected a finding"),
                ("edit", "changed a finding"),
                ("add", "added a box"),
            )
            if verdict in film.verdicts
        ]
        if not said:
            return None
        text = f"a reader {' and '.join(said)}"
    return Reason(DISAGREE, text, WEIGHTS[DISAGREE])


def _uncertain(film: Facts) -> Reason | None:
    if film.conclusion:
        return None
    # how far each disease stands above its threshold: the nearest to being called is the best
    over = {
        label: score - film.thresholds[label]
        for label, score in film.best.items()
        if label in ABNORMAL and label in film.thresholds
    }
    if not over:
        return None
    order = sorted(over, key=lambda label: (-over[label], label))
    label = order[0]
    near = Reason(
        UNCERTAIN,
        f"{label} {film.best[label]:.2f}, threshold {film.thresholds[label]:.2f}",
        WEIGHTS[UNCERTAIN] * max(1 - abs(over[label]) / NEAR, 0.0),
    )
    if over[label] < 0 or len(order) == 1:
        return near if near.weight > 0 else None
    second = order[1]
    apart = abs(film.best[label] - film.best[second])
    close = Reason(
        UNCERTAIN,
        f"{label} {film.best[label]:.2f} or {second} {film.best[second]:.2f}",
        WEIGHTS[UNCERTAIN] * max(1 - apart / CLOSE, 0.0),
    )
    best = max(near, close, key=lambda r: r.weight)
    return best if best.weight > 0 else None


def _new_machine(film: Facts) -> Reason | None:
    if film.conclusion or not film.machine or film.machine_signed >= FEW:
        return None
    count = film.machine_signed
    films = f"{count or 'no'} signed film{'s' if count > 1 else ''}"
    return Reason(
        NEW_DEVICE,
        f"{film.machine} has {films} so far",
        newness(count),
    )


def _best(film: Facts) -> str:
    flagged = {k: v for k, v in film.best.items() if v >= film.thresholds.get(k, 2.0)}
    label = max(flagged, key=lambda k: flagged[k], default="")
    return f"{label} {flagged[label]:.2f}" if label else "the model's flag"
