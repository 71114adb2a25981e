"""Reads for exported sets: the signed films with all that was said of them, and the versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Prefetch, QuerySet

from accounts.models import User
from detection.models import (
    DatasetExport,
    DatasetVersion,
    DetectionRun,
    DetectorVersion,
    ExportState,
    Finding,
    Review,
    RunState,
    Signature,
)
from detection.selectors_film import box_of
from detection.truth import ModelBox, Said, Signed
from imaging.models import Image

_BATCH = 200


@dataclass(frozen=True, slots=True)
class SignedFilm:
    """A signed film as `detection.truth` takes it.

    Attributes:
        patient: our number.
        model: the version whose findings the signer saw; `None` where none had read the film.
        demo: the film or its patient came with the program.
    """

    image: Image
    patient: int
    signed: Signed
    model: DetectorVersion | None
    findings: tuple[ModelBox, ...]
    verdicts: tuple[Said, ...]
    demo: bool

    @property
    def thresholds(self) -> dict[str, float]:
        """Of the version; empty without one."""
        return self.model.thresholds if self.model else {}


@dataclass(frozen=True, slots=True)
class Makers:
    """Readers, and names of models (empty: none had read the film), each with films, most first."""

    readers: list[tuple[User, int]]
    models: list[tuple[str, int]]


def signed_film_ids(*, since: datetime | None = None) -> list[int]:
    """Numbers of the signed films, in order.

    Args:
        since: only those signed at this time or later.
    """
    found = Signature.objects.order_by("image_id")
    if since is not None:
        found = found.filter(at__gte=since)
    return list(found.values_list("image_id", flat=True))


def signed_films(image_ids: Sequence[int]) -> Iterator[SignedFilm]:
    """The signed films of these numbers, in their order; `_BATCH` of them in memory at a time."""
    verdicts = Review.objects.filter(withdrawn_at=None).select_related("by").order_by("at", "id")
    found = (
        Signature.objects.select_related("by", "image__series__study__patient")
        .prefetch_related(
            Prefetch("image__runs", _runs_that_a_signer_saw(), to_attr="seen_runs"),
            Prefetch("image__reviews", verdicts, to_attr="standing_reviews"),
        )
        .order_by("image_id")
    )
    for start in range(0, len(image_ids), _BATCH):
        batch = found.filter(image_id__in=image_ids[start : start + _BATCH])
        yield from (_signed_film(signature) for signature in batch)


def dataset_versions() -> QuerySet[DatasetVersion]:
    """Newest first."""
    return DatasetVersion.objects.select_related("created_by", "previous").order_by(
        "-created_at", "-id"
    )


def latest_dataset() -> DatasetVersion | None:
    """The newest version of any set."""
    return dataset_versions().first()


def exports() -> QuerySet[DatasetExport]:
    """What admins asked for, newest first."""
    return DatasetExport.objects.select_related("requested_by", "version").order_by(
        "-requested_at", "-id"
    )


def archive_of(version: DatasetVersion) -> DatasetExport | None:
    """The newest export that holds the version as a zip; `None` where only a command wrote it."""
    return version.exports.filter(state=ExportState.DONE).order_by("-finished_at", "-id").first()


def makers(version: DatasetVersion) -> Makers:
    """Who labelled a version's films, and which models' findings they judged."""
    films = Counter(
        row["user"]
        for labellers in version.items.values_list("labellers", flat=True)
        for row in labellers
    )
    people = User.objects.in_bulk(films)
    models = version.items.order_by().values_list("model__name").annotate(films=Count("id"))
    return Makers(
        readers=[(people[pk], number) for pk, number in films.most_common() if pk in people],
        models=[(name or "", number) for name, number in models.order_by("-films", "model__name")],
    )


def _runs_that_a_signer_saw() -> QuerySet[DetectionRun]:
    """Readings that had ended when the film was signed, the one on the film's page first."""
    return (
        DetectionRun.objects.filter(state=RunState.DONE, finished_at__lte=F("image__signature__at"))
        .select_related("version")
        .prefetch_related(Prefetch("findings", Finding.objects.order_by("id")))
        .order_by("-queued_at", "-id")
    )


def _signed_film(signature: Signature) -> SignedFilm:
    image = signature.image
    run = next(iter(image.seen_runs), None)  # type: ignore[attr-defined]
    patient = image.series.study.patient
    return SignedFilm(
        image=image,
        patient=patient.pk,
        signed=Signed(signature.conclusion, signature.by_id, signature.by.role),
        model=run.version if run else None,
        findings=tuple(
            ModelBox(f.pk, f.label, f.score, (f.x, f.y, f.w, f.h))
            for f in (run.findings.all() if run else ())
        ),
        verdicts=tuple(
            Said(v.finding_id, v.verdict, v.label, box_of(v), v.by_id, v.by.role)
            for v in image.standing_reviews  # type: ignore[attr-defined]
        ),
        demo=image.is_demo or patient.is_synthetic,
    )
