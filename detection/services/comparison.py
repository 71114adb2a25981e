"""Versions by their stored evidence: what is chosen on val, and one against another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from detection.evaluation.calibration import fit_scaling
from detection.evaluation.evidence import FilmEvidence, from_json
from detection.evaluation.headline import compare, image_scores
from detection.evaluation.thresholds import suggested
from detection.evaluation.wording import HEADLINE
from detection.manifest import Scaling
from detection.models import VAL, DetectorVersion, EvidenceFilm, EvidenceSet
from twinhealth.errors import DomainError

_KEPT: Final = 32  # results in memory; a comparison is a second's work


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen on val alone; both belong to one version and are never carried over."""

    thresholds: dict[str, float]
    scaling: Scaling


@dataclass(frozen=True, slots=True)
class Gate:
    """What the evidence says about letting a version read instead of another.

    Attributes:
        comparison: per headline figure of val, as `evaluation.headline.compare`; empty without.
        worse: the figures in which it is worse.
        why: the sentence that says why a reason is needed; empty where none is.
    """

    comparison: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    worse: tuple[str, ...] = ()
    why: str = ""


def gate(version: DetectorVersion, active: DetectorVersion | None) -> Gate:
    """Whether a version may replace the active one without a written reason.

    It may where it is worse in no headline figure of val, by a paired bootstrap over patients.
    Test figures take no part.
    """
    if chosen_on_val(version) is None:
        return Gate(why=f"{version.name} has no evidence on val: how good it is, is unknown.")
    if active is None:
        return Gate()
    try:
        found = compared(version, active, VAL)
    except DomainError as error:
        return Gate(why=f"{error.message} Whether it is worse, is unknown.")
    if found is None:
        return Gate(why=f"{active.name} has no evidence on val to compare with.")
    worse = tuple(name for name, row in found.items() if row["worse"])
    named = "; ".join(HEADLINE[name].sentence for name in worse)
    why = f"On val it is worse than {active.name} in: {named}." if worse else ""
    if all(row["worse"] is None for row in found.values()):
        why = "The val films are too few to say whether it is worse."
    return Gate(found, worse, why)


def chosen_on_val(version: DetectorVersion) -> Chosen | None:
    """Thresholds and scaling from the version's own evidence on val; `None` without it."""
    stored = EvidenceSet.objects.filter(version=version, name=VAL).first()
    return _chosen(stored.pk, stored.content_sha256) if stored else None


def compared(
    candidate: DetectorVersion, active: DetectorVersion, name: str
) -> dict[str, dict[str, Any]] | None:
    """A candidate against another version on one set, figure by figure.

    Returns:
        As `evaluation.headline.compare`; `None` where one has no evidence on the set.

    Raises:
        InvalidInputError: `evidence_differs`, if it is of other films.
    """
    found = {
        row.version_id: (row.pk, row.content_sha256)
        for row in EvidenceSet.objects.filter(version__in=[candidate, active], name=name)
    }
    if candidate.pk not in found or active.pk not in found:
        return None
    return _compared(found[candidate.pk], found[active.pk])


def rows_of(evidence_id: int) -> list[FilmEvidence]:
    """The films of a set, in the order in which they were evaluated."""
    bodies = EvidenceFilm.objects.filter(evidence=evidence_id).order_by("pk")
    return [from_json(body) for body in bodies.values_list("body", flat=True)]


# by the hash of what the rows hold, so that replaced evidence is never answered from memory


@lru_cache(maxsize=_KEPT)
def _chosen(evidence_id: int, content_sha256: str) -> Chosen:
    rows = rows_of(evidence_id)
    return Chosen(suggested(rows), fit_scaling(*image_scores(rows)))


@lru_cache(maxsize=_KEPT)
def _compared(candidate: tuple[int, str], active: tuple[int, str]) -> dict[str, dict[str, Any]]:
    return compare(rows_of(candidate[0]), rows_of(active[0]))
