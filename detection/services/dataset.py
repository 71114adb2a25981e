"""Corrections as data: signed films exported as a versioned COCO set (docs/datasets.md)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts.models import User
from accounts.services import audit
from detection import dataset_files, pseudonyms
from detection.dataset_content import Entry, coco, counts_of, entry_of
from detection.models import DatasetFilm, DatasetVersion, PatientSplit, Split
from detection.selectors_dataset import SignedFilm, signed_films
from imaging import pixels
from patients.models import Patient
from twinhealth.errors import ConflictError, DomainError, InvalidInputError, TooLargeError

log = structlog.get_logger(__name__)

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
BURNED_IN: Final = "burned_in"
CANNOT_BE_DECODED: Final = "cannot_be_decoded"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did.

    Attributes:
        version: its row; `None` after a dry run.
        created: whether this call made the row, or the same content was exported before.
        counts: as `counts_of` gives them.
    """

    version: DatasetVersion | None
    created: bool
    counts: dict[str, Any]


def export_dataset(
    *,
    folder: Path,
    name: str = "site",
    user: User | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write all signed films as a COCO set, and keep which version of the set that was.

    The rows (version, patients' parts, audit) are committed before the folder gets its name, so
    that nothing leaves without a trace. An interrupted call leaves no folder, and the next one
    finds the same version.

    Args:
        folder: a new or empty one.
        name: of the set; versions are counted within it.
        user: who; `None` from the command line.
        dry_run: count only, decode and write nothing.
        progress: called with films written and films in all; what it raises ends the export.

    Raises:
        InvalidInputError: `bad_name`, `folder_not_empty`, `nothing_to_export`.
        ConflictError: `export_running`, or `exported_meanwhile` by another process.
        UnavailableError: `export_failed` (disk), `file_missing` (archive), or the decoder's.
    """
    check_name(name)
    dataset_files.refuse_taken(folder)
    films = list(signed_films())
    parts = _parts(film.patient for film in films)
    left_out = Counter(why for f in films if (why := _why_left_out(f)))
    chosen = [f for f in films if not _why_left_out(f)]
    dropped: Counter[str] = Counter()
    for film in films:
        dropped.update(film.truth.dropped)
    if dry_run:
        entries = [entry_of(f, parts[f.patient.pk]) for f in chosen]
        return Exported(None, created=False, counts=counts_of(entries, left_out, dropped))
    with dataset_files.new_folder(folder) as out:
        entries = []
        for number, film in enumerate(chosen):
            if progress:
                progress(number, len(chosen))
            try:
                entries.append(_written(film, parts[film.patient.pk], out))
            except (InvalidInputError, TooLargeError) as error:
                log.warning("film_left_out", image=film.image.pk, code=error.code)
                left_out[_why_not_written(error)] += 1
        if progress:
            progress(len(chosen), len(chosen))
        if not entries:
            raise InvalidInputError("nothing_to_export", "No signed film can be exported yet.")
        entries.sort(key=lambda e: e.row["file_name"])
        sha256 = out.add_json(dataset_files.ANNOTATIONS, coco(entries))
        for part in Split.values:
            of_part = [e for e in entries if e.row["split"] == part]
            if of_part:
                out.add_json(f"{part}.json", coco(of_part))
        out.seal()
        counts = counts_of(entries, left_out, dropped)
        version, created = _record(
            entries=entries, parts=parts, name=name, sha256=sha256, counts=counts, user=user
        )
        out.publish()
    return Exported(version, created=created, counts=counts)


def check_name(name: str) -> None:
    """See that a set may be called so.

    Raises:
        InvalidInputError: `bad_name`.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            "bad_name", "A set's name is 1 to 64 of a-z, 0-9, dot, dash, underscore."
        )


def _why_left_out(film: SignedFilm) -> str:
    return film.truth.left_out or (BURNED_IN if film.image.burned_in == "YES" else "")


def _why_not_written(error: DomainError) -> str:
    from detection.detectors.export_picture import INPUT_DIFFERS  # noqa: PLC0415 - as it is there

    return INPUT_DIFFERS if error.code == INPUT_DIFFERS else CANNOT_BE_DECODED


def _parts(patients: Iterable[Patient]) -> dict[int, str]:
    """Patient's number to part: what was assigned once, else what the keyed hash draws."""
    kept = dict(PatientSplit.objects.values_list("patient_id", "split"))
    return {p.pk: kept.get(p.pk) or pseudonyms.split(p.identifier, p.issuer) for p in patients}


def _written(film: SignedFilm, part: str, out: dataset_files.Folder) -> Entry:
    entry = entry_of(film, part)
    digest = out.add_film(entry.row["file_name"], pixels.load(film.image))
    return replace(entry, row={**entry.row, "pixel_sha256": digest})


def _record(
    *,
    entries: Sequence[Entry],
    parts: Mapping[int, str],
    name: str,
    sha256: str,
    counts: dict[str, Any],
    user: User | None,
) -> tuple[DatasetVersion, bool]:
    """Version, parts and audit in one transaction."""
    try:
        with transaction.atomic():
            _freeze({e.patient_id: parts[e.patient_id] for e in entries})
            version = DatasetVersion.objects.filter(name=name, sha256=sha256).first()
            created = version is None
            if version is None:
                version = _new_version(entries, name, sha256, counts, user)
            films = Counter(e.patient_id for e in entries)
            detail = {"dataset": name, "number": version.number}
            audit.record_patients(
                actor=user,
                verb="exported",
                obj=version,
                details={pk: {**detail, "films": count} for pk, count in sorted(films.items())},
            )
            audit.record(
                actor=user,
                verb="exported",
                obj=version,
                detail={**detail, "sha256": sha256, "films": len(entries), "new": created},
            )
    except IntegrityError as error:
        raise _meanwhile() from error
    return version, created


def _freeze(parts: Mapping[int, str]) -> None:
    rows = [PatientSplit(patient_id=pk, split=part) for pk, part in sorted(parts.items())]
    PatientSplit.objects.bulk_create(rows, ignore_conflicts=True)
    kept = dict(PatientSplit.objects.values_list("patient_id", "split"))
    if any(kept[pk] != part for pk, part in parts.items()):
        raise _meanwhile()


def _meanwhile() -> ConflictError:
    return ConflictError(
        "exported_meanwhile", "Another export came between; nothing was written. Try again."
    )


def _new_version(
    entries: Sequence[Entry], name: str, sha256: str, counts: dict[str, Any], user: User | None
) -> DatasetVersion:
    of_name = DatasetVersion.objects.filter(name=name)
    previous = of_name.order_by("number").last()
    before = dict(previous.films.values_list("image_id", "digest")) if previous else {}
    now = {entry.image_id: entry.digest for entry in entries}
    version = DatasetVersion.objects.create(
        name=name,
        number=(of_name.aggregate(last=Max("number"))["last"] or 0) + 1,
        sha256=sha256,
        counts=counts,
        previous=previous,
        films_new=len(now.keys() - before.keys()),
        films_changed=sum(before[pk] != now[pk] for pk in now.keys() & before.keys()),
        films_gone=len(before.keys() - now.keys()),
        created_by=user,
    )
    DatasetFilm.objects.bulk_create(
        (DatasetFilm(version=version, image_id=pk, digest=d) for pk, d in sorted(now.items())),
        batch_size=500,
    )
    return version
