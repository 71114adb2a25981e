"""From a film and its verdicts to what its report says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from detection.models import Label, Signature, Verdict
from detection.priority import ABNORMAL, side_at
from detection.selectors_film import Film, FindingView, box_of
from imaging import pixels
from imaging.frame import Spacing
from imaging.models import Image
from reading import report_content, report_text
from reading.report_text import Facts, FindingFact, PriorFact

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Marked:
    """A finding that stands; `key` as in the list of the film page, box in film pixels."""

    key: str
    label: str
    box: Box
    fact: FindingFact


def marked(film: Film) -> list[Marked]:
    """The findings that stand after the verdicts: accepted, edited, drawn."""
    standing = [f for f in film.findings if f.review and f.review.verdict != Verdict.REJECT]
    # asked for only where there is something to measure: a film may have to be decoded for it
    scale = pixels.spacing(film.image) if standing or film.added else None
    found = [_of_model(film.image, f, scale) for f in standing]
    for number, review in enumerate(film.added, start=1):
        if (box := box_of(review)) is not None:
            fact = _fact(film.image, f"+{number}", review.label, box, scale)
            found.append(Marked(f"r{review.pk}", review.label, box, fact))
    return found


def facts_of(film: Film, found: Sequence[Marked]) -> Facts:
    """What the report says of the film beside the reader's own words."""
    image = film.image
    return Facts(
        study=film.study.description,
        film=what(image),
        machine=machine(film),
        taken="" if image.acquired_at_is_guess else moment(image.acquired_at),
        priors=[
            PriorFact(
                day=day(prior.image.acquired_at),
                what=what(prior.image),
                conclusion=prior.signature.get_conclusion_display() if prior.signature else "",
            )
            for prior in film.priors
        ],
        findings=[m.fact for m in found],
        unjudged=sum(1 for f in film.findings if f.flags and f.review is None),
    )


def content_of(
    film: Film, *, conclusion: str, edited: Mapping[str, str], signature: Signature | None
) -> dict[str, Any]:
    """Everything that a signature freezes, as JSON; `signature` is `None` of a draft."""
    image, patient, study, found = film.image, film.patient, film.study, marked(film)
    drafted = report_text.draft(facts_of(film, found), conclusion)
    return {
        "format": report_content.FORMAT,
        "film": {
            "sop_instance_uid": image.sop_instance_uid,
            "sha256": image.sha256,
            "columns": image.columns,
            "rows": image.rows,
        },
        "patient": {
            "identifier": patient.identifier,
            "issuer": patient.issuer,
            "name": patient.name,
            "born": patient.birth_date.isoformat() if patient.birth_date else "",
            "sex": patient.sex,
            "age": film.age,
            "synthetic": patient.is_synthetic,
        },
        "study": {
            "what": what(image),
            "description": study.description,
            "accession": study.accession_number,
            "taken": "" if image.acquired_at_is_guess else image.acquired_at.isoformat(),
            "machine": machine(film),
            "demo": image.is_demo,
        },
        "conclusion": conclusion,
        "sections": report_content.sections(drafted, edited),
        "findings": [
            {"label": m.label, "number": m.fact.number, "name": m.fact.name,
             "box": [round(side, 2) for side in m.box]}
            for m in found
        ],
        "signature": signature
        and {"number": signature.pk, "by": signature.by_name, "at": signature.at.isoformat()},
    }  # fmt: skip


def what(image: Image) -> str:
    """Modality, body part and view."""
    series = image.series
    view = f"{image.view_position} view" if image.view_position else "view unknown"
    kind = " ".join(part for part in (series.modality, series.body_part.lower()) if part)
    return f"{kind}, {view}" if kind else view


def machine(film: Film) -> str:
    """Name, model and serial; the serial alone where nobody registered it; empty without."""
    device = film.device
    if device is None:
        return film.image.device_serial
    return f"{device.name} ({device.model}, serial {device.serial})"


def day(at: datetime) -> str:
    """A day in the hospital's zone."""
    return date_format(timezone.localtime(at), "j M Y")


def moment(at: datetime) -> str:
    """A time in the hospital's zone, with the zone's name."""
    return date_format(timezone.localtime(at), "j M Y H:i T")


def _of_model(image: Image, found: FindingView, scale: Spacing | None) -> Marked:
    edited = found.review is not None and found.review.verdict == Verdict.EDIT
    fact = _fact(
        image,
        str(found.number),
        found.shown_label,
        found.shown_box,
        scale,
        origin="edited" if edited else "accepted",
        score=None if edited else found.score,
        was=Label(found.label).label if found.shown_label != found.label else "",
    )
    return Marked(f"f{found.finding.pk}", found.shown_label, found.shown_box, fact)


def _fact(
    image: Image,
    number: str,
    label: str,
    box: Box,
    scale: Spacing | None,
    *,
    origin: str = "drawn",
    score: float | None = None,
    was: str = "",
) -> FindingFact:
    x, _, w, h = box
    return FindingFact(
        number=number,
        name=Label(label).label,
        side=side_at((x + w / 2) / image.columns),
        size=(w * scale.column, h * scale.row, scale.kind) if scale else None,
        origin=origin,
        score=score,
        was=was,
        abnormal=label in ABNORMAL,
    )
