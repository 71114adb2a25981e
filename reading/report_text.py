"""A report's sections drafted from facts. Pure.

The sections are those of RSNA's reporting templates (RadReport): clinical information, technique,
comparison, findings, impression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# key -> title, in the order of the report
SECTIONS: Final = {
    "clinical": "Clinical information",
    "technique": "Technique",
    "comparison": "Comparison",
    "findings": "Findings",
    "impression": "Impression",
}
# kinds of `imaging.frame.Spacing` in words
SCALES: Final = {
    "geometry": "calibrated to the patient's plane",
    "fiducial": "calibrated by an object on the film",
    "detector": "in the detector's plane, anatomy is smaller",
    "scanned": "on the scanned film",
    "unspecified": "plane not stated",
}
PRIORS_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class FindingFact:
    """A finding that stands after the verdicts.

    Attributes:
        number: as on the film: `1` of the model, `+1` of a reader.
        name: of its class in words.
        side: of the picture, `left` or `right`.
        size: width and height of the box in millimetres, and a key of `SCALES`; `None` without.
        origin: `accepted`, `edited`, or `drawn`.
        score: of the model, 0 to 1; `None` where a reader drew it.
        was: the model's class in words where an edit changed it, else empty.
        abnormal: counts for the impression.
    """

    number: str
    name: str
    side: str
    size: tuple[float, float, str] | None
    origin: str
    score: float | None
    was: str
    abnormal: bool


@dataclass(frozen=True, slots=True)
class PriorFact:
    """An earlier film: day in the hospital's zone, what it is, what was signed or empty."""

    day: str
    what: str
    conclusion: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report says of a film beside the reader's own words.

    Attributes:
        study: what was asked for, as its sender describes the study; may be empty.
        film: modality, body part and view.
        machine: name, model and serial; empty where the film doesn't name it.
        taken: exposure in the hospital's zone with the zone's name; empty where unknown.
        priors: newest first.
        findings: those that stand.
        unjudged: boxes above the model's threshold on which no reader said anything.
    """

    study: str
    film: str
    machine: str
    taken: str
    priors: Sequence[PriorFact]
    findings: Sequence[FindingFact]
    unjudged: int


def draft(facts: Facts, conclusion: str) -> dict[str, str]:
    """Section -> text; `conclusion` may still be empty."""
    return {
        "clinical": facts.study or "Not given.",
        "technique": _technique(facts),
        "comparison": _comparison(facts.priors),
        "findings": _findings(facts),
        "impression": _impression(facts.findings, conclusion),
    }


def merged(drafted: Mapping[str, str], edited: Mapping[str, str]) -> dict[str, str]:
    """The sections as they read: a reader's own text stands before the drafted one."""
    return {key: edited.get(key) or drafted[key] for key in SECTIONS}


def line(finding: FindingFact) -> str:
    """One finding in one line."""
    parts = [f"{finding.number}. {finding.name}", f"{finding.side} of the picture"]
    if finding.size:
        width, height, scale = finding.size
        parts.append(f"box {width:.0f} x {height:.0f} mm ({SCALES.get(scale, scale)})")
    if finding.origin == "accepted":
        score = f"model's score {finding.score:.2f}, " if finding.score is not None else ""
        parts.append(f"{score}accepted by the reader")
    elif finding.origin == "edited":
        was = f" (model: {finding.was})" if finding.was else ""
        parts.append(f"changed by the reader{was}")
    else:
        parts.append("drawn by the reader")
    return ", ".join(parts) + "."


def _technique(facts: Facts) -> str:
    machine = (
        f"Machine: {facts.machine}." if facts.machine else "The film doesn't name its machine."
    )
    taken = f"Taken {facts.taken}." if facts.taken else "Time of exposure unknown."
    return f"{facts.film}. {machine} {taken}"


def _comparison(priors: Sequence[PriorFact]) -> str:
    if not priors:
        return "None here."
    named = [
        f"{prior.day}, {prior.what} ({prior.conclusion or 'not signed'})"
        for prior in priors[:PRIORS_NAMED]
    ]
    more = len(priors) - len(named)
    return "; ".join(named) + (f"; and {more} earlier." if more else ".")


def _findings(facts: Facts) -> str:
    lines = [line(finding) for finding in facts.findings] or ["No finding is marked."]
    if facts.unjudged:
        boxes = "1 box" if facts.unjudged == 1 else f"{facts.unjudged} boxes"
        lines.append(f"Not judged by the reader: {boxes} of the model.")
    return "\n".join(lines)


def _impression(findings: Sequence[FindingFact], conclusion: str) -> str:
    if conclusion == "normal":
        return "Normal film."
    if conclusion == "not_readable":
        return "The film is not readable."
    if conclusion != "abnormal":
        return ""
    names = [finding.name for finding in findings if finding.abnormal]
    counted = [f"{n} ({names.count(n)} places)" if names.count(n) > 1 else n for n in names]
    return f"Abnormal: {', '.join(dict.fromkeys(counted))}." if counted else "Abnormal film."
