"""Writing signed films as a versioned COCO set, pseudonymised; docs/datasets.md says how."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from django.db import transaction

from accounts.models import User
from accounts.services import audit
from detection import dataset_json, truth
from detection.dataset_json import BoxRow, FilmRow
from detection.models import DatasetItem, DatasetVersion
from detection.pseudonyms import pseudonym
from detection.selectors_dataset import SignedFilm, signed_film_ids, signed_films
from imaging import pixels
from twinhealth.errors import ConflictError, InvalidInputError, UnavailableError

from .dataset_folder import NewFolder, new_folder
from .dataset_splits import dataset_key, splits, take_turns

log = structlog.get_logger(__name__)
Progress = Callable[[int, int], None]
SMALLEST_SIDE, LARGEST_SIDE = 64, 16_384  # pixels; below it no lung is left to see
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
# what a header may call the projection; anything else could be anybody's name
_VIEWS = frozenset({"PA", "AP", "LL", "RL", "LAO", "RAO", "LPO", "RPO"})


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of an export.

    Attributes:
        version: the set's row; `None` after a dry run.
        created: this call made the row; false where the set is what it was.
        counts, left_out, diff: as `DatasetVersion` has them.
    """

    version: DatasetVersion | None
    created: bool
    counts: Mapping[str, Any]
    left_out: Mapping[str, int]
    diff: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A film of the set: what the database says of it, and its row in the JSON."""

    film: SignedFilm
    boxes: tuple[truth.TruthBox, ...]
    row: FilmRow


def export_dataset(
    *,
    out: Path | None,
    name: str = "corrections",
    since: datetime | None = None,
    longest_side: int | None = None,
    user: User | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write every signed film whose truth is settled, and register the version.

    Args:
        out: the folder, new or empty. `None` only counts: no film is decoded, no split frozen, no
            row written (but the installation's key, once), so films whose picture can't be
            exported are still counted in, and `diff` lacks what has changed.
        name: of the set, letters, digits and hyphens.
        since: only films signed at this time or later.
        longest_side: shrink pictures to so many pixels; stored size unless given.
        user: who; `None` for the system's own command line.
        progress: called with films written and films in all.

    Raises:
        InvalidInputError: `bad_dataset_name`, `bad_longest_side`.
        ConflictError: `folder_not_empty`, `export_running`, `nothing_to_export`.
        UnavailableError: `disk_full`, `folder_unavailable`.
    """
    check_request(name=name, longest_side=longest_side)
    with ExitStack() as stack:
        folder = stack.enter_context(new_folder(out)) if out else None
        left_out: Counter[str] = Counter()
        entries = _settled(since, left_out, freeze=folder is not None)
        if folder is None:
            _refuse_nothing(entries, left_out)
            counts = dataset_json.counts(entry.row for entry in entries)
            return Exported(None, False, counts, dict(left_out), _presence(_latest(name), entries))
        entries = list(_with_pictures(entries, folder, longest_side, left_out, progress))
        _refuse_nothing(entries, left_out)
        version, created = _register(
            name=name,
            sha256=_write_tables(folder, [entry.row for entry in entries], longest_side),
            entries=entries,
            user=user,
            left_out=left_out,
            options={"since": since.isoformat() if since else None, "longest_side": longest_side},
        )
        # after the commit: killed in between, the next export finds its version and writes it
        folder.publish()
    return Exported(version, created, version.counts, dict(left_out), version.diff)


