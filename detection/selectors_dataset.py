"""Signed films with what they show, for a set; and the sets that were exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from detection import truth
from detection.models import (
    DatasetExport,
    DatasetVersion,
    DetectionRun,
    ExportState,
    Finding,
    Review,
    RunState,
    Signature,
    Verdict,
)
from imaging.models import Image
from patients.models import Patient

from .selectors_film import box_of

_AT_ONCE = 500  # films read together: bounds memory, and the numbers in one query


@dataclass(frozen=True, slots=True)
class SignedFilm:
    """One signed film.

    Attributes:
        run: the reading that the signer had; `None` where the film wasn't read before.
        truth: what the film shows.
    """

    image: Image
    patient: Patient
    signature: Signature
    run: DetectionRun | None
    truth: truth.Truth


def signed_films() -> Iterator[SignedFilm]:
    """Every signed film, by number; four queries for each 500 films.

    A film's signature closes it: no verdict comes after it, so that what is read here in several
    queries fits together.
    """
    last = 0
    while True:
        signatures = list(
            Signature.objects.filter(image_id__gt=last)
            .select_related("image__series__study__patient")
            .order_by("image_id")[:_AT_ONCE]
        )
        if not signatures:
            return
        yield from _films(signatures)
        last = signatures[-1].image_id


def datasets() -> QuerySet[DatasetVersion]:
    """All versions of all sets, newest first."""
    return DatasetVersion.objects.select_related("previous", "created_by").order_by(
        "-created_at", "-id"
    )


def exports() -> QuerySet[DatasetExport]:
    """All wishes for a set, newest first."""
    return DatasetExport.objects.select_related("requested_by", "version").order_by(
        "-requested_at", "-id"
    )


def archive_of(version: DatasetVersion) -> DatasetExport | None:
    """The export whose zip of this version is kept; `None` if there is none or it was removed."""
    done = version.exports.filter(state=ExportState.DONE).order_by("-finished_at", "-id").first()
    return done if done is not None and archive_path(done).is_file() else None


def archive_path(export: DatasetExport) -> Path:
    """Where the zip of a finished export lies."""
    return Path(settings.DATASET_ROOT) / export.archive


def _films(signatures: Sequence[Signature]) -> Iterator[SignedFilm]:
    images = [s.image_id for s in signatures]
    runs = _runs_at_signature(signatures)
    findings: dict[int, list[Finding]] = {}
    for finding in Finding.objects.filter(run_id__in=[r.pk for r in runs.values()]):
        findings.setdefault(finding.run_id, []).append(finding)
    opinions: dict[int, truth.Opinion] = {}
    added: dict[int, list[truth.Opinion]] = {}
    verdicts = Review.objects.filter(image_id__in=images, withdrawn_at=None)
    for review in verdicts.order_by("at", "id"):
        opinion = truth.Opinion(review.verdict, review.label, box_of(review), review.by_id)
        if review.verdict == Verdict.ADD:
            added.setdefault(review.image_id, []).append(opinion)
        elif review.finding_id is not None:
            opinions[review.finding_id] = opinion  # the newest counts
    for signature in signatures:
        run = runs.get(signature.image_id)
        yield SignedFilm(
            image=signature.image,
            patient=signature.image.series.study.patient,
            signature=signature,
            run=run,
            truth=truth.truth_of(
                conclusion=signature.conclusion,
                signer=signature.by_id,
                findings=[
                    truth.Found(f.label, f.score, (f.x, f.y, f.w, f.h), opinions.get(f.pk))
                    for f in (findings.get(run.pk, []) if run else [])
                ],
                added=added.get(signature.image_id, []),
                thresholds=run.counts_from if run else {},
            ),
        )


def _runs_at_signature(signatures: Sequence[Signature]) -> dict[int, DetectionRun]:
    """The newest reading that was done when each film was signed; later versions read in vain."""
    signed_at = {s.image_id: s.at for s in signatures}
    done = DetectionRun.objects.filter(image_id__in=signed_at, state=RunState.DONE)
    return {
        run.image_id: run
        for run in done.select_related("version").order_by("queued_at", "id")
        if run.finished_at is not None and run.finished_at <= signed_at[run.image_id]
    }
