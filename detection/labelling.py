"""Which films to label next, and the sentence why. No clock, no database.

Three reasons, in this order: model and reader disagree, the model is uncertain (uncertainty
sampling with least confidence and margin: Settles, Active Learning Literature Survey, 2009, 3.1),
and the machine is new to the signed films. Within a reason films stand by its weight, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from detection.priority import ABNORMAL

NEAR = 0.10  # from a threshold, in score: closer is uncertain
CLOSE = 0.10  # between the scores of two classes
FEW = 20  # signed films of a machine: fewer is new


class Why(StrEnum):
    """Kinds of reason, the strongest first."""

    DISAGREE = "disagree"
    UNCERTAIN = "uncertain"
    NEW_MACHINE = "new_machine"


WORDS: dict[str, str] = {
    Why.DISAGREE: "model and reader disagree",
    Why.UNCERTAIN: "the model is uncertain",
    Why.NEW_MACHINE: "few signed films from the machine",
}
_ORDER = {why: place for place, why in enumerate(Why)}
# what a verdict that isn't an acceptance weighs, and says
_VERDICTS: dict[str, tuple[float, str]] = {
    "edit": (0.9, "a reader changed a finding"),
    "add": (0.8, "a reader drew a box that the model lacks"),
    "reject": (0.7, "a reader rejected a finding"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What counts of one film that the detector has read.

    Attributes:
        scores: label -> highest score of its findings, stored ones only.
        thresholds: of the version that read it.
        verdicts: of readers, the newest on each finding.
        conclusion: of the signature; empty while there is none.
        machine_signed: signed, readable films of its machine; `None` where that isn't known.
    """

    image: int
    scores: Mapping[str, float]
    thresholds: Mapping[str, float]
    verdicts: frozenset[str]
    conclusion: str
    machine_signed: int | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its kind, weight 0 to 1, and sentence."""

    why: Why
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A film worth a label; `reasons` strongest first, at least one."""

    image: int
    reasons: tuple[Reason, ...]

    @property
    def sentence(self) -> str:
        """All reasons."""
        return "; ".join(reason.text for reason in self.reasons)

    @property
    def kinds(self) -> frozenset[Why]:
        """For filters."""
        return frozenset(reason.why for reason in self.reasons)


def wanted(facts: Facts) -> Wanted | None:
    """The film with its reasons; `None` where it has none.

    A signed film takes no more verdicts, so only disagreement keeps it in the list, for a second
    look; a film that nobody could read is in no list.
    """
    if facts.conclusion == "not_readable":
        return None
    reasons = _disagreements(facts)
    if not facts.conclusion:
        reasons += _uncertainties(facts) + _newness(facts)
    if not reasons:
        return None
    reasons.sort(key=lambda r: (_ORDER[r.why], -r.weight, r.text))
    return Wanted(facts.image, tuple(reasons))


def in_order(films: list[Wanted]) -> list[Wanted]:
    """Strongest reason first, then its weight, then how many reasons, then the older film."""
    return sorted(
        films,
        key=lambda w: (
            _ORDER[w.reasons[0].why],
            -w.reasons[0].weight,
            -len(w.reasons),
            w.image,
        ),
    )


def _disagreements(facts: Facts) -> list[Reason]:
    flags = {
        label: score
        for label, score in facts.scores.items()
        if label in ABNORMAL and label in facts.thresholds and score >= facts.thresholds[label]
    }
    found = [Reason(Why.DISAGREE, *_VERDICTS[v]) for v in facts.verdicts if v in _VERDICTS]
    if facts.conclusion == "normal" and flags:
        label, score = max(flags.items(), key=lambda item: (item[1], item[0]))
        text = f"signed as normal, the model saw {label} {score:.2f}"
        found.append(Reason(Why.DISAGREE, 1.0, text))
    if facts.conclusion == "abnormal" and not flags:
        found.append(Reason(Why.DISAGREE, 1.0, "signed as abnormal, the model flagged nothing"))
    return found


def _uncertainties(facts: Facts) -> list[Reason]:
    found = []
    near = [
        (abs(score - facts.thresholds[label]), label, score)
        for label, score in facts.scores.items()
        if label in ABNORMAL and label in facts.thresholds
    ]
    if near and min(near)[0] < NEAR:
        distance, label, score = min(near)
        limit = facts.thresholds[label]
        text = f"{label} {score:.2f}, close to its threshold {limit:.2f}"
        found.append(Reason(Why.UNCERTAIN, 1 - distance / NEAR, text))
    best = sorted(((score, label) for label, score in facts.scores.items()), reverse=True)[:2]
    if len(best) == 2 and best[0][0] - best[1][0] < CLOSE:
        (first, one), (second, other) = best
        text = f"{one} {first:.2f} or {other} {second:.2f}"
        found.append(Reason(Why.UNCERTAIN, 1 - (first - second) / CLOSE, text))
    return found


def _newness(facts: Facts) -> list[Reason]:
    signed = facts.machine_signed
    if signed is None or signed >= FEW:
        return []
    number = "no signed film" if signed == 0 else f"only {signed} signed film{'s'[: signed > 1]}"
    return [Reason(Why.NEW_MACHINE, 1 - signed / FEW, f"{number} from its machine")]
