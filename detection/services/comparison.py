"""Versions by their stored evidence: what is chosen on val, and one against another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from detection.detectors.classes import CLASSES
from detection.evaluation.calibration import fit_temperature
from detection.evaluation.evidence import FilmEvidence
from detection.evaluation.headline import compare
from detection.evaluation.thresholds import suggested
from detection.models import VAL, DetectorVersion, EvidenceFilm, EvidenceSet

DRAWS: Final = 1000
SEED: Final = 20_26


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen on val alone; both belong to one version and are never carried over."""

    thresholds: dict[str, float]
    temperature: float


def chosen_on_val(version: DetectorVersion) -> Chosen | None:
    """Thresholds and temperature from the version's own evidence on val; `None` without it."""
    stored = EvidenceSet.objects.filter(version=version, name=VAL).first()
    return _chosen(stored.pk, stored.content_sha256) if stored else None


def compared(
    candidate: DetectorVersion, active: DetectorVersion, name: str
) -> dict[str, dict[str, Any]] | None:
    """A candidate against another version on one set, figure by figure.

    Each version counts with the temperature that its own val gives.

    Returns:
        As `evaluation.headline.compare`; `None` where one has no evidence on the set.

    Raises:
        InvalidInputError: `evidence_differs`, if it is of other films.
    """
    found = {
        row.version_id: row
        for row in EvidenceSet.objects.filter(version__in=[candidate, active], name=name)
    }
    if candidate.pk not in found or active.pk not in found:
        return None
    first, second = found[candidate.pk], found[active.pk]
    return _compared(
        (first.pk, first.content_sha256),
        (second.pk, second.content_sha256),
        (temperature_of(candidate), temperature_of(active)),
    )


def rows_of(evidence_id: int) -> list[FilmEvidence]:
    """The films of a set, in the order in which they were evaluated."""
    bodies = EvidenceFilm.objects.filter(evidence=evidence_id).order_by("pk")
    return [FilmEvidence.from_json(body) for body in bodies.values_list("body", flat=True)]


def chosen_from(rows: list[FilmEvidence]) -> Chosen:
    """The house's rules for thresholds and temperature, applied to the rows of a val set."""
    known = [row for row in rows if row.label]
    table = [[row.scores[label] for label in CLASSES] for row in known]
    temperature = fit_temperature(table, [row.label for row in known]) if known else 1.0
    return Chosen(suggested(rows), temperature)


def temperature_of(version: DetectorVersion) -> float:
    """What val gives, else what came with the version, else 1: scores as they are."""
    chosen = chosen_on_val(version)
    return chosen.temperature if chosen else version.temperature or 1.0


# by the hash of what the rows hold, so that replaced evidence is never answered from memory


@lru_cache(maxsize=32)
def _chosen(evidence_id: int, content_sha256: str) -> Chosen:
    return chosen_from(rows_of(evidence_id))


@lru_cache(maxsize=32)
def _compared(
    candidate: tuple[int, str], active: tuple[int, str], temperatures: tuple[float, float]
) -> dict[str, dict[str, Any]]:
    pair = (rows_of(candidate[0]), rows_of(active[0]))
    return compare(*pair, draws=DRAWS, seed=SEED, temperatures=temperatures)
