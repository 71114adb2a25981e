"""What a set says of its films, in COCO's detection format and pseudonymised."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from detection import pseudonyms
from detection.models import Label
from detection.selectors_dataset import SignedFilm

_CATEGORIES: Final = {label: number for number, label in enumerate(Label.values, start=1)}
# `detection.detectors.coco.of_tier` says what each is good for: a film that names its source is
# that source's, every other one is the hospital's own
_SITE: Final = "site"
_STATED: Final = "stated"


@dataclass(frozen=True, slots=True)
class Entry:
    """One film of a set: its row in COCO's `images` and its annotations, not numbered yet."""

    image_id: int
    patient_id: int
    row: Mapping[str, Any]
    boxes: Sequence[Mapping[str, Any]]

    @property
    def digest(self) -> str:
        """SHA-256 of all that the set says of the film."""
        said = json.dumps([self.row, list(self.boxes)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


def entry_of(film: SignedFilm, part: str) -> Entry:
    """A film's entry; the hash of its grey levels comes with its picture."""
    image, run = film.image, film.run
    name = pseudonyms.film(image.sha256)
    return Entry(
        image_id=image.pk,
        patient_id=film.patient.pk,
        row={
            "file_name": f"{name}.png",
            "width": image.columns,
            "height": image.rows,
            "patient_id": pseudonyms.patient(film.patient.identifier, film.patient.issuer),
            "split": part,
            "source": pseudonyms.machine(image.device_id) if image.device_id else "",
            "conclusion": film.signature.conclusion,
            "labeller": pseudonyms.reader(film.signature.by_id),
            "detector_version": run.version.name if run else "",
            "synthetic": film.patient.is_synthetic,
            "licence_tier": _STATED if image.attribution else _SITE,
        },
        boxes=[
            {
                "category_id": _CATEGORIES[box.label],
                "bbox": list(box.box),
                "area": box.box[2] * box.box[3],
                "iscrowd": 0,
                "origin": box.origin,
                "verdict": box.verdict,
                "labeller": pseudonyms.reader(box.by),
            }
            for box in film.truth.boxes
        ],
    )


def coco(entries: Sequence[Entry]) -> dict[str, Any]:
    """COCO's detection format; no time and no name in it, so that equal content is equal bytes."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, entry in enumerate(entries, start=1):
        images.append({"id": number, **entry.row})
        annotations += [
            {"id": len(annotations) + i, "image_id": number, **box}
            for i, box in enumerate(entry.boxes, start=1)
        ]
    return {
        "info": {
            "description": "Signed films with the boxes that people stand behind, pseudonymised."
        },
        "categories": [{"id": number, "name": label} for label, number in _CATEGORIES.items()],
        "images": images,
        "annotations": annotations,
    }


def counts_of(
    entries: Sequence[Entry], left_out: Mapping[str, int], dropped: Mapping[str, int]
) -> dict[str, Any]:
    """Films, patients, boxes by label, verdict and part; why films and findings are not in it."""
    boxes = [box for entry in entries for box in entry.boxes]
    names = {number: label for label, number in _CATEGORIES.items()}

    def by(values: Iterable[Any]) -> dict[str, int]:
        return dict(sorted(Counter(values).items()))

    return {
        "films": len(entries),
        "films_without_box": sum(not e.boxes for e in entries),
        "patients": len({e.patient_id for e in entries}),
        "boxes": len(boxes),
        "films_by_split": by(e.row["split"] for e in entries),
        "patients_by_split": by(
            part for part, _ in {(e.row["split"], e.patient_id) for e in entries}
        ),
        "boxes_by_split_and_label": {
            part: by(
                names[b["category_id"]] for e in entries if e.row["split"] == part for b in e.boxes
            )
            for part in sorted({e.row["split"] for e in entries})
        },
        "boxes_by_label": by(names[b["category_id"]] for b in boxes),
        "boxes_by_verdict": by(b["verdict"] for b in boxes),
        "films_left_out": dict(sorted(left_out.items())),
        "findings_left_out": dict(sorted(dropped.items())),
    }
