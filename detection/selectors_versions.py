"""Reads of the models pages: versions with their evidence, side by side, and agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Max, Prefetch, QuerySet

from detection import priority, signed_figures
from detection.agreement import Agreement, Pair, agreement
from detection.detectors.prediction import Box
from detection.evaluation.headline import LOWER_IS_BETTER
from detection.evaluation.wording import HEADLINE
from detection.models import (
    TEST,
    VAL,
    Conclusion,
    DetectionRun,
    DetectorVersion,
    EvidenceSet,
    Promotion,
    Purpose,
    ReadingState,
    RunState,
    Signature,
    VersionReading,
    WeightsUpload,
)
from detection.services.comparison import compared
from detection.signed_figures import SignedFilm
from twinhealth.errors import DomainError

FILMS_COMPARED: Final = 2_000  # newest films that a page compares
FILMS_LISTED: Final = 50  # of those that differ


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure of two versions; rows are `{value, low, high}`, or empty if unknown.

    Attributes:
        key, text: its name, and what it says.
        candidate, active: of the one and of the other.
        change: `{difference, low, high}` of the paired bootstrap; empty where not compared.
        word: `better`, `worse`, `not worse`, or empty where not compared.
    """

    key: str
    text: str
    candidate: Mapping[str, Any]
    active: Mapping[str, Any]
    change: Mapping[str, Any]
    word: str


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two versions on one set.

    Attributes:
        name: of the set.
        films: how many films each has evidence on; `None` without.
        figures: of both, with the change.
        problem: why they can't be compared; empty if they can.
    """

    name: str
    films: tuple[int | None, int | None]
    figures: Sequence[Figure]
    problem: str


@dataclass(frozen=True, slots=True)
class Signed:
    """Two versions on the site's own signed films.

    Attributes:
        signed: films signed as normal or abnormal, the newest `FILMS_COMPARED`.
        read: how many of them the candidate and the active version read apart.
        both, abnormal: films that both read, and how many of those are signed abnormal.
        figures: on the films that both read; empty where there are none.
    """

    signed: int
    read: tuple[int, int]
    both: int
    abnormal: int
    figures: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class ReadingProgress:
    """Readings apart of one version: waiting, read, given up, and why some wait."""

    waiting: int = 0
    done: int = 0
    failed: int = 0
    reason: str = ""

    @property
    def total(self) -> int:
        """All that were asked for."""
        return self.waiting + self.done + self.failed


def versions() -> QuerySet[DetectorVersion]:
    """All versions by state (active, candidate, retired, shadow), newest first, with evidence."""
    return (
        DetectorVersion.objects.select_related("registered_by")
        .prefetch_related(Prefetch("evidence_sets", EvidenceSet.objects.order_by("name")))
        .order_by("state", "-created_at", "-id")
    )


def promotions() -> QuerySet[Promotion]:
    """Changes of the active version, newest first, joined for a table."""
    return Promotion.objects.select_related("version", "instead_of")


def uploads() -> QuerySet[WeightsUpload]:
    """Weights files that admins sent, newest first."""
    return WeightsUpload.objects.select_related("uploaded_by", "version")


def progress(version: DetectorVersion, *purposes: Purpose) -> ReadingProgress:
    """How far the readings apart of a version are (all purposes unless some are given)."""
    found = VersionReading.objects.filter(version=version, purpose__in=purposes or Purpose.values)
    rows = found.order_by().values("state").annotate(count=Count("pk"), why=Max("reason"))
    counts: dict[str, int] = {row["state"]: row["count"] for row in rows}
    reasons: dict[str, str] = {row["state"]: row["why"] for row in rows}
    return ReadingProgress(
        waiting=counts.get(ReadingState.QUEUED, 0),
        done=counts.get(ReadingState.DONE, 0),
        failed=counts.get(ReadingState.FAILED, 0),
        reason=reasons.get(ReadingState.QUEUED, ""),
    )


def evidence_of(version: DetectorVersion) -> dict[str, EvidenceSet]:
    """By set; uses what `versions()` brought along."""
    return {stored.name: stored for stored in version.evidence_sets.all()}


def side_by_side(candidate: DetectorVersion, active: DetectorVersion, name: str) -> SideBySide:
    """Both on one set, with the paired bootstrap of the difference."""
    sets = (evidence_of(candidate).get(name), evidence_of(active).get(name))
    change: Mapping[str, Mapping[str, Any]] = {}
    problem = ""
    try:
        change = compared(candidate, active, name) or {}
    except DomainError as error:
        problem = error.message
    missing = [v.name for v, found in zip((candidate, active), sets, strict=True) if not found]
    if missing:
        problem = f"No evidence on {name} is stored for {' and '.join(missing)}."
    return SideBySide(
        name,
        (sets[0].films if sets[0] else None, sets[1].films if sets[1] else None),
        [
            Figure(
                key=key,
                text=figure.sentence,
                candidate=sets[0].figures.get(key, {}) if sets[0] else {},
                active=sets[1].figures.get(key, {}) if sets[1] else {},
                change=change.get(key, {}),
                word=_word(change.get(key, {}), lower_is_better=key in LOWER_IS_BETTER),
            )
            for key, figure in HEADLINE.items()
        ],
        problem,
    )


def both_sets(candidate: DetectorVersion, active: DetectorVersion) -> list[SideBySide]:
    """Val, which gates, then test, which is only shown."""
    return [side_by_side(candidate, active, name) for name in (VAL, TEST)]


def signed(candidate: DetectorVersion, active: DetectorVersion) -> Signed:
    """Both on the newest films that somebody signed as normal or abnormal, read apart by both."""
    conclusions = (Conclusion.NORMAL, Conclusion.ABNORMAL)
    signatures = Signature.objects.filter(conclusion__in=conclusions).order_by("-at", "-pk")
    rows = signatures.values_list("image_id", "conclusion", "image__series__study__patient_id")
    truth = {image: (word, patient) for image, word, patient in rows[:FILMS_COMPARED]}
    scores: dict[int, dict[int, dict[str, float]]] = {candidate.pk: {}, active.pk: {}}
    read = VersionReading.objects.filter(
        version__in=scores, image__in=truth, state=ReadingState.DONE
    )
    for version_id, image_id, found in read.values_list("version_id", "image_id", "scores"):
        scores[version_id][image_id] = found
    both = sorted(scores[candidate.pk].keys() & scores[active.pk].keys())
    films = {
        version.pk: [
            _signed_film(version, scores[version.pk][image], *truth[image]) for image in both
        ]
        for version in (candidate, active)
    }
    return Signed(
        signed=len(truth),
        read=(len(scores[candidate.pk]), len(scores[active.pk])),
        both=len(both),
        abnormal=sum(film.abnormal for film in films[candidate.pk]),
        figures=_signed_figures(films[candidate.pk], films[active.pk]) if both else (),
    )


def shadow_agreement(shadow: DetectorVersion, active: DetectorVersion | None) -> Agreement:
    """How far a version that reads along agrees with the active one, on films that both read."""
    if active is None:
        return agreement([])
    read = VersionReading.objects.filter(version=shadow, state=ReadingState.DONE)
    newest = dict(
        read.order_by("-finished_at", "-pk").values_list("image_id", "boxes")[:FILMS_COMPARED]
    )
    runs = (
        DetectionRun.objects.filter(version=active, image__in=newest, state=RunState.DONE)
        .prefetch_related("findings")
        .order_by("-image_id")
    )
    pairs = []
    for run in runs:
        theirs = [
            box
            for box in (Box(*row) for row in newest[run.image_id])
            if box.score >= shadow.thresholds.get(box.label, 2.0)
        ]
        ours = [Box(f.label, f.score, f.x, f.y, f.w, f.h) for f in run.findings.all()]
        pairs.append(Pair(run.image_id, (_flags(theirs), _flags(ours)), (theirs, ours)))
    return agreement(pairs)


def _flags(boxes: Sequence[Box]) -> bool:
    return any(box.label in priority.ABNORMAL for box in boxes)


def _signed_film(
    version: DetectorVersion, scores: Mapping[str, float], conclusion: str, patient: int
) -> SignedFilm:
    ill = {label: scores.get(label, 0.0) for label in priority.ABNORMAL}
    return SignedFilm(
        patient=str(patient),
        abnormal=conclusion == Conclusion.ABNORMAL,
        score=max(ill.values()),
        flagged=any(
            label in version.thresholds and score >= version.thresholds[label]
            for label, score in ill.items()
        ),
    )


def _signed_figures(new: Sequence[SignedFilm], old: Sequence[SignedFilm]) -> list[Figure]:
    candidate, active = signed_figures.figures(new), signed_figures.figures(old)
    change = signed_figures.differences(new, old)
    return [
        Figure(name, text, candidate[name], active[name], change[name], _word(change[name]))
        for name, text in signed_figures.SIGNED.items()
    ]


def _word(change: Mapping[str, Any], *, lower_is_better: bool = False) -> str:
    low, high = change.get("low"), change.get("high")
    if low is None or high is None:
        return ""
    better, worse = (high < 0, low > 0) if lower_is_better else (low > 0, high < 0)
    return "better" if better else "worse" if worse else "not worse"
