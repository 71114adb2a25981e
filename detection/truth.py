"""What a signed film shows, settled from the model's findings and what people said of them.

No clock, no database. The rules are careful rather than plentiful: where nobody said what a box
is, the box is no truth, and a film on which such a box stands is left out, for a film without the
box would teach that there is nothing. docs/datasets.md tells the same in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detection.priority import ABNORMAL

Box = tuple[float, float, float, float]
SAME_PLACE = 0.5  # IoU from which two boxes are about one lung

# why a signed film isn't in a set -> the sentence for people
LEFT_OUT: dict[str, str] = {
    "not_readable": "signed as not readable",
    "contradiction": "signed as normal, yet a reader confirmed or drew a disease",
    "not_named": "signed as abnormal, and no reader's verdict or box says with what",
    "unsettled": "a finding of the model that no reader judged, and no verdict agrees with",
    "no_boxes": "signed as normal, and no box of a normal lung is left",
    "burned_in": "the file says, or nobody has ruled out, that text is burnt into the picture",
    "cannot_display": "the picture can't be decoded here",
    "file_missing": "the archive lost the file",
    "input_differs": "an 8-bit picture would not give the network the same grey levels",
}


@dataclass(frozen=True, slots=True)
class ModelBox:
    """A finding of the run that the signer saw; box as left, top, width, height in pixels."""

    finding: int
    label: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict that nobody took back.

    Attributes:
        finding: the finding judged; `None` for a box that the reader added.
        verdict: `accept`, `reject`, `edit`, `add`.
        label, box: what an edit or an addition says; empty and `None` where an edit leaves it.
        by, role: whose it is.
    """

    finding: int | None
    verdict: str
    label: str
    box: Box | None
    by: int
    role: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature: `normal`, `abnormal` or `not_readable`, and whose it is."""

    conclusion: str
    by: int
    role: str


@dataclass(frozen=True, slots=True)
class TruthBox:
    """One box that counts.

    Attributes:
        origin: `human` (a reader drew it or changed the model's), `accepted` (the model's place,
            confirmed by a reader), `concluded` (the model's, unjudged, and the signature agrees).
        verdict: `accept`, `edit`, `add`; `sign` for `concluded`.
        by, role: who says so.
    """

    label: str
    box: Box
    origin: str
    verdict: str
    by: int
    role: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What the film shows, by label and place; or why it is left out (a key of `LEFT_OUT`)."""

    boxes: tuple[TruthBox, ...] = ()
    left_out: str = ""


def settle(
    *,
    findings: Sequence[ModelBox],
    verdicts: Iterable[Said],
    signed: Signed,
    thresholds: Mapping[str, float],
) -> Settled:
    """Boxes of one signed film.

    Args:
        findings: of the run that the signer saw.
        verdicts: not taken back, oldest first; the newest on a finding counts. One on a finding
            of another run is passed over: the signer's page didn't show it.
        signed: the signature.
        thresholds: of that run's version; an unjudged finding below its class's is no finding.
    """
    if signed.conclusion == "not_readable":
        return Settled(left_out="not_readable")
    said = list(verdicts)
    newest = {v.finding: v for v in said if v.finding is not None}
    judged = [_judged(f, newest[f.finding]) for f in findings if f.finding in newest]
    by_people = [b for b in judged if b is not None]
    by_people += [
        TruthBox(v.label, v.box, "human", v.verdict, v.by, v.role)
        for v in said
        if v.finding is None and v.box is not None
    ]
    unjudged = [
        f
        for f in findings
        if f.finding not in newest
        and f.label in thresholds
        and f.score >= thresholds[f.label]
        # a reader has said what stands there
        and not any(iou(f.box, b.box) >= SAME_PLACE for b in by_people)
    ]
    diseases = {b.label for b in by_people} & ABNORMAL
    rule = _normal if signed.conclusion == "normal" else _abnormal
    return rule(by_people, unjudged, diseases, signed)


def _normal(
    by_people: list[TruthBox], unjudged: list[ModelBox], diseases: set[str], signed: Signed
) -> Settled:
    """The signature speaks against every disease and for every normal lung left standing."""
    if diseases:
        return Settled(left_out="contradiction")
    agreed = [_concluded(f, signed) for f in unjudged if f.label not in ABNORMAL]
    boxes = [*by_people, *agreed]
    return Settled(_in_order(boxes)) if boxes else Settled(left_out="no_boxes")


def _abnormal(
    by_people: list[TruthBox], unjudged: list[ModelBox], diseases: set[str], signed: Signed
) -> Settled:
    """The signature doesn't say which disease; a reader's verdict on this film must."""
    if not diseases:
        return Settled(left_out="not_named")
    if any(f.label not in diseases for f in unjudged):
        return Settled(left_out="unsettled")
    return Settled(_in_order([*by_people, *(_concluded(f, signed) for f in unjudged)]))


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes (left, top, width, height)."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def _judged(finding: ModelBox, said: Said) -> TruthBox | None:
    if said.verdict == "reject":
        return None
    box, drawn = (said.box, True) if said.box is not None else (finding.box, False)
    origin = "human" if drawn else "accepted"
    return TruthBox(said.label or finding.label, box, origin, said.verdict, said.by, said.role)


def _concluded(finding: ModelBox, signed: Signed) -> TruthBox:
    return TruthBox(finding.label, finding.box, "concluded", "sign", signed.by, signed.role)


def _in_order(boxes: Iterable[TruthBox]) -> tuple[TruthBox, ...]:
    """By label and place, whatever order the rows came in; the same box twice counts once."""
    kept = {(b.label, b.box): b for b in boxes}
    return tuple(kept[key] for key in sorted(kept))