def check_request(*, name: str, longest_side: int | None) -> None:
    """Raise unless a set can be asked for so.

    Raises:
        InvalidInputError: `bad_dataset_name`, `bad_longest_side`.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            "bad_dataset_name",
            "A set's name has 1 to 48 small letters, digits and hyphens, no hyphen at its ends.",
        )
    if longest_side is not None and not SMALLEST_SIDE <= longest_side <= LARGEST_SIDE:
        raise InvalidInputError(
            "bad_longest_side",
            f"The longest side has {SMALLEST_SIDE} to {LARGEST_SIDE} pixels.",
            minimum=SMALLEST_SIDE,
            maximum=LARGEST_SIDE,
        )


def _refuse_nothing(entries: list[_Entry], left_out: Mapping[str, int]) -> None:
    if not entries:
        raise ConflictError(
            "nothing_to_export",
            f"Of {sum(left_out.values())} signed films none has a settled truth; "
            "nothing was written.",
            left_out=dict(left_out),
        )


def _settled(since: datetime | None, left_out: Counter[str], *, freeze: bool) -> list[_Entry]:
    """The films that belong into the set, pictures not looked at; the others are counted."""
    kept: list[tuple[SignedFilm, tuple[truth.TruthBox, ...]]] = []
    for film in signed_films(signed_film_ids(since=since)):
        settled = truth.settle(
            findings=film.findings,
            verdicts=film.verdicts,
            signed=film.signed,
            thresholds=film.thresholds,
        )
        reason = settled.left_out
        if not reason and film.image.burned_in == "YES":
            reason = "burned_in"
        if not reason and film.image.display_problem:
            reason = "cannot_display"
        if reason:
            left_out[reason] += 1
        else:
            kept.append((film, settled.boxes))
    key = dataset_key()
    parts = splits((film.patient for film, _ in kept), key=key, freeze=freeze)
    return [
        _Entry(film, boxes, _row(film, boxes, parts[film.patient], key)) for film, boxes in kept
    ]


def _row(film: SignedFilm, boxes: tuple[truth.TruthBox, ...], split: str, key: bytes) -> FilmRow:
    """Under pseudonyms, in stored pixels, without a file yet."""
    image = film.image
    return FilmRow(
        split=split,
        file_name=f"{pseudonym(key, 'film', image.pk)}.png",
        sha256="",
        width=image.columns,
        height=image.rows,
        patient=pseudonym(key, "patient", film.patient),
        source=pseudonym(key, "machine", image.device_id) if image.device_id else "",
        view=image.view_position if image.view_position in _VIEWS else "",
        demo=film.demo,
        model=film.model.name if film.model else "",
        boxes=tuple(
            BoxRow(b.label, b.box, b.origin, b.verdict, pseudonym(key, "reader", b.by), b.role)
            for b in boxes
        ),
    )


def _with_pictures(
    entries: list[_Entry],
    folder: NewFolder,
    longest_side: int | None,
    left_out: Counter[str],
    progress: Progress | None,
) -> Iterator[_Entry]:
    """Write each film's picture; those that can't be had are counted."""
    for number, entry in enumerate(entries, start=1):
        try:
            yield _with_picture(entry, folder, longest_side)
        except (InvalidInputError, UnavailableError) as error:
            if error.code not in truth.LEFT_OUT:  # the disk's own, the decoder's: not this film's
                raise
            log.warning("film_not_exported", image=entry.film.image.pk, code=error.code)
            left_out[error.code] += 1
        if progress:
            progress(number, len(entries))


def _with_picture(entry: _Entry, folder: NewFolder, longest_side: int | None) -> _Entry:
    # OpenCV belongs to the process that exports, not to every page
    from detection.detectors.export_picture import export_picture  # noqa: PLC0415

    frame = pixels.load(entry.film.image)
    picture = export_picture(frame, longest_side=longest_side)
    folder.write(f"images/{entry.row.file_name}", picture.png)
    height, width = frame.pixels.shape
    factors = (picture.width / width, picture.height / height)
    size = (picture.width, picture.height)
    row = replace(
        entry.row,
        sha256=hashlib.sha256(picture.png).hexdigest(),
        width=picture.width,
        height=picture.height,
        boxes=tuple(
            replace(b, box=dataset_json.scaled(b.box, factors, size)) for b in entry.row.boxes
        ),
    )
    return replace(entry, row=row)


def _write_tables(folder: NewFolder, rows: list[FilmRow], longest_side: int | None) -> str:
    """The JSON files; the hash of the one that names the others."""
    files = {split: dataset_json.coco(rows, split) for split in dataset_json.SPLITS}
    for split, data in files.items():
        folder.write(f"annotations/{split}.json", data)
    index = dataset_json.index(files, rows, longest_side=longest_side)
    folder.write("dataset.json", index)
    return hashlib.sha256(index).hexdigest()


def _register(
    *,
    name: str,
    sha256: str,
    entries: list[_Entry],
    user: User | None,
    left_out: Mapping[str, int],
    options: Mapping[str, Any],
) -> tuple[DatasetVersion, bool]:
    """The version's row, made unless the newest of this name is the same; and who got whom."""
    with transaction.atomic():
        take_turns()
        latest = _latest(name)
        created = latest is None or latest.sha256 != sha256
        if latest is None or created:
            version = DatasetVersion.objects.create(
                name=name,
                number=latest.number + 1 if latest else 1,
                previous=latest,
                sha256=sha256,
                created_by=user,
                counts=dataset_json.counts(entry.row for entry in entries),
                left_out=dict(left_out),
                diff=_diff(latest, entries),
                options=options,
            )
            DatasetItem.objects.bulk_create(_items(version, entries), batch_size=200)
        else:
            version = latest
        films: dict[int, list[int]] = {}
        for entry in entries:
            films.setdefault(entry.film.patient, []).append(entry.film.image.pk)
        audit.record(
            actor=user,
            verb="exported",
            obj=version,
            detail={"films": len(entries), "patients": len(films), "sha256": sha256},
        )
        audit.record_patients(
            actor=user,
            verb="exported",
            obj=version,
            details={patient: {"films": images} for patient, images in films.items()},
        )
        return version, created


def _items(version: DatasetVersion, entries: list[_Entry]) -> Iterator[DatasetItem]:
    for entry in entries:
        labellers = {box.by: box.role for box in entry.boxes} | {
            entry.film.signed.by: entry.film.signed.role
        }
        yield DatasetItem(
            version=version,
            image=entry.film.image,
            split=entry.row.split,
            file_name=entry.row.file_name,
            sha256=entry.row.sha256,
            content_sha256=dataset_json.content_sha256(entry.row),
            boxes=len(entry.row.boxes),
            labellers=[{"user": pk, "role": role} for pk, role in sorted(labellers.items())],
            model=entry.film.model,
        )


def _latest(name: str) -> DatasetVersion | None:
    return DatasetVersion.objects.filter(name=name).order_by("number").last()


def _presence(before: DatasetVersion | None, entries: list[_Entry]) -> dict[str, int]:
    """Films that came and went since the version before."""
    known = set(before.items.values_list("image_id", flat=True)) if before else set()
    now = {entry.film.image.pk for entry in entries}
    return {"new": len(now - known), "gone": len(known - now)}


def _diff(before: DatasetVersion | None, entries: list[_Entry]) -> dict[str, int]:
    """Films that came, changed and went since the version before."""
    known = dict(before.items.values_list("image_id", "content_sha256")) if before else {}
    changed = sum(
        dataset_json.content_sha256(entry.row) != known[entry.film.image.pk]
        for entry in entries
        if entry.film.image.pk in known
    )
    return {**_presence(before, entries), "changed": changed}
