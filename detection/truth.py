"""What a signed film shows, from the model's findings and what readers said of them. Pure.

The rules stand in docs/datasets.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .priority import ABNORMAL

Box = tuple[float, float, float, float]

# why a film is left out; why a box is
NOT_READABLE: Final = "not_readable"
ABNORMAL_WITHOUT_BOX: Final = "abnormal_without_box"
NORMAL_WITH_DISEASE: Final = "normal_with_disease"
REJECTED: Final = "rejected"
UNREVIEWED_AGAINST: Final = "unreviewed_against_conclusion"
UNREVIEWED_BELOW: Final = "unreviewed_below_threshold"


@dataclass(frozen=True, slots=True)
class Opinion:
    """The verdict that counts on a finding, or a box that a reader added.

    Attributes:
        verdict: `accept`, `reject`, `edit`, `add`.
        label: of an edit or an added box; empty where an edit left it.
        box: of an edit or an added box; `None` where an edit left it.
        by: number of the reader.
    """

    verdict: str
    label: str
    box: Box | None
    by: int


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of the model: box in pixels of the stored image, score 0 to 1."""

    label: str
    score: float
    box: Box
    opinion: Opinion | None


@dataclass(frozen=True, slots=True)
class TrueBox:
    """One box that a person stands behind.

    Attributes:
        verdict: `accept`, `edit`, `add`, or `unreviewed`.
        origin: who drew it: `human`, or `model`.
        by: number of the reader who stands for it; the signer's where `unreviewed`.
    """

    label: str
    box: Box
    verdict: str
    origin: str
    by: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What the film shows, or why it is left out.

    Attributes:
        boxes: sorted, so that the same opinions give the same set.
        left_out: why the whole film is; empty if it counts.
        dropped: reason to number of findings that are not among the boxes.
    """

    boxes: tuple[TrueBox, ...]
    left_out: str
    dropped: Mapping[str, int]


def truth_of(
    *,
    conclusion: str,
    signer: int,
    findings: Iterable[Found],
    added: Iterable[Opinion],
    thresholds: Mapping[str, float],
) -> Truth:
    """Combine findings, verdicts and conclusion.

    Args:
        conclusion: `normal`, `abnormal`, `not_readable`.
        signer: number of the reader who signed.
        findings: of the run that the signer had, each with the verdict that counts.
        added: boxes that readers drew and nobody took back.
        thresholds: of the run's version, class to score.
    """
    dropped: dict[str, int] = {}
    if conclusion == NOT_READABLE:
        return Truth((), NOT_READABLE, dropped)
    boxes = []
    for found in findings:
        why = _why_dropped(found, conclusion, thresholds)
        if why:
            dropped[why] = dropped.get(why, 0) + 1
        else:
            boxes.append(_box(found, signer))
    boxes += [
        TrueBox(opinion.label, opinion.box, opinion.verdict, "human", opinion.by)
        for opinion in added
        if opinion.box is not None
    ]
    boxes.sort(key=lambda b: (b.label, b.box, b.verdict, b.origin, b.by))
    return Truth(tuple(boxes), _why_left_out(conclusion, boxes), dropped)


def _why_dropped(found: Found, conclusion: str, thresholds: Mapping[str, float]) -> str:
    if found.opinion is not None:
        return REJECTED if found.opinion.verdict == "reject" else ""
    if found.label not in thresholds or found.score < thresholds[found.label]:
        return UNREVIEWED_BELOW
    agrees = (found.label in ABNORMAL) == (conclusion == "abnormal")
    return "" if agrees else UNREVIEWED_AGAINST


def _box(found: Found, signer: int) -> TrueBox:
    opinion = found.opinion
    if opinion is None:
        return TrueBox(found.label, found.box, "unreviewed", "model", signer)
    return TrueBox(
        label=opinion.label or found.label,
        box=opinion.box or found.box,
        verdict=opinion.verdict,
        # an accepted box is the model's own: to measure a model by it would flatter the model
        origin="human" if opinion.box is not None else "model",
        by=opinion.by,
    )


def _why_left_out(conclusion: str, boxes: Sequence[TrueBox]) -> str:
    """Why a film would teach what its signer didn't say; a normal one may be without boxes."""
    diseased = any(box.label in ABNORMAL for box in boxes)
    if conclusion == "abnormal" and not diseased:
        return ABNORMAL_WITHOUT_BOX
    if conclusion == "normal" and diseased:
        return NORMAL_WITH_DISEASE
    return ""
