"""Evidence about a version, taken in from a report of `evaluate_detector`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.evaluation.evidence import FilmEvidence
from detection.evaluation.headline import intervals
from detection.evaluation.report import read_evidence
from detection.models import TEST, VAL, DetectorVersion, EvidenceFilm, EvidenceSet
from twinhealth.errors import ConflictError, InvalidInputError, TooLargeError

SETS: Final = (VAL, TEST)
MOST_BYTES: Final = 64 * 1024**2
MOST_FILMS: Final = 20_000
_KEY_LENGTH: Final = 200  # characters, as in the database


def import_report(
    *,
    version: DetectorVersion,
    path: Path,
    name: str,
    user: User | None = None,
    request: HttpRequest | None = None,
) -> EvidenceSet | None:
    """Keep what a version said of each film of val or test, as its report tells.

    The same rows again change nothing; others take the place of what was there.

    Args:
        version: the version.
        path: a report of `evaluate_detector`.
        name: the set it is about, `val` or `test`.
        user: who; `None` for the command line or a release.
        request: for the audit.

    Returns:
        The stored set; `None` where nothing changed.

    Raises:
        TooLargeError: `evidence_too_large`.
        InvalidInputError: `evidence_invalid`, with what is wrong, and as `report.read_evidence`.
        ConflictError: `evidence_same_films`, if a film stands in val and test.
    """
    rows = read_report(path, sha256=version.weights_sha256)
    return import_evidence(version=version, rows=rows, name=name, user=user, request=request)


def read_report(path: Path, *, sha256: str) -> list[FilmEvidence]:
    """The rows of a report that is about the weights of this hash; see `import_report`."""
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise TooLargeError(
            "evidence_too_large", f"A report has at most {MOST_BYTES} bytes.", max_bytes=MOST_BYTES
        )
    return read_evidence(path, sha256=sha256)


def import_evidence(
    *,
    version: DetectorVersion,
    rows: Sequence[FilmEvidence],
    name: str,
    user: User | None = None,
    request: HttpRequest | None = None,
) -> EvidenceSet | None:
    """As `import_report`, of rows that were read already."""
    content = checked(rows)
    if EvidenceSet.objects.filter(
        version=version, name=name, content_sha256=content.sha256
    ).exists():
        return None
    figures = intervals(rows)  # before the transaction: it takes a while
    return keep(
        version=version, content=content, figures=figures, name=name, user=user, request=request
    )


@dataclass(frozen=True, slots=True)
class Content:
    """A report's rows as they are kept: key and body of each film, and the hash of all."""

    films: Sequence[tuple[str, dict[str, Any]]]
    sha256: str


def checked(rows: Sequence[FilmEvidence]) -> Content:
    """See that rows can be kept.

    Raises:
        InvalidInputError: `evidence_invalid`, with what is wrong.
    """
    _check(rows)
    bodies = [row.as_json() for row in rows]
    text = json.dumps(bodies, sort_keys=True)
    if "\\u0000" in text:  # which PostgreSQL can't hold
        raise _invalid("it holds a NUL character")
    keys = [row.key for row in rows]
    return Content(list(zip(keys, bodies, strict=True)), hashlib.sha256(text.encode()).hexdigest())


def keep(
    *,
    version: DetectorVersion,
    content: Content,
    figures: dict[str, Any],
    name: str,
    user: User | None = None,
    request: HttpRequest | None = None,
) -> EvidenceSet:
    """Store what `checked` gave, with its `headline.intervals`, in the place of what was there.

    Raises:
        ConflictError: `evidence_same_films`, if a film stands in val and test.
    """
    with transaction.atomic():
        EvidenceSet.objects.filter(version=version, name=name).delete()
        stored = EvidenceSet.objects.create(
            version=version,
            name=name,
            content_sha256=content.sha256,
            films=len(content.films),
            figures=figures,
            imported_at=timezone.now(),
            imported_by=user,
        )
        EvidenceFilm.objects.bulk_create(
            (EvidenceFilm(evidence=stored, key=key, body=body) for key, body in content.films),
            batch_size=200,
        )
        _refuse_shared_films(version)
        audit.record(
            actor=user,
            verb="imported_evidence",
            obj=version,
            request=request,
            detail={"version": version.name, "set": name, "films": len(content.films)},
        )
        return stored


def _check(rows: Sequence[FilmEvidence]) -> None:
    if not 1 <= len(rows) <= MOST_FILMS:
        raise _invalid(f"it must have 1 to {MOST_FILMS} films")
    keys = {row.key for row in rows}
    if len(keys) != len(rows):
        raise _invalid("a film stands in it twice")
    if not all(1 <= len(key) <= _KEY_LENGTH for key in keys):
        raise _invalid(f"a film has no key of 1 to {_KEY_LENGTH} characters")
    for row in rows:
        views = (row.boxes, row.human, row.places)
        scores = [*row.scores.values(), *(find.score for view in views for find in view.finds)]
        if not all(0 <= score <= 1 for score in scores):
            raise _invalid(f"{row.key} has a score that doesn't lie between 0 and 1")


def _refuse_shared_films(version: DetectorVersion) -> None:
    """A film of val in test would make the test figures a choice; most often a mix-up of files."""
    films = EvidenceFilm.objects.filter(evidence__version=version)
    val, test = (set(films.filter(evidence__name=n).values_list("key", flat=True)) for n in SETS)
    shared = sorted(val & test)
    if shared:
        raise ConflictError(
            "evidence_same_films",
            f"{len(shared)} films stand in val and in test ({shared[0]}); was the right report "
            "given for the right set?",
        )


def _invalid(why: str) -> InvalidInputError:
    return InvalidInputError("evidence_invalid", f"The evidence can't be used: {why}.")
