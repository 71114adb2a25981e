"""Evidence about a version, taken in from a report of `evaluate_detector`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.evaluation.evidence import FilmEvidence
from detection.evaluation.headline import figures, intervals
from detection.manifest import storable_json
from detection.models import TEST, VAL, DetectorVersion, EvidenceFilm, EvidenceSet
from twinhealth.errors import (
    ConflictError,
    DomainError,
    InvalidInputError,
    TooLargeError,
    UnavailableError,
)

from .comparison import DRAWS, SEED, rows_of, temperature_of

SETS: Final = (VAL, TEST)
MOST_BYTES: Final = 64 * 1024**2
MOST_FILMS: Final = 20_000


def read_evidence_file(path: Path) -> dict[str, Any]:
    """The JSON of a report, or of an evidence file that holds one report per set.

    Raises:
        UnavailableError: `evidence_missing`.
        TooLargeError: `evidence_too_large`.
        InvalidInputError: `evidence_invalid`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnavailableError(
            "evidence_missing", f"The evidence {path.name} can't be read: {error.strerror}."
        ) from error
    return parse_evidence(content)


def parse_evidence(content: bytes) -> dict[str, Any]:
    """As `read_evidence_file`, of bytes that are there already."""
    if len(content) > MOST_BYTES:
        raise TooLargeError(
            "evidence_too_large",
            f"Evidence has at most {MOST_BYTES} bytes.",
            max_bytes=MOST_BYTES,
        )
    try:
        table = storable_json(content)
    except ValueError as error:
        raise _invalid(str(error)) from error
    if not isinstance(table, dict):
        raise _invalid("it isn't an object")
    return table


def reports_in(table: Mapping[str, Any], *, unnamed: str = VAL) -> dict[str, Mapping[str, Any]]:
    """The reports of an evidence file, by set.

    Args:
        table: `{"sha256", "val": report, "test": report}`, or one report of `evaluate_detector`.
        unnamed: the set of the latter.

    Raises:
        InvalidInputError: `evidence_invalid`, where there is none.
    """
    if "evidence" in table:
        return {unnamed: table}
    found = {name: table[name] for name in SETS if name in table}
    if not found or not all(isinstance(report, Mapping) for report in found.values()):
        raise _invalid("it has neither films nor a report named val or test")
    sha256 = table.get("sha256")
    return {name: {"sha256": sha256, **report} for name, report in found.items()}


def import_evidence(
    *,
    version: DetectorVersion,
    reports: Mapping[str, Mapping[str, Any]],
    user: User | None = None,
    request: HttpRequest | None = None,
) -> list[EvidenceSet]:
    """Keep what a version said of each film of val or test; all of it or nothing.

    The same rows again change nothing; others take the place of what was there.

    Args:
        version: the version.
        reports: per set, `{"sha256", "data", "evidence": [row, …]}` as `evaluate_detector` writes.
        user: who; `None` for the command line or a release.
        request: for the audit.

    Raises:
        InvalidInputError: `evidence_invalid`, with what is wrong; `evidence_of_other_weights`.
        ConflictError: `evidence_same_films`, if a film stands in val and test.
    """
    checked = {name: _checked(version, report) for name, report in reports.items()}
    with transaction.atomic():
        made = [
            _store(version, name, rows, reports[name].get("data"), user)
            for name, rows in checked.items()
        ]
        _refuse_shared_films(version)
        changed = [stored for stored in made if stored is not None]
        if changed:
            _compute_figures(version)
            audit.record(
                actor=user,
                verb="imported_evidence",
                obj=version,
                request=request,
                detail={
                    "version": version.name,
                    "sets": {stored.name: stored.films for stored in changed},
                },
            )
        return changed


def _checked(version: DetectorVersion, report: Mapping[str, Any]) -> list[FilmEvidence]:
    if report.get("sha256") != version.weights_sha256:
        raise InvalidInputError(
            "evidence_of_other_weights",
            f"The report isn't about version {version.name}: it names weights with the sha256 "
            f"{str(report.get('sha256'))[:12]}…, these have {version.weights_sha256[:12]}….",
        )
    rows = report.get("evidence")
    if not isinstance(rows, list) or not rows or len(rows) > MOST_FILMS:
        raise _invalid(f"evidence must be a list of 1 to {MOST_FILMS} films")
    films = [_film(row, place) for place, row in enumerate(rows)]
    if len({film.key for film in films}) != len(films):
        raise _invalid("a film stands in it twice")
    return films


def _film(row: Any, place: int) -> FilmEvidence:
    if not isinstance(row, Mapping):
        raise _invalid(f"film {place} isn't an object")
    try:
        film = FilmEvidence.from_json(row)
    except DomainError as error:
        raise _invalid(f"film {place}: {error.message}") from error
    scores = [*film.scores.values(), *(box.score for box in film.boxes)]
    if not all(0 <= score <= 1 for score in scores):
        raise _invalid(f"film {place} has a score that doesn't lie between 0 and 1")
    if not 1 <= len(film.key) <= 200:
        raise _invalid(f"film {place} has no key of 1 to 200 characters")
    return film


def _store(
    version: DetectorVersion, name: str, rows: list[FilmEvidence], data: Any, user: User | None
) -> EvidenceSet | None:
    bodies = [row.as_json() for row in rows]
    content = json.dumps(bodies, sort_keys=True).encode()
    sha256 = hashlib.sha256(content).hexdigest()
    known = EvidenceSet.objects.select_for_update().filter(version=version, name=name).first()
    if known is not None and known.content_sha256 == sha256:
        return None
    if known is not None:
        known.delete()
    stored = EvidenceSet.objects.create(
        version=version,
        name=name,
        content_sha256=sha256,
        films=len(rows),
        data=data if isinstance(data, dict) else {},
        imported_at=timezone.now(),
        imported_by=user,
    )
    EvidenceFilm.objects.bulk_create(
        (
            EvidenceFilm(evidence=stored, key=row.key, body=body)
            for row, body in zip(rows, bodies, strict=True)
        ),
        batch_size=200,
    )
    return stored


def _compute_figures(version: DetectorVersion) -> None:
    """Each headline figure with its interval, of all sets: val's temperature counts in each."""
    temperature = temperature_of(version)
    for stored in EvidenceSet.objects.filter(version=version):
        rows = rows_of(stored.pk)
        ends = intervals(rows, DRAWS, SEED, temperature=temperature)
        stored.figures = {}
        for name, value in figures(rows, temperature=temperature).items():
            low, high = ends[name] or (None, None)
            stored.figures[name] = {"value": value, "low": low, "high": high}
        stored.save(update_fields=["figures"])


def _refuse_shared_films(version: DetectorVersion) -> None:
    """A film of val in test would make the test figures a choice; most often a mix-up of files."""
    of_set = {
        name: set(
            EvidenceFilm.objects.filter(evidence__version=version, evidence__name=name).values_list(
                "key", flat=True
            )
        )
        for name in SETS
    }
    shared = sorted(of_set[VAL] & of_set[TEST])
    if shared:
        raise ConflictError(
            "evidence_same_films",
            f"{len(shared)} films stand in val and in test ({shared[0]}); was the right report "
            "given for the right set?",
        )


def _invalid(why: str) -> InvalidInputError:
    return InvalidInputError("evidence_invalid", f"The evidence can't be used: {why}.")
